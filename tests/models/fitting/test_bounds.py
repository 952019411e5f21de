"""What chosen lines, and too few draws, say about all lines."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from models.fitting.bounds import share_without_draws

DAY = date(2026, 10, 1)


def lines_of(count: int, **more: object) -> pl.DataFrame:
    days = [DAY + timedelta(days=number % 10) for number in range(count)]
    numbers = [f"D{number}" for number in range(count)]
    return pl.DataFrame({"declared_on": days, "declaration_id": numbers, **more})


SAMPLE = lines_of(100, stands_for=[50.0] * 100)


def chosen(count: int = 400, found: int = 20, **more: object) -> pl.DataFrame:
    return lines_of(count, food_safety=[number < found for number in range(count)], **more)


def test_the_promise_is_the_middle_of_what_is_not_known() -> None:
    known = share_without_draws(chosen(), "food_safety", SAMPLE, np.full(100, 0.05), np.ones(100))
    assert known is not None
    # Of a lognormal distribution the mean lies above the middle.
    assert known.share == pytest.approx(0.05 * np.exp(0.8**2 / 2), rel=0.02)
    assert known.low / 0.05 == pytest.approx(np.exp(-1.96 * 0.8), rel=0.05)
    assert known.high / 0.05 == pytest.approx(np.exp(1.96 * 0.8), rel=0.05)
    # A draw of two findings would know more.
    assert known.findings < 2.0


def test_all_lines_hold_at_least_what_was_found() -> None:
    known = share_without_draws(chosen(), "food_safety", SAMPLE, np.full(100, 0.001), np.ones(100))
    assert known is not None
    assert known.low >= 20 / 5000


def test_only_lines_that_would_be_examined_count() -> None:
    examined = np.repeat([0.0, 1.0], 50)
    known = share_without_draws(chosen(), "food_safety", SAMPLE, np.repeat([0.9, 0.05], 50), examined)
    assert known is not None
    assert known.share == pytest.approx(0.05 * np.exp(0.8**2 / 2), rel=0.02)


@pytest.mark.parametrize(("found", "least", "most"), [(0, 0.0, 0.03), (12, 0.055, 0.2)])
def test_draws_count_as_what_they_are(found: int, least: float, most: float) -> None:
    drawn = chosen(120, found, selection=["random"] * 120, inspection_probability=[0.01] * 120)
    known = share_without_draws(drawn, "food_safety", SAMPLE, np.full(100, 0.05), np.ones(100))
    assert known is not None
    assert least < known.share < most
    without = share_without_draws(chosen(120, found), "food_safety", SAMPLE, np.full(100, 0.05), np.ones(100))
    assert without is not None
    assert known.high / known.low < without.high / without.low
    assert known.findings > without.findings


def test_days_whose_results_are_not_in_say_nothing() -> None:
    later = SAMPLE.with_columns(pl.col("declared_on") + timedelta(days=30))
    assert share_without_draws(chosen(), "food_safety", later, np.full(100, 0.1), np.ones(100)) is None
