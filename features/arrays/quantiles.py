"""Quantiles of histograms by key, compiled."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from features.arrays.types import FloatArray, IntArray, UInt64Array

BIN_WIDTH = 0.1
_SIGMA_OF_IQR = 1.0 / 1.349


@numba.njit(cache=True, nogil=True)
def quantiles_of(
    places: IntArray,
    keys: UInt64Array,
    bins: npt.NDArray[np.int16],
    counts: IntArray,
    weights: FloatArray,
    least: float,
) -> FloatArray:
    """Lines ever, median and interquartile range / 1.349 (3, keys); NaN where the weights add up to less than
    `least`.

    `places` (keys,) is the first place of a key in the sketch, negative where it has none; `keys`, `bins`,
    `counts` and `weights` (places,) are the sketch in the order of key and bin. Weights are added up from the
    lowest bin, so the result does not depend on which other keys are there.
    """
    figures = np.full((3, places.shape[0]), np.nan)
    for row in range(places.shape[0]):
        first = places[row]
        if first < 0:
            continue
        end, lines, total = first, 0, 0.0
        while end < keys.shape[0] and keys[end] == keys[first]:
            total += weights[end]
            lines += counts[end]
            end += 1
        if not total >= least:
            continue
        low = _quantile(0.25, first, end, total, bins, weights)
        high = _quantile(0.75, first, end, total, bins, weights)
        figures[0, row] = lines
        figures[1, row] = _quantile(0.5, first, end, total, bins, weights)
        figures[2, row] = (high - low) * _SIGMA_OF_IQR
    return figures


@numba.njit(cache=True, nogil=True)
def _quantile(
    share: float, first: int, end: int, total: float, bins: npt.NDArray[np.int16], weights: FloatArray
) -> float:
    """Interpolates within the bin in which the cumulated weight passes `share` of the total."""
    target = total * share
    upto = 0.0
    for place in range(first, end):
        upto += weights[place]
        if upto >= target:
            inside = (target - (upto - weights[place])) / weights[place]
            return float((bins[place] + inside) * BIN_WIDTH)
    return np.nan


@numba.njit(cache=True, nogil=True)
def take_first(quantiles: FloatArray, groups: IntArray, level: float, figures: FloatArray) -> None:
    """Copy the quantiles and level of each line's key to `figures` (4, lines) where it has none yet."""
    for line in range(groups.shape[0]):
        group = groups[line]
        if group >= 0 and np.isnan(figures[0, line]) and not np.isnan(quantiles[0, group]):
            for part in range(3):
                figures[part, line] = quantiles[part, group]
            figures[3, line] = level
