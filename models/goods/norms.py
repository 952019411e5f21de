"""What such goods usually cost and weigh: ridge regressions of logarithms on hashed words and categories.

False lines are few but far off: a second fit gives each line the less weight the farther it was from what the
part that has not seen it expected.

Sources: Hoerl and Kennard 1970, "Ridge Regression"; Huber 1964, "Robust Estimation of a Location Parameter".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from features.arrays.types import FloatArray, IntArray
from models.goods.lines import PARTS, learned_by

_PENALTY = 0.7
_STEPS = 25
_CLOSE = 1e-3
_FAR_SIGMAS = 2.0
MAD_OF_NORMAL = 1.4826
_FEWEST_LINES = 200


def fit_norms(
    matrix: Any, declared: FloatArray, weights: FloatArray, parts: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Coefficients (parts, columns) and intercepts (parts,) for one measure, NaN where too little is known.

    `matrix` is scipy CSR (lines, columns), `declared` (lines,) the logarithms, NaN where unknown.
    """
    coefficients = np.zeros((PARTS, matrix.shape[1]))
    middles = np.full(PARTS, np.nan)
    known = np.isfinite(declared)
    if known.sum() < _FEWEST_LINES:
        return coefficients, middles
    robust = weights
    for _ in range(2):
        expected = np.full(len(declared), np.nan)
        for part in range(PARTS):
            learned = learned_by(parts, part)
            learned = learned[known[learned]]
            if len(learned) == 0:
                continue
            coefficients[part], middles[part] = ridge(
                matrix[learned], declared[learned], robust[learned], coefficients[part]
            )
            mine = np.flatnonzero(parts == part)
            expected[mine] = matrix[mine] @ coefficients[part] + middles[part]
        robust = weights * _trust(declared - expected)
    return coefficients, middles


def ridge(
    matrix: Any, target: FloatArray, weights: FloatArray, start: FloatArray
) -> tuple[FloatArray, float]:
    """Coefficients (columns,) and intercept of a weighted ridge regression, by conjugate gradients.

    The intercept is the weighted mean of the target. No threads take part, so the bits are the same each
    time.
    """
    middle = float(np.sum(weights * target) / np.sum(weights))
    transposed = matrix.T.tocsr()
    diagonal = transposed.power(2) @ weights + _PENALTY
    wanted = transposed @ (weights * (target - middle))
    solution = start.copy()
    residual = wanted - transposed @ (weights * (matrix @ solution)) - _PENALTY * solution
    direction = residual / diagonal
    size = float(np.sum(residual * direction))
    enough = _CLOSE * _CLOSE * float(np.sum(wanted * wanted / diagonal))
    for _ in range(_STEPS):
        if size <= enough:
            break
        image = transposed @ (weights * (matrix @ direction)) + _PENALTY * direction
        step = size / float(np.sum(direction * image))
        solution += step * direction
        residual -= step * image
        scaled = residual / diagonal
        now = float(np.sum(residual * scaled))
        direction = scaled + (now / size) * direction
        size = now
    return solution, middle


def _trust(residuals: FloatArray) -> FloatArray:
    """Huber's weights (lines,): 1 up to two sigmas, then less in proportion; 1 where nothing is known."""
    known = np.isfinite(residuals)
    if not known.any():
        return np.ones(len(residuals))
    middle = np.median(residuals[known])
    away = np.abs(np.where(known, residuals - middle, 0.0))
    far = _FAR_SIGMAS * MAD_OF_NORMAL * max(float(np.median(away[known])), 1e-6)
    return np.minimum(1.0, far / np.maximum(away, far))
