"""Rankings of lines by a score: their order, what a capacity allows, and the areas under their curves.

Ties are broken by a drawn order that the key of the line and a seed determine, never by the order of the
rows, which often is that of time or of the office.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from features.arrays.types import BoolArray, FloatArray, IntArray, UInt64Array


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
