"""Figures about a ranking, with intervals: precision, recall, lift at a capacity, AUC, average precision.

Ties are broken by a drawn order that the key of the line and a seed determine, never by the order of the
rows, which often is that of time or of the office. Precision and recall have Wilson's interval; areas have
a bootstrap over days, because lines of a day share sellers, lots and inspectors and are not independent.

Sources: Wilson 1927, "Probable Inference"; Davison and Hinkley 1997, "Bootstrap Methods", section 3.8
(clusters).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from features.arrays.types import BoolArray, FloatArray, IntArray, UInt64Array

_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A figure, its 95% interval, and the number of findings that it rests on."""

    value: float
    low: float
    high: float
    findings: int

    def as_metrics(self, name: str) -> dict[str, float]:
        """The figure, `_low`, `_high` and `_findings` as flat metrics; NaN is left out."""
        named = {
            name: self.value,
            f"{name}_low": self.low,
            f"{name}_high": self.high,
            f"{name}_findings": self.findings,
        }
        return {key: float(number) for key, number in named.items() if math.isfinite(number)}


def wilson(found: int, drawn: int) -> tuple[float, float]:
    """95% interval of a share; (0, 1) where nothing was drawn.

    >>> [round(end, 3) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    if drawn == 0:
        return 0.0, 1.0
    z2 = _NORMAL_95**2
    share = found / drawn
    middle = (share + z2 / (2 * drawn)) / (1 + z2 / drawn)
    half = _NORMAL_95 / (1 + z2 / drawn) * math.sqrt(share * (1 - share) / drawn + z2 / (4 * drawn**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def observed_over_expected(probability: FloatArray, found: BoolArray) -> Estimate:
    """Findings over the sum of the probabilities (lines,), with the exact interval of a Poisson count; NaN
    where nothing was expected.

    Source: Garwood 1936, "Fiducial Limits for the Poisson Distribution".

    >>> ratio = observed_over_expected(np.full(100, 0.1), np.arange(100) < 10)
    >>> ratio.value, round(ratio.low, 2), round(ratio.high, 2)
    (1.0, 0.48, 1.84)
    """
    findings, expected = int(found.sum()), math.fsum(probability)
    if expected <= 0.0:
        return Estimate(math.nan, math.nan, math.nan, findings)
    low, high = poisson_interval(findings)
    return Estimate(findings / expected, low / expected, high / expected, findings)


def poisson_interval(count: float, level: float = 0.95) -> tuple[float, float]:
    """Interval of the mean behind a count, which need not be whole (an effective one): Garwood's, exact.

    >>> [round(end, 2) for end in poisson_interval(10)]
    [4.8, 18.39]
    """
    from scipy.stats import chi2

    tail = (1.0 - level) / 2.0
    low = float(chi2.ppf(tail, 2.0 * count)) / 2.0 if count > 0 else 0.0
    return low, float(chi2.ppf(1.0 - tail, 2.0 * (count + 1.0))) / 2.0


def ranking(score: FloatArray, tie_break: UInt64Array) -> IntArray:
    """Places of the lines from the highest score to the lowest; NaN last, equal scores by `tie_break`.

    >>> ranking(np.array([0.1, np.nan, 0.9]), np.array([1, 2, 3], dtype=np.uint64)).tolist()
    [2, 0, 1]
    """
    order: IntArray = np.lexsort((tie_break, np.where(np.isnan(score), np.inf, -score)))
    return order


def capacity_lines(share: float, lines: int) -> int:
    """How many lines a capacity allows: at least one, rounded up."""
    return min(lines, max(1, math.ceil(share * lines - 1e-9)))


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
    precision, base = (
        precision_at(found_ranked, drawn),
        float(found_ranked.mean()) if len(found_ranked) else 0.0,
    )
    if base == 0.0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    return Estimate(precision.value / base, precision.low / base, precision.high / base, precision.findings)


@dataclass(frozen=True)
class Areas:
    """Average precision and AUC of a score under any weights of its lines; ties count as one step."""

    order: IntArray
    last_of_step: IntArray
    found: FloatArray

    @classmethod
    def of(cls, score: FloatArray, found: BoolArray) -> Areas:
        """Sort once, evaluate often. NaN scores come last, as one step."""
        filled = np.where(np.isnan(score), -np.inf, score)
        order: IntArray = np.argsort(-filled, kind="stable")
        ranked = filled[order]
        last = (
            np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
            if len(ranked)
            else np.empty(0, np.int64)
        )
        return cls(order, last, found[order].astype(np.float64))

    def _steps(self, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
        weighted = weight[..., self.order]
        hits = np.cumsum(weighted * self.found, axis=-1)[..., self.last_of_step]
        return hits, np.cumsum(weighted, axis=-1)[..., self.last_of_step]

    def average_precision(self, weight: FloatArray) -> FloatArray:
        """Sum over steps of precision x gain in recall, NaN without findings.

        `weight` is (lines,) or (draws, lines).
        """
        if len(self.order) == 0:
            return np.full(weight.shape[:-1], np.nan)
        hits, drawn = self._steps(weight)
        gain = np.diff(hits, axis=-1, prepend=0.0)
        precision = np.divide(hits, drawn, out=np.zeros_like(hits), where=drawn > 0)
        total = hits[..., -1]
        return np.where(total > 0, (precision * gain).sum(axis=-1) / np.where(total > 0, total, 1.0), np.nan)

    def auc(self, weight: FloatArray) -> FloatArray:
        """Chance that a finding scores above another line, half for ties; NaN where one kind is missing."""
        if len(self.order) == 0:
            return np.full(weight.shape[:-1], np.nan)
        hits, drawn = self._steps(weight)
        misses = drawn - hits
        gain = np.diff(misses, axis=-1, prepend=0.0)
        area = (gain * (hits - np.diff(hits, axis=-1, prepend=0.0) / 2)).sum(axis=-1)
        pairs = hits[..., -1] * misses[..., -1]
        return np.where(pairs > 0, area / np.where(pairs > 0, pairs, 1.0), np.nan)


def average_precision_by_chance(findings: int, lines: int) -> float:
    """Mean average precision of all orders of the lines; above the share of findings where lines are few.

    The first k of n lines hold 1 + (k - 1)(m - 1)/(n - 1) of m findings on average where the k-th is one.

    >>> round(average_precision_by_chance(1, 2), 3), round(average_precision_by_chance(5, 222), 3)
    (0.75, 0.045)
    """
    if lines == 0 or findings == 0:
        return math.nan
    place = np.arange(1, lines + 1)
    held = 1.0 + (place - 1) * (findings - 1) / max(lines - 1, 1)
    return float((held / place).sum() / lines)


def bootstrap_weights(cluster: IntArray, *, draws: int, seed: int) -> FloatArray:
    """How often each line is drawn, (draws, lines), when whole clusters (days) are drawn with replacement.

    With fewer than eight clusters days are too few to draw from, and single lines are drawn instead.
    """
    rng = np.random.default_rng(seed)
    clusters, place = np.unique(cluster, return_inverse=True)
    if len(clusters) < 8:
        clusters, place = np.arange(len(cluster)), np.arange(len(cluster))
    if len(clusters) == 0:
        return np.zeros((draws, 0))
    drawn = rng.multinomial(len(clusters), np.full(len(clusters), 1.0 / len(clusters)), size=draws)
    return drawn[:, place].astype(np.float64)


def interval(draws: FloatArray) -> tuple[float, float]:
    """The middle 95% of bootstrap draws, draws without a value left out; (NaN, NaN) where none has one."""
    kept = draws[np.isfinite(draws)]
    if len(kept) == 0:
        return math.nan, math.nan
    low, high = np.quantile(kept, [0.025, 0.975])
    return float(low), float(high)
