from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from configs.errors import ConfigurationError
from configs.schema.pipeline import MetricConfig, TrainingConfig
from models.stats.metric import Metric, ScoredLines
from models.stats.metrics import headline, lift_at, metric_named, metrics_of, precision_at, recall_at

BRIER = MetricConfig(name="brier", function="sklearn.metrics:brier_score_loss", better="lower")


def scored_lines(seed: int, lines: int = 200) -> ScoredLines:
    rng = np.random.default_rng(seed)
    found = rng.random(lines) < 0.3
    score = np.clip(0.4 * found + 0.6 * rng.random(lines), 0.0, 1.0).round(2)
    return ScoredLines(score, found, rng.permutation(lines).astype(np.uint64), found * rng.random(lines))


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
    "metric", metrics_of(TrainingConfig(metrics=(BRIER,))), ids=lambda metric: metric.name
)
def test_a_draw_is_the_figure_of_the_lines_drawn(metric: Metric) -> None:
    lines, kept = scored_lines(1), np.random.default_rng(2).random(200) < 0.6
    assert lines.recovered_cny is not None
    given = (lines.score, lines.found, lines.ties, lines.recovered_cny)
    drawn = ScoredLines(*(values[kept] for values in given))
    expected = metric.draws(drawn, np.ones((1, int(kept.sum()))))
    np.testing.assert_allclose(metric.draws(lines, kept[None, :].astype(np.float64)), expected)
    estimate = metric.estimate(lines, np.ones((3, 200)))
    assert estimate.value == pytest.approx(float(metric.draws(lines, np.ones((1, 200)))[0]))
    assert estimate.low - 1e-12 <= estimate.value <= estimate.high + 1e-12


def test_a_metric_that_is_not_known_is_an_error_that_names_the_nearest() -> None:
    metrics = metrics_of(TrainingConfig(capacities=(0.05,)))
    assert metric_named("precision_at_05", metrics).capacity == 0.05
    with pytest.raises(ConfigurationError, match=r"came 'precison_at_05'. Did you mean 'precision_at_05'"):
        metric_named("precison_at_05", metrics)


@pytest.mark.parametrize(
    ("capacities", "shown"),
    [((0.03,), ["at_03"]), ((0.005, 0.02, 0.2), ["at_02", "at_20"])],
)
def test_the_headline_follows_the_capacities(capacities: tuple[float, ...], shown: list[str]) -> None:
    metrics = metrics_of(TrainingConfig(capacities=capacities, metrics=(BRIER,)))
    expected = [f"{stem}_{end}" for stem in ("precision", "recall") for end in shown]
    areas = ["average_precision", "auc", "brier"]
    assert [metric.name for metric in headline(metrics)] == areas + expected
    first = [f"{stem}_{shown[0]}" for stem in ("precision", "recall")]
    assert [metric.name for metric in headline(metrics, capacities=1)] == areas + first


def test_a_function_of_the_configuration_is_a_metric_like_the_others() -> None:
    (brier,) = (metric for metric in metrics_of(TrainingConfig(metrics=(BRIER,))) if metric.name == "brier")
    lines, other = scored_lines(3), scored_lines(4)
    weights = np.random.default_rng(5).integers(0, 3, (40, 200)).astype(np.float64)
    estimate = brier.estimate(lines, weights)
    assert estimate.value == brier_score_loss(lines.found, lines.score)
    assert estimate.low < estimate.value < estimate.high
    worse = ScoredLines(1.0 - lines.score, lines.found, lines.ties)
    difference = brier.difference(worse, lines, weights)
    assert difference.low > 0.0
    assert brier.gain(difference).high < 0.0
    nothing = ScoredLines(other.score, np.zeros(200, dtype=bool), other.ties)
    assert math.isnan(brier.estimate(nothing, weights).value)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"function": "no.such.module:f"}, "can be imported, such as .* came 'no.such.module:f'"),
        ({"function": "sklearn.metrics:brier"}, "came 'sklearn.metrics:brier'"),
        (
            {"function": "sklearn.metrics:recall_score"},
            "expected a function of .found, probability, sample_w",
        ),
        ({"function": "math:pi"}, "expected a function of .found, probability, sample_weight"),
        ({"name": "auc"}, "expected another name than 'auc'"),
    ],
)
def test_a_function_that_is_no_metric_says_what_was_expected(config: dict[str, str], message: str) -> None:
    wrong = MetricConfig(**{"name": "own", "function": "sklearn.metrics:brier_score_loss", **config})
    with pytest.raises(ConfigurationError, match=message):
        metrics_of(TrainingConfig(metrics=(wrong,)))
