"""Sets of 64-bit hashes as arrays that ascend: eight bytes each, and fast to compare."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from features.arrays.types import BoolArray, UInt64Array


def contains(known: UInt64Array, values: UInt64Array) -> BoolArray:
    """Which values are among the known ones, which ascend.

    >>> contains(np.array([2, 5], dtype=np.uint64), np.array([5, 1, 9], dtype=np.uint64)).tolist()
    [True, False, False]
    """
    if not len(known):
        return np.zeros(len(values), dtype=np.bool_)
    # In their order, the look-ups go through a large table once instead of jumping about in it.
    order = np.argsort(values)
    ascending = values[order]
    places = np.searchsorted(known, ascending)
    places[places == len(known)] = 0
    matches = np.empty(len(values), dtype=np.bool_)
    matches[order] = known[places] == ascending
    return matches


def sorted_union(parts: Sequence[UInt64Array]) -> UInt64Array:
    """The distinct values of several arrays, ascending."""
    return np.unique(np.concatenate([np.empty(0, dtype=np.uint64), *parts]))


def have_common(one: UInt64Array, other: UInt64Array) -> bool:
    """Whether two arrays, which ascend, have a value in common.

    >>> have_common(np.array([2, 5], dtype=np.uint64), np.array([1, 5, 9], dtype=np.uint64))
    True
    """
    few, many = sorted((one, other), key=len)
    places = np.searchsorted(many, few)
    return bool((many[np.minimum(places, len(many) - 1)] == few).any()) if len(few) else False
