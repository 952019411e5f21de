"""Sums by group, compiled: of integers and bitmaps only, so that the order of lines changes no bit."""

from __future__ import annotations

import numba
import numpy as np

from features.arrays.distinct import Distinct
from features.arrays.types import IntArray, UInt64Array


def lines_of(groups: Distinct) -> IntArray:
    """Lines (groups,) of each group."""
    return _sums(groups.groups, np.ones(len(groups.groups), dtype=np.int64), len(groups.firsts))


def sums_of(groups: Distinct, values: IntArray) -> IntArray:
    """Sum (groups,) of the values (lines,) of each group."""
    return _sums(groups.groups, values, len(groups.firsts))


def union_of(groups: Distinct, bitmaps: UInt64Array) -> UInt64Array:
    """Bitwise or (groups,) of the bitmaps (lines,) of each group."""
    return _unions(groups.groups, bitmaps, len(groups.firsts))


def distinct_parcels(groups: Distinct, parcels: IntArray) -> IntArray:
    """Distinct parcels (groups,) of each group; `parcels` (lines,) are numbers of parcels."""
    # No work where the lines of a parcel stand together, as they do in the store.
    order = np.argsort(parcels, kind="stable")
    return _parcels(groups.groups, parcels, order, len(groups.firsts))


@numba.njit(cache=True, nogil=True)
def _sums(groups: IntArray, values: IntArray, count: int) -> IntArray:
    sums = np.zeros(count, dtype=np.int64)
    for line in range(groups.shape[0]):
        if groups[line] >= 0:
            sums[groups[line]] += values[line]
    return sums


@numba.njit(cache=True, nogil=True)
def _unions(groups: IntArray, bitmaps: UInt64Array, count: int) -> UInt64Array:
    unions = np.zeros(count, dtype=np.uint64)
    for line in range(groups.shape[0]):
        if groups[line] >= 0:
            unions[groups[line]] |= bitmaps[line]
    return unions


@numba.njit(cache=True, nogil=True)
def _parcels(groups: IntArray, parcels: IntArray, order: IntArray, count: int) -> IntArray:
    newest = np.full(count, -1, dtype=np.int64)
    counts = np.zeros(count, dtype=np.int64)
    for line in order:
        group = groups[line]
        if group >= 0 and newest[group] != parcels[line]:
            newest[group] = parcels[line]
            counts[group] += 1
    return counts
