"""Which rows of some columns are the same, compiled: what costs much a row is worked out once for equal rows.

Two rows are the same where their bytes are, not where their hashes are: whoever writes a declaration could
make two texts with one hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.hashing import mix_bits, text_hashes, utf8_buffers
from features.arrays.types import IntArray, UInt64Array


@dataclass(frozen=True)
class Distinct:
    """`firsts` (groups,): the first row of each group, in the order of the rows. `groups` (rows,): the group
    of each row; -1 where it has none."""

    firsts: IntArray
    groups: IntArray

    def spread(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A row of `frame` for each group becomes one for each row; every row must have a group."""
        return frame.select(pl.all().gather(self.groups))


def distinct_rows(frame: pl.DataFrame, columns: Sequence[str]) -> Distinct:
    """Groups of rows that hold the same in all text `columns`; null is a value like any other.

    Raises ValueError where no column is given.
    """
    if not columns:
        raise ValueError("expected at least one column to tell rows apart by")
    same = distinct_text(frame[columns[0]])
    for name in columns[1:]:
        other = distinct_text(frame[name])
        same = distinct_pairs(*((groups.groups + 1).astype(np.uint64) for groups in (same, other)))
    return same


def distinct_text(text: pl.Series) -> Distinct:
    """Groups of rows with the same text; null is a text of its own.

    >>> distinct_text(pl.Series(["b", None, "a", "b", None, ""])).groups.tolist()
    [0, 1, 2, 0, 1, 3]
    """
    hashes = text_hashes(text)
    groups, firsts = np.empty(len(text), dtype=np.int64), np.empty(len(text), dtype=np.int64)
    if not len(text):
        return Distinct(firsts, groups)
    count = _group_text(hashes, *utf8_buffers(text), _slots(len(text)), groups, firsts)
    return Distinct(firsts[:count].copy(), groups)


def distinct_keys(keys: UInt64Array) -> Distinct:
    """Groups of rows with the same key; a row whose key is 0 has none.

    >>> distinct_keys(np.array([7, 0, 9, 7], dtype=np.uint64)).groups.tolist()
    [0, -1, 1, 0]
    """
    return distinct_pairs(keys, keys)


def distinct_pairs(keys: UInt64Array, others: UInt64Array) -> Distinct:
    """Groups of rows with the same two keys; a row of which one is 0 has none."""
    groups, firsts = np.empty(len(keys), dtype=np.int64), np.empty(len(keys), dtype=np.int64)
    count = _group_pairs(keys, others, _slots(len(keys)), groups, firsts)
    return Distinct(firsts[:count].copy(), groups)


def _slots(rows: int) -> npt.NDArray[np.int32]:
    return np.full(1 << max(4, (2 * rows - 1).bit_length()), -1, dtype=np.int32)


@numba.njit(cache=True, nogil=True)
def _group_pairs(
    keys: UInt64Array, others: UInt64Array, slots: npt.NDArray[np.int32], groups: IntArray, firsts: IntArray
) -> int:
    """Open addressing with linear probing."""
    mask = np.uint64(slots.shape[0] - 1)
    count = 0
    for row in range(keys.shape[0]):
        key, other = keys[row], others[row]
        if key == np.uint64(0) or other == np.uint64(0):
            groups[row] = -1
            continue
        slot = mix_bits(key + np.uint64(31) * other) & mask
        while True:
            group = slots[slot]
            if group < 0:
                slots[slot] = count
                firsts[count] = row
                groups[row] = count
                count += 1
                break
            first = firsts[group]
            if keys[first] == key and others[first] == other:
                groups[row] = group
                break
            slot = (slot + np.uint64(1)) & mask
    return count


@numba.njit(cache=True, nogil=True)
def _group_text(
    hashes: UInt64Array,
    offsets: IntArray,
    data: npt.NDArray[np.uint8],
    slots: npt.NDArray[np.int32],
    groups: IntArray,
    firsts: IntArray,
) -> int:
    mask = np.uint64(slots.shape[0] - 1)
    count = 0
    for row in range(hashes.shape[0]):
        slot = hashes[row] & mask
        while True:
            group = slots[slot]
            if group < 0:
                slots[slot] = count
                firsts[count] = row
                groups[row] = count
                count += 1
                break
            first = firsts[group]
            if hashes[first] == hashes[row] and _same_bytes(offsets, data, first, row):
                groups[row] = group
                break
            slot = (slot + np.uint64(1)) & mask
    return count


@numba.njit(cache=True, nogil=True)
def _same_bytes(offsets: IntArray, data: npt.NDArray[np.uint8], one: int, other: int) -> bool:
    one_text = data[offsets[one] : offsets[one + 1]]
    other_text = data[offsets[other] : offsets[other + 1]]
    return np.array_equal(one_text, other_text)
