"""Which rows of some columns are the same: what costs much a row is worked out once for equal rows.

Two rows are the same where their values are, not where their hashes are: whoever writes a declaration could
make two texts with one hash. Texts are grouped by Polars, numbers by compiled code of our own: what is faster
(`benchmarks/results/decisions/group_sums.md`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.hashing import mix_bits
from features.arrays.types import IntArray, UInt64Array


@dataclass(frozen=True)
class Distinct:
    """`firsts` (groups,): the first row of each group, in the order of the rows. `groups` (rows,): the group
    of each row; -1 where it has none.
    """

    firsts: IntArray
    groups: IntArray

    def spread(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A row of `frame` for each group becomes one for each row; every row must have a group."""
        return frame.select(pl.all().gather(self.groups))


def distinct_rows(frame: pl.DataFrame, columns: Sequence[str]) -> Distinct:
    """Groups of rows that hold the same in all `columns`; null is a value like any other.

    Raises:
        ValueError: no column is given.
    """
    if not columns:
        raise ValueError("expected at least one column to tell rows apart by")
    numbered = frame.select(columns).with_row_index("_row")
    first_alike = numbered.select(pl.col("_row").min().over(columns)).to_series().to_numpy()
    firsts = np.flatnonzero(first_alike == np.arange(frame.height))
    numbers = np.empty(frame.height, dtype=np.int64)
    numbers[firsts] = np.arange(len(firsts))
    return Distinct(firsts, numbers[first_alike])


def distinct_text(text: pl.Series) -> Distinct:
    """Groups of rows with the same text; null is a text of its own.

    >>> distinct_text(pl.Series(["b", None, "a", "b", None, ""])).groups.tolist()
    [0, 1, 2, 0, 1, 3]
    """
    return distinct_rows(text.to_frame("text"), ["text"])


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
