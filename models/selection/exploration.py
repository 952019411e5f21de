"""Draws the parcels that would teach the models most, with known chances.

Chances are in proportion to how unsure a parcel's expected value is. A random start and equal steps through
the parcels in the order of their lots give each exactly its chance: systematic sampling with unequal
probabilities from a list in random order. Source: Hartley and Rao, "Sampling with unequal probabilities and
without replacement", Annals of Mathematical Statistics 33 (1962). To choose by uncertainty and value is
what Kim and others call bATE ("Active learning for human-in-the-loop customs inspection", IEEE TKDE 2022),
there without known chances.
"""

from __future__ import annotations

import numpy as np

from features.arrays.types import FloatArray, IntArray, UInt64Array

STEPS_OF_A_CNY = 1000
_MOST_STEPS = 2**40


def weights_of(unsureness_cny: FloatArray) -> IntArray:
    """Whole numbers in proportion to the unsureness (parcels,), so that sums do not depend on their order;
    0 where it is unknown. What is unsure by less than a thousandth of a CNY, but by something, counts as
    that.

    >>> weights_of(np.array([0.0, 1.5, np.nan, 1e-9])).tolist()
    [0, 1500, 0, 1]
    """
    steps = np.nan_to_num(unsureness_cny, nan=0.0, posinf=_MOST_STEPS) * STEPS_OF_A_CNY
    return np.minimum(np.ceil(steps), _MOST_STEPS).astype(np.int64)


def chances(weights: IntArray, count: int) -> FloatArray:
    """Chances (parcels,) in proportion to the weights, none above 1, their sum `count` or as many as have a
    weight.

    >>> chances(np.array([6, 1, 1, 0]), 2).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    result = np.zeros(len(weights))
    certain = np.zeros(len(weights), dtype=np.bool_)
    left = min(count, int((weights > 0).sum()))
    while left > 0:
        total = int(weights[~certain].sum())
        too_heavy = ~certain & (weights > 0) & (weights * left >= total)
        if not too_heavy.any():
            result[~certain] = weights[~certain] * left / total
            break
        certain |= too_heavy
        left = min(count, int((weights > 0).sum())) - int(certain.sum())
    result[certain] = 1.0
    return result


def draw(lots: UInt64Array, weights: IntArray, count: int, start: float) -> tuple[IntArray, FloatArray]:
    """Draw `count` parcels (or as many as have a weight): their positions, and their chances.

    Args:
        lots: the lot of each parcel (parcels,); only their order matters.
        weights: from `weights_of` (parcels,).
        count: how many.
        start: where in the first step the draw begins, in [0, 1): the only thing that is random, given the
        lots.
    """
    by_lot = np.argsort(lots, kind="stable")
    by_lot = by_lot[weights[by_lot] > 0]
    chance = chances(weights[by_lot], count)
    certain = chance >= 1.0
    ends = np.cumsum(chance[~certain])
    steps = round(float(ends[-1])) if len(ends) else 0
    # The sum is a whole number but for the last bits: the last step must not fall behind the last parcel.
    hit = np.searchsorted(
        ends, (start + np.arange(steps)) * (ends[-1] / steps if steps else 1.0), side="right"
    )
    drawn = np.sort(np.concatenate([np.flatnonzero(certain), np.flatnonzero(~certain)[hit]]))
    return by_lot[drawn].astype(np.int64), chance[drawn]
