"""The type of a metric, and what it is computed from; `models.stats.metrics` holds those there are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from features.arrays.types import BoolArray, FloatArray, IntArray, UInt64Array
from models.stats.intervals import Estimate, bootstrap_interval
from models.stats.rankings import Areas, ranking


@dataclass(frozen=True)
class ScoredLines:
    """What a metric is computed from: for each line (lines,) its score, whether it was a finding, the order
    of ties and, where known, the tax that was recovered by it, CNY.
    """

    score: FloatArray
    found: BoolArray
    ties: UInt64Array
    recovered_cny: FloatArray | None = None

    @cached_property
    def areas(self) -> Areas:
        """The areas under the curves of the ranking."""
        return Areas.of(self.score, self.found)

    @cached_property
    def order(self) -> IntArray:
        """The lines from the highest score to the lowest."""
        return ranking(self.score, self.ties)


@dataclass(frozen=True)
class Metric:
    """A figure about scored lines.

    Attributes:
        name: what the configuration, MLflow and `Evaluation.figure` call it.
        title: what reports call it.
        draws: the figure (draws,) where each line counts as often as the weights (draws, lines) say.
        point: the figure where each counts once, with the findings that it rests on and, where
            `bootstrapped` is false, its interval. None where `draws` with weights of one says it as well.
        capacity: the share of lines that it looks at, None where it looks at all.
        judges: a ranking by any score, a probability, or a ranking by the money that findings bring.
        percent: whether reports show it in percent.
        headline: whether it is shown where there is room for a few.
        brief: whether a run in MLflow shows it for slices and baselines too.
    """

    name: str
    title: str
    draws: Callable[[ScoredLines, FloatArray], FloatArray]
    point: Callable[[ScoredLines], Estimate] | None = None
    capacity: float | None = None
    higher_is_better: bool = True
    judges: Literal["ranking", "probability", "money"] = "ranking"
    bootstrapped: bool = True
    percent: bool = False
    headline: bool = True
    brief: bool = True

    def estimate(self, lines: ScoredLines, weights: FloatArray) -> Estimate:
        """The figure with its 95% interval; `weights` (draws, lines) are those of the bootstrap."""
        if not self.bootstrapped:
            return self._point(lines)
        return self.drawn(lines, weights).estimate

    def difference(self, one: ScoredLines, other: ScoredLines, weights: FloatArray) -> Estimate:
        """The figure of one score minus that of another on the same lines, over the same draws."""
        return self.drawn(one, weights).less(self.drawn(other, weights))

    def drawn(self, lines: ScoredLines, weights: FloatArray) -> DrawnFigure:
        """The figure and its draws, for whoever compares one score with many others."""
        found = int(lines.found.sum())
        return DrawnFigure(self._point(lines), self.draws(lines, weights), found, self.bootstrapped)

    def gain(self, difference: Estimate) -> Estimate:
        """A difference, turned so that more is better."""
        if self.higher_is_better:
            return difference
        return Estimate(-difference.value, -difference.high, -difference.low, difference.findings)

    def _point(self, lines: ScoredLines) -> Estimate:
        if self.point is not None:
            return self.point(lines)
        value = float(self.draws(lines, np.ones(len(lines.score))))
        return Estimate(value, math.nan, math.nan, int(lines.found.sum()))


@dataclass(frozen=True)
class DrawnFigure:
    """A figure of one score, what it is on each draw of the lines (draws,), and findings among all of them.

    `bootstrapped` says whether its interval is that of the draws; where it is not, `point` has one.
    """

    point: Estimate
    draws: FloatArray
    findings: int
    bootstrapped: bool

    @property
    def estimate(self) -> Estimate:
        """The figure with its 95% interval."""
        if not self.bootstrapped:
            return self.point
        low, high = bootstrap_interval(self.draws)
        return replace(self.point, low=low, high=high)

    def less(self, other: DrawnFigure) -> Estimate:
        """This figure minus that of another score on the same draws of the same lines."""
        interval = bootstrap_interval(self.draws - other.draws)
        return Estimate(self.point.value - other.point.value, *interval, self.findings)
