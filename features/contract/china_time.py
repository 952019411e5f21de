"""China's day: declarations are cut into days by the date in China, UTC+8 all year since 1992."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Final, TypeVar

import polars as pl

CHINA_OFFSET: Final = timedelta(hours=8)
CHINA: Final = timezone(CHINA_OFFSET)
_M = TypeVar("_M", pl.Series, pl.Expr)
CHINA_ZONE: Final = "Etc/GMT-8"
"""The same by name; in the names of these zones the sign is turned round."""


def china_date(moment: datetime) -> date:
    """The date in China of a moment with a time zone.

    >>> china_date(datetime(2026, 11, 20, 20, 0, tzinfo=timezone.utc))
    datetime.date(2026, 11, 21)
    """
    return moment.astimezone(CHINA).date()


def china_day(moments: _M) -> _M:
    """The dates in China of moments with a time zone: a declaration's partition."""
    return moments.dt.convert_time_zone("UTC").dt.offset_by("8h").dt.date()


def closing_moment(day: date) -> datetime:
    """The moment at which a day ends in China: what was sent before it is known at its close."""
    return datetime.combine(day + timedelta(days=1), time(), CHINA)
