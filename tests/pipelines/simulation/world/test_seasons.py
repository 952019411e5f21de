"""Volume over the year: Double 11 stands out, and the average is what was asked for."""

from datetime import date

import numpy as np
import pytest

from pipelines.simulation.world.seasons import days_until, expected_parcels, seconds_of_day


def test_the_average_is_what_was_asked_for() -> None:
    days = days_until(date(2026, 11, 20), 60)
    expected = expected_parcels(days, 3000)
    assert days[0] == date(2026, 9, 22)
    assert expected.mean() == pytest.approx(3000)


def test_double_11_rises_to_its_last_day() -> None:
    days = days_until(date(2026, 11, 20), 60)
    expected = dict(zip(days, expected_parcels(days, 1000), strict=True))
    assert max(expected, key=lambda day: expected[day]) == date(2026, 11, 11)
    assert expected[date(2026, 11, 11)] > 2 * expected[date(2026, 10, 14)]
    assert expected[date(2026, 11, 4)] > 1.1 * expected[date(2026, 10, 14)]


def test_fewer_declarations_come_at_night() -> None:
    hours = seconds_of_day(np.random.default_rng(1), 50_000) // 3600
    counts = np.bincount(hours, minlength=24)
    assert len(counts) == 24
    assert counts[3] < counts[11] / 4
