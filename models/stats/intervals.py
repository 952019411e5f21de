"""Estimates with 95% intervals: Wilson's of a share, Garwood's of a count, and a bootstrap over days.

Lines of a day share sellers, lots and inspectors and are not independent, so whole days are drawn again.

Sources: Wilson 1927, "Probable Inference"; Garwood 1936, "Fiducial Limits for the Poisson Distribution";
Davison and Hinkley 1997, "Bootstrap Methods", section 3.8 (clusters).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from configs.language import ENGLISH, Language
from features.arrays.types import BoolArray, FloatArray, IntArray


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


def too_few(findings: int, words: Language = ENGLISH) -> str:
    """What stands in the place of a figure that would rest on so few findings that it is none.

    >>> too_few(1)
    'too few findings (1)'
    """
    return words("too few findings ({findings:,})", findings=findings)


def wilson(findings: int, lines: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share; (0, 1) where there are no lines.

    >>> [round(end, 3) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    from scipy.stats import binomtest  # takes long to import

    if lines == 0:
        return 0.0, 1.0
    ends = binomtest(findings, lines).proportion_ci(method="wilson")
    return float(ends.low), float(ends.high)


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


def bootstrap_interval(draws: FloatArray) -> tuple[float, float]:
    """The middle 95% of bootstrap draws, draws without a value left out; (NaN, NaN) where none has one."""
    kept = draws[np.isfinite(draws)]
    if len(kept) == 0:
        return math.nan, math.nan
    low, high = np.quantile(kept, [0.025, 0.975])
    return float(low), float(high)
