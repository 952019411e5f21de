from __future__ import annotations

import math

import numpy as np

from models.stats.intervals import bootstrap_interval, bootstrap_weights, wilson


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


def test_intervals_leave_out_draws_without_a_value() -> None:
    low, high = bootstrap_interval(np.array([np.nan, 1.0, 2.0, 3.0]))
    assert 1.0 <= low < high <= 3.0
    assert all(math.isnan(end) for end in bootstrap_interval(np.array([np.nan])))
