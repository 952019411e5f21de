"""Where the trees start: log-odds from the past findings of every combination and from what the text says.

A risk has some hundred findings and some thirty hit rates that overlap: seller, seller × heading, heading ×
origin × dispatch, article. A tree spends a split on one of them at a time and has too few findings for many
splits. A linear model with a strong penalty weighs all of them at once, which combinations tell something and
how far; the trees go on from there and learn what is left.

Sources: Hastie, Tibshirani, Friedman 2009, "The Elements of Statistical Learning", 3.4.1 (ridge) and 10.3
(forward stagewise additive modelling).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from features.arrays.types import BoolArray, Float32Array, FloatArray

_RATE_BLOCK, _RATE_END = "hit_rate__", "_rate"
_TEXT_SCORE = "model__text_score"
# Inverse strength of the penalty, on columns of unit variance.
_C = 0.03
_LOWEST, _HIGHEST = 1e-4, 0.999
_LEAST_FINDINGS = 10


@dataclass(frozen=True)
class LinearStart:
    """Places of the columns in the matrix, whether each is a rate (and enters as its log-odds), what is taken
    off and the weight per unit; a missing value adds nothing.
    """

    places: tuple[int, ...]
    is_rate: tuple[bool, ...]
    means: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def parts(self, values: Float32Array) -> FloatArray:
        """What each column adds to the log-odds of each line, (lines, columns used)."""
        out = np.empty((len(values), len(self.places)), dtype=np.float64)
        for number, place in enumerate(self.places):
            out[:, number] = self._part(number, values[:, place])
        return out

    def __call__(self, values: Float32Array) -> FloatArray:
        """Log-odds a line (lines,) for matrix values (lines, columns)."""
        return self.of_columns((values[:, place] for place in self.places), len(values))

    def of_columns(self, columns: Iterable[Float32Array], lines: int) -> FloatArray:
        """Log-odds a line (lines,) for the columns (lines,) at `places`, one after the other."""
        total = np.full(lines, self.intercept, dtype=np.float64)
        # Column by column: the sum of a row then never depends on how many rows there are.
        for number, column in enumerate(columns):
            total += self._part(number, column)
        return total

    def _part(self, number: int, column: Float32Array) -> FloatArray:
        out = np.empty(len(column), dtype=np.float64)
        given = np.ascontiguousarray(column, dtype=np.float64)
        _part(given, self.is_rate[number], self.means[number], self.weights[number], out)
        return out

    def as_dict(self) -> dict[str, Any]:
        """The start as JSON can hold it."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> LinearStart:
        """The start that `as_dict` wrote."""
        lists = {name: tuple(stored[name]) for name in ("places", "is_rate", "means", "weights")}
        return cls(**lists, intercept=float(stored["intercept"]))


def fit_start(values: Float32Array, columns: Sequence[str], found: BoolArray) -> LinearStart | None:
    """Fit on inspected lines: `values` (lines, columns), whose text scores come from models without the line.

    None where there are no such columns, fewer than 10 findings, or nothing but findings.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    findings = int(found.sum())
    chosen = [place for place, name in enumerate(columns) if says_how_often(name)]
    if findings < _LEAST_FINDINGS or findings == len(found):
        return None
    is_rate = np.array([_is_rate(columns[place]) for place in chosen], dtype=np.bool_)
    given = values[:, chosen].astype(np.float64)
    given[:, is_rate] = _log_odds(given[:, is_rate])
    known = np.isfinite(given)
    lines = known.sum(axis=0)
    means = np.where(known, given, 0.0).sum(axis=0) / np.maximum(lines, 1)
    centred = np.where(known, given - means, 0.0)
    scales = np.sqrt((centred**2).sum(axis=0) / np.maximum(lines, 1))
    used = np.flatnonzero(scales > 1e-9)
    if not len(used):
        return None
    # One thread: the order in which several add up would be seen in the last bits of the weights.
    with threadpool_limits(limits=1):
        model = LogisticRegression(C=_C, max_iter=2000).fit(centred[:, used] / scales[used], found)
    return LinearStart(
        tuple(chosen[place] for place in used),
        tuple(bool(is_rate[place]) for place in used),
        tuple(float(mean) for mean in means[used]),
        tuple(float(weight) for weight in model.coef_[0] / scales[used]),
        float(model.intercept_[0]),
    )


def says_how_often(column: str) -> bool:
    """Whether a column of the matrix is a hit rate or the text score: what past findings say of a line.

    >>> says_how_often("hit_rate__seller_rate"), says_how_often("hit_rate__seller_inspected")
    (True, False)
    """
    return _is_rate(column) or column == _TEXT_SCORE


def _is_rate(name: str) -> bool:
    return name.startswith(_RATE_BLOCK) and name.endswith(_RATE_END)


def _log_odds(rates: FloatArray) -> FloatArray:
    clipped = np.clip(rates, _LOWEST, _HIGHEST)
    return np.log(clipped / (1.0 - clipped))


@numba.njit(cache=True, nogil=True)
def _part(values: FloatArray, is_rate: bool, mean: float, weight: float, out: FloatArray) -> None:
    # Scalar loops: the vectorised logarithm of numpy need not agree with itself at the end of a batch.
    for row in range(values.shape[0]):
        value = values[row]
        if np.isnan(value):
            out[row] = 0.0
            continue
        if is_rate:
            clipped = min(max(value, _LOWEST), _HIGHEST)
            value = np.log(clipped / (1.0 - clipped))
        out[row] = weight * (value - mean)
