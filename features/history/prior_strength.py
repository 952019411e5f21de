"""How strongly a hit rate of few inspections is pulled to that of the shorter key: learned by key.

Sellers differ from one another more than headings under one chapter do, and a key whose values differ much
should believe its own results sooner. With the values of a key drawn from a beta distribution around the rate
of the shorter key, its two first moments give the strength: rates of the key vary by so much more than those
of the shorter key, and the law of total variance leaves the rest to the values within it.

Only whole numbers are added up, so the order of rows does not matter and every process has the same bits.

Source: Kleinman 1973, "Proportions with Extraneous Variance: Single and Independent Samples", JASA 68(341).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numba
import numpy as np

from configs.schema.pipeline import HitRatesConfig
from features.arrays.types import IntArray, UInt64Array
from features.history.keys import KeySpec

# Of a longer table so many rows are enough; they are those with the lowest hashes, whatever the order.
SAMPLED_ROWS = 200_000
_UNIT = 2.0**20
# The configured strength counts as much as that many values of the key.
_VALUES_OF_PRIOR = 8.0
_HASHES = 2.0**64
_PROBES = 64


@dataclass(frozen=True)
class RateMoments:
    """Over values with at least two inspections, a line counting once: how many values there seem to be,
    their findings, their mean rate, and the variance of what their rates are.
    """

    values: float
    findings: float
    mean: float
    variance: float

    @classmethod
    def of(cls, inspected: IntArray, findings: IntArray) -> RateMoments:
        """The moments of counts by value, (values,) each."""
        lines, squares, found, pairs = _sums(inspected, findings)
        if not lines:
            return cls(0.0, 0.0, 0.0, 0.0)
        mean = found / lines
        # Of two lines of one value both are findings: unbiased for the square of its rate.
        variance = max(pairs / _UNIT / lines - mean * mean, 0.0)
        return cls(lines * (lines / squares), found, mean, variance)


def strengths(
    specs: Sequence[KeySpec], moments: Mapping[str, RateMoments], config: HitRatesConfig
) -> dict[str, float]:
    """By key, how many inspections the shorter key's hit rate weighs as much as."""
    nothing = RateMoments(0.0, 0.0, 0.0, 0.0)
    return {
        # All lines are one value: nothing says how much it differs from others.
        spec.name: _strength(moments[spec.name], moments.get(spec.backoff or "", nothing), config)
        if config.learn_smoothing and spec.columns
        else config.smoothing
        for spec in specs
    }


def _strength(own: RateMoments, shorter: RateMoments, config: HitRatesConfig) -> float:
    counts = min(own.values, own.findings)
    within = own.variance - shorter.variance
    most = config.most_smoothing
    binomial = own.mean * (1.0 - own.mean) - shorter.variance
    seen = binomial / within - 1.0 if within > 0.0 and binomial > within / most else most
    seen = min(max(seen, config.least_smoothing), most)
    share = counts / (counts + _VALUES_OF_PRIOR)
    return float(np.exp(share * np.log(seen) + (1.0 - share) * np.log(config.smoothing)))


def sampled(keys: UInt64Array) -> slice | IntArray:
    """The rows of a table of keys that its moments are taken of: all, or so many that do not depend on their
    order. Of a sorted table the rest is not read.
    """
    rows = len(keys)
    if rows <= SAMPLED_ROWS:
        return slice(0, rows)
    below = np.uint64(_HASHES * (SAMPLED_ROWS / rows))
    probes = keys[:: rows // _PROBES]
    if (probes[1:] >= probes[:-1]).all():
        return slice(0, int(np.searchsorted(keys, below)))
    return np.flatnonzero(keys < below)


@numba.njit(cache=True, nogil=True)
def _sums(inspected: IntArray, findings: IntArray) -> tuple[int, float, int, int]:
    lines, squares, found, pairs = 0, 0.0, 0, 0
    for row in range(inspected.shape[0]):
        count, hits = inspected[row], findings[row]
        if count >= 2:
            lines += count
            squares += count * count
            found += hits
            pairs += int(np.rint(hits * (hits - 1) / (count - 1) * _UNIT))
    return lines, squares, found, pairs
