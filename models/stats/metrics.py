"""The metrics that models are judged by.

To add one, build it here and list it in `metrics_of`; or leave the code alone and name a function under
`training.metrics` in `pipeline.yaml`. Either way it is in every evaluation, in MLflow and in the report, and
`gate.metric` may name it.
"""

from __future__ import annotations

import math
import pkgutil
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from configs.errors import ConfigurationError
from configs.messages import nearest
from configs.schema.pipeline import MetricConfig, TrainingConfig
from features.arrays.types import BoolArray, FloatArray
from models.stats.intervals import Estimate, wilson
from models.stats.metric import Metric, ScoredLines
from models.stats.rankings import capacity_lines

_HEADLINE_CAPACITIES = 2
_LEAST_PROBABILITY = 1e-9
_First = Callable[[BoolArray, int], Estimate]
# From the weights of all lines, those of the lines inside of a capacity, and a value a line.
_Draws = Callable[[FloatArray, FloatArray, FloatArray | BoolArray], FloatArray]


def metrics_of(training: TrainingConfig) -> tuple[Metric, ...]:
    """Every metric, those at a capacity once for each of `training.capacities`.

    Raises:
        ConfigurationError: one of `training.metrics` cannot be used; the message says what was expected.
    """
    metrics = (
        AVERAGE_PRECISION,
        AUC,
        *(metric(share) for share in training.capacities for metric in (precision, recall, lift)),
        *map(configured_metric, training.metrics),
        *map(recovered_tax, training.capacities),
    )
    names = Counter(metric.name for metric in metrics)
    for own in training.metrics:
        if names[own.name] > 1:
            raise ConfigurationError(
                f"training.metrics: expected another name than {own.name!r}, it is taken"
            )
    return metrics


def metric_named(name: str, metrics: Sequence[Metric]) -> Metric:
    """The metric of that name.

    Raises:
        ConfigurationError: there is none; the message lists those there are and the nearest.
    """
    by_name = {metric.name: metric for metric in metrics}
    if name not in by_name:
        raise ConfigurationError(
            f"expected one of the metrics {', '.join(by_name)}; came {name!r}.{nearest(name, by_name)}"
        )
    return by_name[name]


def headline(metrics: Sequence[Metric], capacities: int = _HEADLINE_CAPACITIES) -> list[Metric]:
    """The metrics that fit on a line: areas, configured ones, precision and recall at the two largest
    capacities, or at the smaller one of the two.

    >>> [metric.name for metric in headline(metrics_of(TrainingConfig()))][2:]
    ['precision_at_05', 'precision_at_10', 'recall_at_05', 'recall_at_10']
    """
    shares = sorted({metric.capacity for metric in metrics if metric.capacity is not None})
    shown = {None, *shares[-_HEADLINE_CAPACITIES:][:capacities]}
    kept = [metric for metric in metrics if metric.headline and metric.capacity in shown]
    return sorted(kept, key=lambda metric: "" if metric.capacity is None else metric.name)


AVERAGE_PRECISION = Metric(
    "average_precision", "average precision", lambda lines, weights: lines.areas.average_precision(weights)
)
AUC = Metric("auc", "AUC", lambda lines, weights: lines.areas.auc(weights))
LOG_LOSS = Metric(
    "log_loss",
    "log loss",
    lambda lines, weights: _over(weights @ _losses(lines), weights.sum(axis=-1)),
    higher_is_better=False,
    judges="probability",
)


def precision(capacity: float) -> Metric:
    """Share of findings among the first lines."""
    return replace(_at(capacity, "precision", precision_at, _part_of_inside), percent=True)


def recall(capacity: float) -> Metric:
    """Share of all findings that are among the first lines."""
    return replace(_at(capacity, "recall", recall_at, _part_of_all), percent=True, brief=False)


def lift(capacity: float) -> Metric:
    """Precision over the share of findings among all lines."""
    return replace(_at(capacity, "lift", lift_at, _lifts), headline=False, brief=False)


def recovered_tax(capacity: float) -> Metric:
    """Share of all recovered tax that the first lines bring in."""
    return Metric(
        f"recovered_tax_{capacity_suffix(capacity)}",
        f"share of recovered tax at {100 * capacity:g}%",
        lambda lines, weights: _part_of_all(*_drawn(lines, weights, capacity), _recovered(lines)),
        partial(_tax_point, capacity=capacity),
        capacity=capacity,
        judges="money",
        percent=True,
        headline=False,
    )


def configured_metric(config: MetricConfig) -> Metric:
    """The metric of a function that the configuration names, tried on four lines.

    Raises:
        ConfigurationError: there is no such function, or it is none of (found, probability, sample_weight).
    """
    where = f"training.metrics, {config.name}"
    try:
        function = pkgutil.resolve_name(config.function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(
            f"{where}: expected the path of a function that can be imported, such as "
            f"sklearn.metrics:brier_score_loss; came {config.function!r}: {error}"
        ) from error
    draws = partial(_function_draws, function=function)
    example = np.array([True, False, True, False])
    try:
        draws(ScoredLines(np.array([0.9, 0.2, 0.6, 0.4]), example, np.empty(0, np.uint64)), np.ones((1, 4)))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{where}: expected a function of (found, probability, sample_weight=…), one entry a line, that "
            f"returns a number; {config.function} says: {error}"
        ) from error
    return Metric(
        config.name,
        config.name.replace("_", " "),
        draws,
        higher_is_better=config.better == "higher",
        judges="probability",
    )


def capacity_suffix(share: float) -> str:
    """The end of a figure's name: `at_05` for 5%, `at_00.5` for half a percent.

    >>> capacity_suffix(0.05), capacity_suffix(0.005), capacity_suffix(0.1)
    ('at_05', 'at_00.5', 'at_10')
    """
    percent = round(share * 100, 6)
    return f"at_{int(percent):02d}" if percent == int(percent) else f"at_{percent:04.1f}"


def precision_at(found_ranked: BoolArray, drawn: int) -> Estimate:
    """Share of findings among the first `drawn` lines of a ranking."""
    hits = int(found_ranked[:drawn].sum())
    return Estimate(hits / drawn if drawn else math.nan, *wilson(hits, drawn), hits)


def recall_at(found_ranked: BoolArray, drawn: int) -> Estimate:
    """Share of all findings that are among the first `drawn` lines."""
    hits, total = int(found_ranked[:drawn].sum()), int(found_ranked.sum())
    return Estimate(hits / total if total else math.nan, *wilson(hits, total), hits)


def lift_at(found_ranked: BoolArray, drawn: int) -> Estimate:
    """Precision over the share of findings among all lines; the interval is that of the precision."""
    precise = precision_at(found_ranked, drawn)
    base = float(found_ranked.mean()) if len(found_ranked) else 0.0
    if base == 0.0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    return Estimate(precise.value / base, precise.low / base, precise.high / base, precise.findings)


def _at(capacity: float, words: str, first: _First, draws: _Draws) -> Metric:
    """A share at a capacity, with Wilson's interval."""
    return Metric(
        f"{words}_{capacity_suffix(capacity)}",
        f"{words} at {100 * capacity:g}%",
        lambda lines, weights: draws(*_drawn(lines, weights, capacity), lines.found[lines.order]),
        lambda lines: first(lines.found[lines.order], capacity_lines(capacity, len(lines.score))),
        capacity=capacity,
        bootstrapped=False,
    )


def _part_of_inside(_: FloatArray, inside: FloatArray, values: FloatArray | BoolArray) -> FloatArray:
    return _over(inside @ values, inside.sum(axis=1))


def _part_of_all(drawn: FloatArray, inside: FloatArray, values: FloatArray | BoolArray) -> FloatArray:
    return _over(inside @ values, drawn @ values)


def _lifts(drawn: FloatArray, inside: FloatArray, found: FloatArray | BoolArray) -> FloatArray:
    return _over(_part_of_inside(drawn, inside, found), _over(drawn @ found, drawn.sum(axis=1)))


def _tax_point(lines: ScoredLines, *, capacity: float) -> Estimate:
    amount, count = _recovered(lines), capacity_lines(capacity, len(lines.score))
    value = float(amount[:count].sum() / amount.sum()) if amount.sum() > 0 else math.nan
    return Estimate(value, math.nan, math.nan, int(lines.found[lines.order][:count].sum()))


def _losses(lines: ScoredLines) -> FloatArray:
    """What each line adds to the log loss; the surest probability counts as one in a billion short of 1."""
    said = np.where(lines.found, lines.score, 1.0 - lines.score)
    losses: FloatArray = -np.log(np.clip(said, _LEAST_PROBABILITY, 1.0))
    return losses


def _recovered(lines: ScoredLines) -> FloatArray:
    """The recovered tax in the order of the ranking."""
    if lines.recovered_cny is None:
        raise ValueError("the recovered tax of the lines is not known")
    return lines.recovered_cny[lines.order]


def _drawn(lines: ScoredLines, weights: FloatArray, capacity: float) -> tuple[FloatArray, FloatArray]:
    """The weights (draws, lines) by rank, and those that a capacity, a share of the lines drawn, inspects."""
    drawn = weights[:, lines.order]
    return drawn, drawn * (np.cumsum(drawn, axis=1) <= capacity * drawn.sum(axis=1, keepdims=True) + 0.5)


def _over(part: FloatArray, total: FloatArray) -> FloatArray:
    """One over the other, NaN where there is nothing to divide by."""
    shares: FloatArray = np.divide(part, total, out=np.full(np.shape(total), np.nan), where=total > 0)
    return shares


def _function_draws(lines: ScoredLines, weights: FloatArray, *, function: Callable[..., float]) -> FloatArray:
    """A function of scikit-learn's kind for each draw; NaN for one that holds no finding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a draw of findings only is no news
        values = [
            float(function(lines.found, lines.score, sample_weight=weight))
            if weight @ lines.found
            else math.nan
            for weight in np.atleast_2d(weights)
        ]
    return np.array(values).reshape(weights.shape[:-1])
