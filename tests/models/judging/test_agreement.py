from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from models.judging.agreement import compare_features, feature_names

FIRST = date(2026, 11, 1)


def lines(count: int, seed: int, *, days: int = 10, small_office: float = 0.1) -> pl.DataFrame:
    """Lines of two offices; what is declared at the small one is dearer."""
    rng = np.random.default_rng(seed)
    small = rng.random(count) < small_office
    day = rng.integers(0, days, count)
    return pl.DataFrame(
        {
            "declared_on": [FIRST + timedelta(days=int(number)) for number in day],
            "price__log": rng.normal(2.0 * small, 1.0),
            "route__office": np.where(small, "5316", "4601"),
            "calendar__day": day.astype(float),
            "inspection_probability": np.where(small, 0.5, 0.05),
            "label": rng.random(count) < 0.1,
        }
    )


COLUMNS = ("price__log", "route__office", "calendar__day")


def test_feature_columns_are_numbers_and_texts_that_a_block_built() -> None:
    assert feature_names(lines(4, 1)) == COLUMNS


def test_a_random_share_of_uneven_offices_agrees_by_its_probabilities_alone() -> None:
    everything = lines(20_000, 1)
    chance = np.random.default_rng(2).random(everything.height)
    drawn = everything.filter(pl.Series(chance) < everything["inspection_probability"])
    found = compare_features(drawn, everything, COLUMNS, false_alarm_rate=0.01)
    assert found is not None
    assert found.lines < drawn.height
    assert found.disagreeing(0.05) == ()
    assert {column.column for column in found.columns} == {"price__log", "route__office"}
    unweighted = compare_features(
        drawn.drop("inspection_probability"), everything, COLUMNS, false_alarm_rate=0.01
    )
    assert unweighted is not None
    assert {column.column for column in unweighted.disagreeing(0.05)} == {"price__log", "route__office"}
    assert unweighted.columns[0].shift.excess >= unweighted.columns[1].shift.excess


def test_without_common_days_or_with_few_lines_nothing_is_compared() -> None:
    later = lines(500, 3).with_columns(pl.col("declared_on") + pl.duration(days=30))
    assert compare_features(lines(500, 3), later, COLUMNS, false_alarm_rate=0.01) is None
    assert compare_features(lines(40, 3), lines(500, 4), COLUMNS, false_alarm_rate=0.01) is None
    assert compare_features(lines(0, 3), lines(500, 4), COLUMNS, false_alarm_rate=0.01) is None


def test_few_false_alarms_where_nothing_differs() -> None:
    alarms = 0
    for seed in range(40):
        sample = lines(300, 100 + seed).drop("inspection_probability")
        found = compare_features(sample, lines(3000, seed), COLUMNS, false_alarm_rate=0.05)
        assert found is not None
        alarms += any(column.shift.alarms for column in found.columns)
    assert alarms <= 6
