"""A model beside its rivals on the same later lines: every measure with its interval, and paired differences.

Days are drawn again, whole ones, as lines of a day share sellers, lots and inspectors; of a period with fewer
than eight days, parcels are. All scores are measured on the same draws, so what makes a draw easy for all of
them drops out of a difference. Precision has Wilson's interval, since at the top 1% of few lines the draws
know no other value than the one that was found; its differences are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import polars as pl

from features.arrays.types import BoolArray, FloatArray, IntArray
from models.judging.baselines import line_keys
from models.stats.intervals import Estimate, bootstrap_weights
from models.stats.metric import DrawnFigure, Metric, ScoredLines
from models.stats.metrics import AUC, AVERAGE_PRECISION, LOG_LOSS, precision

MODEL: Final = "model"
LIGHTGBM: Final = "lightgbm"
CATBOOST: Final = "catboost"
BEST_KEY: Final = "best_key"
RANDOM: Final = "random"
CONTENDERS: Final = {
    MODEL: "model",
    LIGHTGBM: "LightGBM",
    CATBOOST: "CatBoost",
    BEST_KEY: "best key",
    RANDOM: "random",
}
"""What reports call each of them."""
_SHARES = (0.01, 0.05, 0.10)
_PRECISION = "precision"
_FEWEST_DAYS = 8
_MOST_DRAWS, _FEWEST_DRAWS = 1_000, 100
_WEIGHTS = 5_000_000


@dataclass(frozen=True)
class Contender:
    """What one of them says of the lines (lines,): the score that ranks them, and a probability."""

    score: FloatArray
    probability: FloatArray

    @classmethod
    def of(cls, probability: FloatArray) -> Contender:
        """One that ranks by its probability."""
        return cls(probability, probability)


@dataclass(frozen=True)
class _Lines:
    """The judged lines without a score, and how often each is in each draw (draws, lines)."""

    lines: ScoredLines
    weights: FloatArray


@dataclass(frozen=True)
class Measure:
    """A metric, and the keys under which a comparison shows it."""

    metric: Metric
    path: tuple[str, ...]

    def drawn(self, one: Contender, frame: _Lines) -> DrawnFigure:
        """The figure of one contender, on all draws."""
        shown = one.probability if self.metric.judges == "probability" else one.score
        return self.metric.drawn(replace(frame.lines, score=shown), frame.weights)


MEASURES: Final[Sequence[Measure]] = (
    Measure(AVERAGE_PRECISION, ("average_precision",)),
    Measure(AUC, ("auc",)),
    *(Measure(precision(share), (_PRECISION, f"{share:.2f}")) for share in _SHARES),
    Measure(LOG_LOSS, ("log_loss",)),
)


Figures = Mapping[tuple[str, ...], Estimate]


@dataclass(frozen=True)
class RivalComparison:
    """Figures by contender and measure, and the model's less those of each rival.

    `scores` and `differences` have the contenders in their order, and a figure for each of the `measures`;
    None stands for a rival that could not score. With fewer findings than `least_findings` every figure is
    NaN: it would be luck. `called` are the names of the contenders in words.
    """

    lines: int
    findings: int
    least_findings: int
    scores: Mapping[str, Figures | None]
    differences: Mapping[str, Figures | None]
    measures: Sequence[Measure] = MEASURES
    called: Mapping[str, str] = field(default_factory=lambda: CONTENDERS)

    @property
    def thin(self) -> bool:
        """Whether there are too few findings for any figure."""
        return self.findings < self.least_findings

    def as_dict(self) -> dict[str, Any]:
        """`lines`, `findings`, `scores` and `differences` as JSON can hold them: [value, low, high], null
        where there is no figure.
        """
        return {
            "lines": self.lines,
            "findings": self.findings,
            "scores": {name: _nested(figures) for name, figures in self.scores.items()},
            "differences": {name: _nested(figures) for name, figures in self.differences.items()},
        }

    def as_metrics(self) -> dict[str, float]:
        """Names and numbers: `model.auc`, `catboost.precision_at_05_low`, `less.catboost.log_loss_high`."""
        metrics = {"lines": float(self.lines), "findings": float(self.findings)}
        for prefix, group in (("", self.scores), ("less.", self.differences)):
            for name, figures in group.items():
                for measure in self.measures if figures is not None else ():
                    assert figures is not None
                    named = figures[measure.path].as_metrics(f"{prefix}{name}.{measure.metric.name}")
                    metrics |= {key: value for key, value in named.items() if not key.endswith("_findings")}
        return metrics


def compare(
    lines: pl.DataFrame,
    found: BoolArray,
    contenders: Mapping[str, Contender | None],
    *,
    least_findings: int,
    seed: int,
    measures: Sequence[Measure] = MEASURES,
) -> RivalComparison:
    """Measure the contenders, of which `model` is compared with every other but `random`, on the same lines.

    `lines` have `declaration_id`, `line_no` and `declared_on` (Date), `found` says which were findings.
    """
    findings = int(found.sum())
    draws = max(_FEWEST_DRAWS, min(_MOST_DRAWS, _WEIGHTS // max(1, len(found))))
    judged = _Lines(
        ScoredLines(np.empty(0), found, line_keys(lines, seed)),
        bootstrap_weights(_clusters(lines), draws=draws, seed=seed),
    )
    thin = findings < least_findings
    drawn = {
        name: {each.path: each.drawn(one, judged) for each in measures}
        for name, one in contenders.items()
        if one is not None and not thin
    }
    unknown: Figures = {each.path: Estimate(math.nan, math.nan, math.nan, findings) for each in measures}

    def figures(name: str) -> Figures | None:
        if contenders[name] is None or thin:
            return None if contenders[name] is None else unknown
        return {path: figure.estimate for path, figure in drawn[name].items()}

    def differences(name: str) -> Figures | None:
        if contenders[name] is None or thin:
            return None if contenders[name] is None else unknown
        return {path: own.less(drawn[name][path]) for path, own in drawn[MODEL].items()}

    return RivalComparison(
        lines.height,
        findings,
        least_findings,
        {name: figures(name) for name in contenders},
        {name: differences(name) for name in contenders if name not in (MODEL, RANDOM)},
        measures,
    )


def at_random(lines: pl.DataFrame, base: float, *, seed: int) -> Contender:
    """A drawn order, and for each line the same probability `base`."""
    return Contender(line_keys(lines, seed + 1).astype(np.float64), np.full(lines.height, base))


def _clusters(lines: pl.DataFrame) -> IntArray:
    """What is drawn as a whole: days, or where they are few, parcels (lines,)."""
    name = "declared_on" if lines["declared_on"].n_unique() >= _FEWEST_DAYS else "declaration_id"
    return lines[name].rank("dense").cast(pl.Int64).to_numpy()


def _nested(figures: Figures | None) -> dict[str, Any] | None:
    if figures is None:
        return None
    nested: dict[str, Any] = {}
    for (*groups, last), figure in figures.items():
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        ends = (figure.value, figure.low, figure.high)
        place[last] = [end if math.isfinite(end) else None for end in ends]
    return nested
