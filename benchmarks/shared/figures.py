"""How good a score is on all lines of some days, beside another one, with intervals.

Sellers are drawn with replacement, all their lines at once: what a seller does today it did yesterday, and
lines of one seller say less than as many of different ones. The same draws go through every score, so that
the interval of a ratio is that of the pair.

Source: Davison and Hinkley 1997, "Bootstrap Methods", sections 2.4 and 3.8 (clusters).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from features.arrays.types import BoolArray, FloatArray, IntArray, UInt64Array
from models.risk.calibration import calibration_noise, expected_calibration_error
from models.stats.intervals import bootstrap_interval
from models.stats.rankings import Areas

DRAWS = 300
TOP = 0.01
_AT_ONCE = 20


@dataclass(frozen=True)
class Figure:
    """A figure and its 95% interval."""

    value: float
    low: float
    high: float

    def as_list(self) -> list[float]:
        """The three numbers, for JSON."""
        return [self.value, self.low, self.high]


@dataclass(frozen=True)
class Level:
    """How sure the mean probability is: the findings that it rests on, and how far (relative) the share of
    findings moves from week to week beyond that. None at all: taken for known.
    """

    findings: float = 0.0
    spread: float = 0.0

    def drawn(self, rng: np.random.Generator) -> FloatArray:
        """What the level may be, relative to what it was set to (DRAWS,)."""
        shapes = [shape for shape in (self.findings, self.spread and self.spread**-2) if shape > 0.0]
        return np.prod([rng.gamma(shape, 1.0 / shape, DRAWS) for shape in shapes] or [np.ones(DRAWS)], axis=0)


@dataclass(frozen=True)
class Draws:
    """The clusters of the lines (lines,), and how often each is drawn: the same for every figure."""

    place: IntArray
    clusters: int
    seed: int

    @classmethod
    def of(cls, seller: pl.Series, parcel: pl.Series, seed: int) -> Draws:
        """By seller; a parcel without one stands for itself."""
        names = seller.fill_null("\x1f" + parcel)
        place = names.rank("dense").to_numpy().astype(np.int64) - 1
        return cls(place, int(place.max()) + 1 if len(place) else 0, seed)

    def weights(self) -> Iterator[FloatArray]:
        """Some draws at a time, (draws, lines), to spare the memory; the first one is every line once."""
        yield np.ones((1, len(self.place)))
        rng = np.random.default_rng(self.seed)
        for start in range(0, DRAWS, _AT_ONCE):
            many = min(_AT_ONCE, DRAWS - start)
            drawn = rng.multinomial(self.clusters, np.full(self.clusters, 1.0 / self.clusters), size=many)
            yield drawn[:, self.place].astype(np.float64)


Statistic = Callable[[FloatArray], FloatArray]
"""From weights (draws, lines) to a figure for each draw (draws,)."""


def figures(draws: Draws, statistics: Mapping[str, Statistic]) -> dict[str, FloatArray]:
    """Every statistic on all draws, (1 + draws,): first the figure itself, then what was drawn."""
    parts: dict[str, list[FloatArray]] = {name: [] for name in statistics}
    for weight in draws.weights():
        for name, statistic in statistics.items():
            parts[name].append(statistic(weight))
    return {name: np.concatenate(values) for name, values in parts.items()}


def figure(values: FloatArray) -> Figure:
    """The figure with its interval, from what `figures` returned."""
    return Figure(float(values[0]), *bootstrap_interval(values[1:]))


def ratio(above: FloatArray, below: FloatArray) -> Figure:
    """One figure over another on the same draws; NaN where the other is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return figure(np.where(below > 0, above / below, np.nan))


def average_precision(score: FloatArray, found: BoolArray) -> Statistic:
    """Average precision; ties are one step."""
    return Areas.of(score, found).average_precision


def auc(score: FloatArray, found: BoolArray) -> Statistic:
    """Area under the ROC curve."""
    return Areas.of(score, found).auc


def precision_at_top(
    score: FloatArray, found: BoolArray, tie_break: UInt64Array, top: float = TOP
) -> Statistic:
    """Share of findings among the top `top` of the drawn lines."""
    return _share_of_top(score, found.astype(np.float64), tie_break, top, per_line=True)


def sum_at_top(score: FloatArray, amount: FloatArray, tie_break: UInt64Array, top: float = TOP) -> Statistic:
    """Share of the whole amount that the top `top` of the drawn lines holds."""
    return _share_of_top(score, amount, tie_break, top, per_line=False)


def _share_of_top(
    score: FloatArray, amount: FloatArray, tie_break: UInt64Array, top: float, *, per_line: bool
) -> Statistic:
    order = np.lexsort((tie_break, -score))

    def share(weight: FloatArray) -> FloatArray:
        ranked = weight[:, order]
        allowed = np.maximum(np.ceil(top * ranked.sum(axis=1, keepdims=True) - 1e-9), 1.0)
        before = np.cumsum(ranked, axis=1) - ranked
        kept = np.clip(allowed - before, 0.0, ranked)
        total = kept.sum(axis=1) if per_line else weight @ amount
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(total > 0, (kept @ amount[order]) / total, np.nan))

    return share


def calibration(
    probability: FloatArray, recorded: BoolArray, draws: Draws, seed: int, level: Level
) -> dict[str, Any]:
    """What was said over what inspections of all lines would record; the error by bins beside noise alone.

    The mean probability is an estimate as well, and about other weeks: `level` says how sure it is. `ratio`
    has the interval of both, `ratio_of_lines` that of the later lines alone.
    """
    said = figures(
        draws,
        {"said": lambda weight: weight @ probability, "recorded": lambda weight: weight @ recorded},
    )
    moved = np.concatenate([[1.0], level.drawn(np.random.default_rng(seed))])
    return {
        "ratio": ratio(said["said"] * moved, said["recorded"]).as_list(),
        "ratio_of_lines": ratio(said["said"], said["recorded"]).as_list(),
        "level_findings": level.findings,
        "level_spread": level.spread,
        "recorded": int(recorded.sum()),
        "expected": float(probability.sum()),
        "error": expected_calibration_error(probability, recorded),
        "noise": calibration_noise(probability, seed=seed),
    }
