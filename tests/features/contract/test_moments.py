"""Times and days come out in China's day, whatever form they have; what has several meanings is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from features.contract.china_time import china_day
from features.contract.moments import NOT_A_DATE, NOT_A_TIME, names_no_zone, to_day, to_moment

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MIDNIGHT_IN_CHINA = datetime(2026, 11, 19, 16, tzinfo=UTC)
MARK = NOT_A_TIME.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "moment", "day"),
    [
        ("2026-11-20T12:00:00Z", NOON, date(2026, 11, 20)),
        ("2026-11-20 12:00:00", NOON, date(2026, 11, 20)),
        ("2026-11-20T20:00:00+08:00", NOON, date(2026, 11, 20)),
        ("2026-11-20T20:00:00.000+0800", NOON, date(2026, 11, 20)),
        ("2026/11/20 12:00", NOON, date(2026, 11, 20)),
        ("20261120120000", NOON, date(2026, 11, 20)),
        (" 20261120 ", MIDNIGHT_IN_CHINA, date(2026, 11, 20)),
        ("2026-11-20", MIDNIGHT_IN_CHINA, date(2026, 11, 20)),
        (20261120, MIDNIGHT_IN_CHINA, date(2026, 11, 20)),
        (date(2026, 11, 20), MIDNIGHT_IN_CHINA, date(2026, 11, 20)),
        (NOON, NOON, date(2026, 11, 20)),
        (NOON.replace(tzinfo=None), NOON, date(2026, 11, 20)),
        ("2026/11/2 8:05", datetime(2026, 11, 2, 8, 5, tzinfo=UTC), date(2026, 11, 2)),
        ("2026/1/5 18:05:33", datetime(2026, 1, 5, 18, 5, 33, tzinfo=UTC), date(2026, 1, 6)),
        ("2026-1-5", datetime(2026, 1, 4, 16, tzinfo=UTC), date(2026, 1, 5)),
        ("２０２６/１１/２０ １２：００", NOON, date(2026, 11, 20)),
        ("2026年11月20日12时00分", NOON, date(2026, 11, 20)),
        ("20261120 120000", NOON, date(2026, 11, 20)),
        ("2026-11-20 24:00", datetime(2026, 11, 21, tzinfo=UTC), date(2026, 11, 21)),
        ("2026-11-20 20:00", datetime(2026, 11, 20, 20, tzinfo=UTC), date(2026, 11, 21)),
        ("2026-11-20 24:01", MARK, NOT_A_DATE),
        ("2026-11-20 8:05 PM", MARK, NOT_A_DATE),
        ("20/11/2026", MARK, NOT_A_DATE),
        ("2026015", MARK, NOT_A_DATE),
        ("2026-13-01", MARK, NOT_A_DATE),
        ("yesterday", MARK, NOT_A_DATE),
        (b"2026-11-20", MARK, NOT_A_DATE),
        (1.5, MARK, NOT_A_DATE),
        ("", None, None),
        (None, None, None),
    ],
)
def test_times_of_every_kind(value: object, moment: datetime | None, day: date | None) -> None:
    series = pl.Series([value])
    assert to_moment(series).to_list() == [moment]
    assert to_day(series).to_list() == [day]


def test_the_day_is_that_of_china() -> None:
    late = pl.Series([datetime(2026, 11, 20, 15, 59, tzinfo=UTC), datetime(2026, 11, 20, 16, tzinfo=UTC)])
    assert china_day(late).to_list() == [date(2026, 11, 20), date(2026, 11, 21)]


def test_a_time_without_a_zone_is_one_of_the_zone_that_is_named() -> None:
    evening = pl.Series(["2026-11-20 20:30:00", "2026-11-20", "2026-11-20T20:30Z"])
    assert [str(moment) for moment in to_moment(evening, "Asia/Shanghai")] == [
        "2026-11-20 12:30:00+00:00",
        "2026-11-19 16:00:00+00:00",
        "2026-11-20 20:30:00+00:00",
    ]
    assert to_day(evening).to_list() == [date(2026, 11, 21), date(2026, 11, 20), date(2026, 11, 21)]
    assert to_day(evening, "Asia/Shanghai").to_list() == [
        date(2026, 11, 20),
        date(2026, 11, 20),
        date(2026, 11, 21),
    ]
    stored = pl.Series([datetime(2026, 11, 20, 20, 30)])  # noqa: DTZ001
    assert to_moment(stored, "Asia/Shanghai").to_list() == [datetime(2026, 11, 20, 12, 30, tzinfo=UTC)]


def test_an_hour_that_a_clock_leaves_out_is_no_time() -> None:
    assert to_moment(pl.Series(["2026-03-29 02:30"]), "Europe/Berlin").to_list() == [MARK]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["2026-11-20", "20261120", None], False),
        (["2026-11-20T10:00:00Z", "2026-11-20 10:00+0800", "2026-11-20"], False),
        (["2026-11-20", "2026-11-20 10:00"], True),
        (["20261120100000"], True),
        ([20261120100000], True),
        ([datetime(2026, 11, 20, 10)], True),  # noqa: DTZ001
        ([datetime(2026, 11, 20, 10, tzinfo=UTC)], False),
        ([date(2026, 11, 20)], False),
        ([1.5], False),
    ],
)
def test_whether_a_time_lacks_its_zone(values: list[object], told: bool) -> None:
    assert names_no_zone(pl.Series(values)) is told
