from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from models.stats.metrics import (
    Areas,
    average_precision_by_chance,
    bootstrap_weights,
    capacity_lines,
    interval,
    lift_at,
    precision_at,
    ranking,
    recall_at,
    wilson,
)

scored = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60)


@given(scored)
def test_areas_are_those_of_scikit_learn_ties_included(lines: list[tuple[int, bool]]) -> None:
    score = np.array([value for value, _ in lines], dtype=np.float64)
    found = np.array([hit for _, hit in lines])
    areas, once = Areas.of(score, found), np.ones(len(score))
    if not found.any():
        assert np.isnan(areas.average_precision(once))
        assert np.isnan(areas.auc(once))
        return
    assert float(areas.average_precision(once)) == pytest.approx(average_precision_score(found, score))
    if not found.all():
        assert float(areas.auc(once)) == pytest.approx(roc_auc_score(found, score))


@given(scored, st.integers(0, 100))
def test_weighted_areas_are_those_of_repeated_lines(lines: list[tuple[int, bool]], seed: int) -> None:
    score = np.array([value for value, _ in lines], dtype=np.float64)
    found = np.array([hit for _, hit in lines])
    times = np.random.default_rng(seed).integers(0, 3, len(score))
    repeated = Areas.of(np.repeat(score, times), np.repeat(found, times))
    weighted = Areas.of(score, found)
    weight = np.vstack([times, times]).astype(np.float64)
    once = np.ones(int(times.sum()))
    for name in ("average_precision", "auc"):
        expected = getattr(repeated, name)(once)
        np.testing.assert_allclose(getattr(weighted, name)(weight), [expected, expected], equal_nan=True)


@given(scored, st.integers(0, 1000))
def test_a_ranking_does_not_depend_on_the_order_of_the_rows(lines: list[tuple[int, bool]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    score = np.array([value for value, _ in lines], dtype=np.float64)
    score[rng.random(len(score)) < 0.1] = np.nan
    key = rng.permutation(len(score)).astype(np.uint64)
    order = rng.permutation(len(score))
    np.testing.assert_array_equal(key[ranking(score, key)], key[order][ranking(score[order], key[order])])
    ranked = score[ranking(score, key)]
    known = ranked[~np.isnan(ranked)]
    assert (np.diff(known) <= 0).all()
    assert np.isnan(ranked[len(known) :]).all()


@given(st.lists(st.booleans(), min_size=1, max_size=50), st.integers(1, 50))
def test_shares_at_a_capacity_are_counted(found: list[bool], drawn: int) -> None:
    drawn = min(drawn, len(found))
    ranked = np.array(found)
    hits = sum(found[:drawn])
    precision, recall, lift = (estimate(ranked, drawn) for estimate in (precision_at, recall_at, lift_at))
    assert precision.value == hits / drawn
    assert precision.low <= precision.value <= precision.high
    assert precision.findings == hits
    if any(found):
        assert recall.value == hits / sum(found)
        assert lift.value == pytest.approx(precision.value / (sum(found) / len(found)))
    else:
        assert math.isnan(recall.value)
        assert math.isnan(lift.value)


@pytest.mark.parametrize(
    ("share", "lines", "expected"),
    [(0.01, 1000, 10), (0.01, 1001, 11), (0.01, 3, 1), (1.0, 7, 7), (0.1, 0, 0)],
)
def test_a_capacity_is_rounded_up(share: float, lines: int, expected: int) -> None:
    assert capacity_lines(share, lines) == expected


def test_wilson_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(9)
    inside = [
        low <= 0.08 <= high for low, high in (wilson(int(hits), 60) for hits in rng.binomial(60, 0.08, 2000))
    ]
    assert 0.92 <= np.mean(inside) <= 0.98
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_bootstrap_draws_days_where_there_are_enough() -> None:
    cluster = np.repeat(np.arange(10), 5)
    weights = bootstrap_weights(cluster, draws=50, seed=1)
    assert weights.shape == (50, 50)
    per_day = weights.reshape(50, 10, 5)
    assert (per_day == per_day[:, :, :1]).all()
    assert (weights.sum(axis=1) == 50).all()
    np.testing.assert_array_equal(weights, bootstrap_weights(cluster, draws=50, seed=1))
    few = bootstrap_weights(np.zeros(30, dtype=np.int64), draws=5, seed=1)
    assert len(np.unique(few[0])) > 1


def test_chance_is_the_mean_over_all_orders() -> None:
    rng = np.random.default_rng(3)
    found = np.arange(30) < 4
    drawn = [float(Areas.of(rng.random(30), found).average_precision(np.ones(30))) for _ in range(4000)]
    assert np.mean(drawn) == pytest.approx(average_precision_by_chance(4, 30), abs=0.005)
    assert math.isnan(average_precision_by_chance(0, 30))


def test_intervals_leave_out_draws_without_a_value() -> None:
    low, high = interval(np.array([np.nan, 1.0, 2.0, 3.0]))
    assert 1.0 <= low < high <= 3.0
    assert all(math.isnan(end) for end in interval(np.array([np.nan])))
