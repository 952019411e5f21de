"""Past hit rates of any combination of columns for inspected lines, ordered in time.

A line of day D sees the results that were reported before D, decayed and smoothed towards the rate of a
shorter key, as the history's hit rates are; here for keys that the history does not count by, so that a
search can ask which of them would tell something.

Sources: Micci-Barreca 2001, "A Preprocessing Scheme for High-Cardinality Categorical Attributes";
Prokhorenkova et al. 2018, "CatBoost" (statistics ordered in time).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.arrays.hashing import combined_hashes
from features.arrays.types import BoolArray, FloatArray, IntArray, UInt64Array

PRIOR = 0.01
_LOWEST, _HIGHEST = 1e-4, 0.999


@dataclass(frozen=True)
class InspectedLines:
    """Inspected lines with a result for one risk, (lines,) each.

    `columns` are the hashes of the columns that keys are made of, 0 where a value is missing; `declared` and
    `known` count days; `chosen` is false where somebody already knew something when the line was chosen.
    """

    columns: Mapping[str, UInt64Array]
    declared: IntArray
    known: IntArray
    found: BoolArray
    chosen: BoolArray

    def varying(self) -> InspectedLines:
        """The same without columns that have one value."""
        columns = {name: values for name, values in self.columns.items() if len(np.unique(values)) > 1}
        return replace(self, columns=columns)

    def key(self, columns: Sequence[str]) -> UInt64Array:
        """The hash of a combination a line, 0 where a part is missing; 1 everywhere without columns."""
        if not columns:
            return np.ones(len(self.found), dtype=np.uint64)
        parts = [self.columns[name] for name in columns]
        return parts[0] if len(parts) == 1 else combined_hashes(parts)


@dataclass(frozen=True)
class KeyRates:
    """What the past says of each line's key, (lines,): its smoothed rate, and the decayed number of lines
    that were inspected before.
    """

    rate: FloatArray
    inspected: FloatArray

    @property
    def log_odds(self) -> FloatArray:
        """The rate as log-odds."""
        clipped = np.clip(self.rate, _LOWEST, _HIGHEST)
        return np.log(clipped / (1.0 - clipped))


def key_rates(
    lines: InspectedLines,
    columns: Sequence[str],
    prior: FloatArray | float,
    *,
    smoothing: float,
    half_life_days: float,
) -> KeyRates:
    """The rates of a combination, smoothed towards `prior` (lines,) or one number.

    A missing key and one that was never inspected have the rate of the prior.
    """
    key = lines.key(columns)
    _, group = np.unique(key, return_inverse=True)
    first, last = int(min(lines.declared.min(), lines.known.min())), int(lines.known.max()) + 2
    span = last - first + 1
    # One number orders results by key, then by the day on which they were known.
    reported = group * span + (lines.known - first)
    order = np.argsort(reported, kind="stable")
    weight = np.exp2((lines.known[order] - first) / half_life_days)
    sums = [np.concatenate([[0.0], np.cumsum(part)]) for part in (weight, weight * lines.found[order])]
    ordered = reported[order]
    begin = np.searchsorted(ordered, group * span, side="left")
    upto = np.searchsorted(ordered, group * span + (lines.declared - first), side="left")
    now = np.exp2((lines.declared - first) / half_life_days)
    inspected, findings = ((total[upto] - total[begin]) / now for total in sums)
    seen = (upto > begin) & (key != 0)
    inspected, findings = np.where(seen, inspected, 0.0), np.where(seen, findings, 0.0)
    return KeyRates((findings + smoothing * prior) / (inspected + smoothing), inspected)
