"""What results that have come in say about scores: findings over expectation, hit rates, lift, delay.

Lines here are those that chance or a score chose; what a tip or an officer chose depends on the outcome and
says nothing about either. Lines of one seller are alike, so counts are deflated by how much more than
independent lines they vary (`design_effect`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from features.arrays.types import BoolArray, FloatArray, IntArray
from models.stats.intervals import poisson_interval

Level = Literal["fine", "watch", "retrain"]
LEVELS: tuple[Level, ...] = ("fine", "watch", "retrain")
_LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure with the ends of its interval; NaN where it cannot be told."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """The figure by name."""
        return {"value": self.value, "low": self.low, "high": self.high}


UNKNOWN = Interval(math.nan, math.nan, math.nan)
"""Stands for a figure that would rest on too few findings."""


def design_effect(probability: FloatArray, found: BoolArray, cluster: IntArray) -> float:
    """How many times more the findings of whole clusters vary than those of independent lines, at least 1.

    The squared sums by cluster of what probabilities, brought to the level of the findings, leave over; on
    what independent lines would give. Kish 1965, "Survey Sampling", section 5.4.
    """
    if not found.any() or not probability.sum():
        return 1.0
    chance = np.minimum(probability * (found.sum() / probability.sum()), 1.0)
    _, place = np.unique(cluster, return_inverse=True)
    sums = np.bincount(place, weights=found - chance)
    independent = float((chance * (1.0 - chance)).sum())
    return max(1.0, float((sums**2).sum()) / independent) if independent > 0.0 else 1.0


def deflated_over_expected(
    observed: float, expected: float, *, effect: float = 1.0, level: float = _LEVEL
) -> Interval:
    """Findings over the sum of their probabilities, 1 where these mean what they say.

    The interval is that of a Poisson count (`models.stats.intervals.poisson_interval`), of counts deflated by
    the design effect.

    >>> found = deflated_over_expected(10, 20.0)
    >>> [round(number, 2) for number in (found.value, found.low, found.high)]
    [0.5, 0.24, 0.92]
    """
    if expected <= 0.0:
        return Interval(math.nan, 0.0, math.inf)
    low, high = (end * effect / expected for end in poisson_interval(observed / effect, level))
    return Interval(observed / expected, low, high)


@dataclass(frozen=True)
class HitRate:
    """Findings of what was examined; both may be effective numbers, which are not whole ones."""

    examined: float
    findings: float

    @property
    def rate(self) -> float:
        """The share of findings, NaN where nothing was examined."""
        return self.findings / self.examined if self.examined else math.nan

    def interval(self, level: float = _LEVEL) -> Interval:
        """The share with Wilson's interval."""
        if not self.examined:
            return Interval(math.nan, 0.0, 1.0)
        z2 = _normal(level) ** 2
        middle = (self.rate + z2 / (2 * self.examined)) / (1 + z2 / self.examined)
        half = math.sqrt(z2) / (1 + z2 / self.examined)
        half *= math.sqrt(max(0.0, self.rate * (1 - self.rate)) / self.examined + z2 / (4 * self.examined**2))
        # At the ends of the scale rounding would leave a trace.
        low = max(0.0, middle - half) if self.findings else 0.0
        return Interval(self.rate, low, min(1.0, middle + half) if self.findings < self.examined else 1.0)


def weighted_hit_rate(found: BoolArray, probability: FloatArray) -> HitRate:
    """The hit rate among all parcels, estimated from those that were drawn with these probabilities.

    Hajek's ratio of sums weighted by 1/p, on Kish's effective number (sum of w)^2 / sum of w^2.

    >>> weighted_hit_rate(np.array([True, False]), np.array([0.5, 0.25])).rate
    0.3333333333333333
    """
    if not len(found):
        return HitRate(0.0, 0.0)
    weight = 1.0 / probability
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    return HitRate(effective, effective * float((weight * found).sum() / weight.sum()))


def ratio(ours: HitRate, theirs: HitRate, level: float = _LEVEL) -> Interval:
    """One hit rate over another, with Katz's interval on the log scale, half a finding added to each.

    Source: Katz, Baptista, Azen, Pike 1978, "Obtaining Confidence Intervals for the Risk Ratio".

    >>> found = ratio(HitRate(100, 40), HitRate(100, 10))
    >>> [round(number, 1) for number in (found.value, found.low, found.high)]
    [4.0, 2.1, 7.2]
    """
    if not ours.examined or not theirs.examined:
        return Interval(math.nan, 0.0, math.inf)
    shares = [(side.findings + 0.5) / (side.examined + 0.5) for side in (ours, theirs)]
    spread = math.sqrt(sum(1 / (side.findings + 0.5) - 1 / (side.examined + 0.5) for side in (ours, theirs)))
    middle, half = math.log(shares[0] / shares[1]), _normal(level) * spread
    value = ours.rate / theirs.rate if theirs.findings else math.nan
    return Interval(value, math.exp(middle - half), math.exp(middle + half))


@dataclass(frozen=True)
class Delay:
    """Days until results came: the newest week's against those of the weeks before.

    `chance` is how likely a difference towards later would be if nothing had changed (Mann and Whitney 1947).
    """

    recent: int
    earlier: int
    median: float
    late: float
    median_before: float
    late_before: float
    chance: float

    @property
    def longer_by(self) -> float:
        """Days by which the middle has moved."""
        return self.median - self.median_before

    def as_dict(self) -> dict[str, Any]:
        """The figures by name; `late` is the 90th percentile."""
        return {
            "results": self.recent,
            "results_before": self.earlier,
            "median_days": self.median,
            "p90_days": self.late,
            "median_days_before": self.median_before,
            "p90_days_before": self.late_before,
            "chance": self.chance,
        }


def delay(recent: FloatArray, earlier: FloatArray) -> Delay:
    """Compare the days that results of the newest week took (results,) with those of the weeks before."""
    from scipy.stats import mannwhitneyu

    chance = 1.0
    if len(recent) and len(earlier) and len(np.unique(np.concatenate([recent, earlier]))) > 1:
        chance = float(mannwhitneyu(recent, earlier, alternative="greater", method="asymptotic").pvalue)
    middle, late, middle_before, late_before = (
        float(np.quantile(days, level)) if len(days) else math.nan
        for days in (recent, earlier)
        for level in (0.5, 0.9)
    )
    return Delay(len(recent), len(earlier), middle, late, middle_before, late_before, chance)


@dataclass(frozen=True)
class Newcomers:
    """Lines of parties or goods never seen before: the share on a day and on the days before it.

    `limit` is the share that is exceeded only as often as was allowed where nothing has changed.
    """

    lines: int
    share: float
    share_before: float
    limit: float

    @property
    def alarms(self) -> bool:
        """Whether there are more than chance and ordinary days explain."""
        return self.share > self.limit


def newcomers(lines: IntArray, new: IntArray, false_alarm_rate: float) -> Newcomers:
    """The last day against the days before it; `lines` and how many of them are `new`, by day (days,).

    Days differ by more than chance: the limit is a prediction interval by Student's t for a share whose
    variance is the binomial one times what Pearson's chi-square of the earlier days says, at least 1.
    """
    from scipy.stats import t

    before = lines[:-1].sum()
    share, level = (float(new[-1] / lines[-1]) if lines[-1] else math.nan), math.nan
    limit = 1.0
    if before and lines[-1]:
        level = float(new[:-1].sum() / before)
        days, variance = int((lines[:-1] > 0).sum()), level * (1.0 - level)
        if variance > 0.0 and days > 1:
            kept = lines[:-1] > 0
            off = (new[:-1][kept] - lines[:-1][kept] * level) ** 2 / (lines[:-1][kept] * variance)
            spread = max(1.0, float(off.sum()) / (days - 1))
            half = math.sqrt(spread * variance * (1.0 / lines[-1] + 1.0 / before))
            limit = min(1.0, level + float(t.ppf(1.0 - false_alarm_rate, days - 1)) * half)
    return Newcomers(int(lines[-1]), share, level, limit)


def _normal(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf((1.0 + level) / 2.0))
