"""From whatever form a source has of a time or a day to that of the contract, a column at a time.

A value that cannot be read becomes a marker, as in `features.contract.conversions`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import polars as pl

from features.contract.china_time import CHINA_OFFSET, china_day
from features.contract.conversions import is_textual, marked

NOT_A_TIME: Final = datetime(1, 1, 1)  # noqa: DTZ001 - the column that it marks carries the zone
NOT_A_DATE: Final = date(1, 1, 1)
UTC_ZONE: Final = "UTC"
_UTC: Final = pl.Datetime("us", UTC_ZONE)
_ZONED: Final = r"[+-]\d{2}:?\d{2}$"
_ZONED_FORMATS: Final = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z")
# Digits alone are read only where there are exactly so many: Polars would also read fewer.
_DIGITS: Final = {"%Y%m%d%H%M%S": 14, "%Y%m%d": 8}
_FORMATS: Final = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y%m%d%H%M%S", "%Y-%m-%d", "%Y%m%d")
_DATE_FORMATS: Final = ("%Y-%m-%d", "%Y%m%d")
_LONGEST_DATE: Final = len("2026-11-20")
_LOOSE: Final = (
    r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[T ]*(\d{1,2})[:时点](\d{1,2})(?:[:分](?:(\d{1,2})秒?)?)?)?$"
)
_COMPACT: Final = r"^(\d{4})(\d{2})(\d{2})(?:[T ]*(\d{2}):?(\d{2}):?(\d{2})?)?$"


def to_moment(values: pl.Series, zone: str = UTC_ZONE) -> pl.Series:
    """Microseconds in UTC. A time that names no zone is one of `zone`; a date alone is midnight in China.

    Parts of one digit are read, and so are full-width digits and Chinese signs; what of several meanings is
    (a day before a year, a clock of twelve hours) is not.

    >>> moments = to_moment(pl.Series(["2026-11-20", "2026/11/2 8:05", "2026-11-20T09:30:00+08:00"]))
    >>> [str(moment) for moment in moments]
    ['2026-11-19 16:00:00+00:00', '2026-11-02 08:05:00+00:00', '2026-11-20 01:30:00+00:00']
    """
    kind = values.dtype
    if isinstance(kind, pl.Datetime):
        zoned = values if kind.time_zone else _in_zone(values, zone)
        return zoned.dt.convert_time_zone(UTC_ZONE).dt.cast_time_unit("us")
    if kind == pl.Date:
        return _midnight(values)
    if not (is_textual(values) or kind.is_integer()):
        return marked(values, NOT_A_TIME, pl.Datetime("us")).dt.replace_time_zone(UTC_ZONE)
    text = _one_spelling(values)
    moments = _parsed(text, zone)
    # Rare spellings are looked at where nothing else fits, so that the many others cost nothing.
    left = moments.is_null() & text.is_not_null()
    if left.any():
        rows = left.arg_true()
        moments = moments.scatter(rows, _parsed_otherwise(text.gather(rows), zone))
    wrong = moments.is_null() & text.is_not_null()
    return moments.dt.replace_time_zone(None).set(wrong, NOT_A_TIME).dt.replace_time_zone(UTC_ZONE)


def to_day(values: pl.Series, zone: str = UTC_ZONE) -> pl.Series:
    """Dates. A time counts on its date in China, as a declaration does; one without a zone is one of `zone`.

    >>> [str(day) for day in to_day(pl.Series(["2026-11-20", "20261120", "2026-11-20 20:00", "x"]))]
    ['2026-11-20', '2026-11-20', '2026-11-21', '0001-01-01']
    """
    if values.dtype == pl.Date:
        return values
    moments = to_moment(values, zone)
    wrong = (moments.dt.year() == NOT_A_TIME.year).fill_null(False)
    return china_day(moments).set(wrong, NOT_A_DATE)


def names_no_zone(values: pl.Series) -> bool:
    """Whether there is a time among the values that does not say in which zone it is.

    >>> [names_no_zone(pl.Series([text])) for text in ("2026-11-20", "2026-11-20T10:00Z", "2026-11-20 10:00")]
    [False, False, True]
    """
    kind = values.dtype
    if isinstance(kind, pl.Datetime):
        return kind.time_zone is None and values.null_count() < len(values)
    if not (is_textual(values) or kind.is_integer()):
        return False
    text = values.cast(pl.String).str.strip_chars()
    times = text.filter((text.str.len_bytes() > _LONGEST_DATE) & ~text.str.to_lowercase().str.ends_with("z"))
    return bool((~times.str.contains(_ZONED)).any())


def _one_spelling(values: pl.Series) -> pl.Series:
    text = values.cast(pl.String).str.strip_chars()
    text = text.set(text == "", None)
    # One spelling for the separators and for UTC halves the formats to try.
    return (
        text.str.replace_all("/", "-", literal=True)
        .str.replace(r"^(\d\S{7,9}) +", "${1}T")
        .str.replace(r"[zZ]$", "+00:00")
    )


def _parsed(text: pl.Series, zone: str) -> pl.Series:
    moments = pl.Series(text.name, [None], dtype=_UTC).new_from_index(0, len(text))
    # No text is of two formats, and a column mostly of one: that of its first value is tried first.
    first = text.drop_nulls().head(1)
    formats = (*_FORMATS, *_ZONED_FORMATS)
    for pattern in sorted(formats, key=lambda each: _of_pattern(first, each, zone).null_count()):
        left = moments.is_null() & text.is_not_null()
        if not left.any():
            break
        moments = moments.zip_with(~left, _of_pattern(text.set(~left, None), pattern, zone))
    return moments


def _of_pattern(text: pl.Series, pattern: str, zone: str) -> pl.Series:
    if pattern in _DIGITS:
        text = text.set(text.str.len_bytes() != _DIGITS[pattern], None)
    if pattern in _ZONED_FORMATS:
        return text.str.to_datetime(pattern, time_unit="us", time_zone=UTC_ZONE, strict=False)
    if pattern in _DATE_FORMATS:
        return _midnight(text.str.to_date(pattern, strict=False))
    return _in_zone(text.str.to_datetime(pattern, time_unit="us", strict=False), zone)


def _parsed_otherwise(text: pl.Series, zone: str) -> pl.Series:
    """Rare spellings: full-width digits, Chinese signs, dots in the date, 24:00 for the end of a day."""
    spelled = text.str.normalize("NFKC").str.strip_chars().alias("text")
    year, month, day, hour, minute, second = map(pl.col, "123456")
    clock = pl.duration(hours=hour, minutes=minute, seconds=second.fill_null(0))
    on_clock = (hour < 24) & (minute < 60) & (second.fill_null(0) < 60) | (clock == pl.duration(days=1))
    pattern = pl.when(pl.col("text").str.contains(_COMPACT)).then(pl.col("text").str.extract_groups(_COMPACT))
    parts = (
        spelled.to_frame()
        .select(pattern.otherwise(pl.col("text").str.extract_groups(_LOOSE)).alias("text"))
        .unnest("text")
    )
    read = parts.with_columns(pl.col("4", "5", "6").cast(pl.Int64)).select(
        pl.concat_str(year, month, day, separator="-").str.to_date("%Y-%m-%d", strict=False).alias("day"),
        pl.when(on_clock.fill_null(False)).then(clock).alias("clock"),
        hour.is_null().alias("is_date"),
    )
    local = read["day"].cast(pl.Datetime("us")) + read["clock"]
    return _midnight(read["day"]).zip_with(read["is_date"], _in_zone(local, zone))


def _midnight(days: pl.Series) -> pl.Series:
    return (days.cast(pl.Datetime("us")) - CHINA_OFFSET).dt.replace_time_zone(UTC_ZONE)


def _in_zone(local: pl.Series, zone: str) -> pl.Series:
    """In UTC; of an hour that a clock shows twice the first is taken, of one that it leaves out nothing."""
    placed = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone(UTC_ZONE)
