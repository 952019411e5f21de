"""What chosen lines alone say about all lines."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from models.fitting.bounds import share_without_draws

DAY = date(2026, 10, 1)


def lines_of(count: int, **more: object) -> pl.DataFrame:
    days = [DAY + timedelta(days=number % 10) for number in range(count)]
    return pl.DataFrame({"declared_on": days, **more})


def test_the_share_lies_between_what_was_found_and_what_is_promised() -> None:
    due = lines_of(400, food_safety=[number < 20 for number in range(400)])
    sample = lines_of(100, stands_for=[50.0] * 100)
    known = share_without_draws(due, "food_safety", sample, np.full(100, 0.1), np.ones(100))
    assert known is not None
    assert (known.low, known.high) == pytest.approx((20 / 5000, 0.1))
    assert known.share == pytest.approx(0.02)
    # A draw of 20 findings would know more.
    assert known.findings < 2.0


def test_only_lines_that_would_be_examined_count() -> None:
    due = lines_of(400, food_safety=[number < 20 for number in range(400)])
    sample = lines_of(100, stands_for=[50.0] * 100)
    examined = np.repeat([0.0, 1.0], 50)
    known = share_without_draws(due, "food_safety", sample, np.repeat([0.9, 0.1], 50), examined)
    assert known is not None
    assert (known.low, known.high) == pytest.approx((20 / 2500, 0.1))


def test_days_whose_results_are_not_in_say_nothing() -> None:
    due = lines_of(400, food_safety=[number < 20 for number in range(400)])
    later = lines_of(100, stands_for=[50.0] * 100).with_columns(pl.col("declared_on") + timedelta(days=30))
    assert share_without_draws(due, "food_safety", later, np.full(100, 0.1), np.ones(100)) is None
