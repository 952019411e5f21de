from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from models.stats.rankings import Areas, average_precision_by_chance, capacity_lines, ranking

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


@pytest.mark.parametrize(
    ("share", "lines", "expected"),
    [(0.01, 1000, 10), (0.01, 1001, 11), (0.01, 3, 1), (1.0, 7, 7), (0.1, 0, 0)],
)
def test_a_capacity_is_rounded_up(share: float, lines: int, expected: int) -> None:
    assert capacity_lines(share, lines) == expected


def test_chance_is_the_mean_over_all_orders() -> None:
    rng = np.random.default_rng(3)
    found = np.arange(30) < 4
    drawn = [float(Areas.of(rng.random(30), found).average_precision(np.ones(30))) for _ in range(4000)]
    assert np.mean(drawn) == pytest.approx(average_precision_by_chance(4, 30), abs=0.005)
    assert math.isnan(average_precision_by_chance(0, 30))
