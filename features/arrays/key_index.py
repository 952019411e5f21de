"""Where a key stands in a table of the history, compiled.

A national history has hundreds of millions of keys, a bucket some hundred thousand: a hash table of the
history for every bucket would cost more than all that is looked up. Stored tables are sorted by key, and keys
are hashes, spread evenly; so the top bits of a key tell nearly where it stands, and a small directory the
rest: two places in memory are touched a look-up, and the directory takes one or two bytes a key.

Tables that come out of a fold are not sorted. Of those only the rows that are asked for are put in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.compute as pc

from features.arrays.types import IntArray, UInt64Array

Rows = IntArray
# As many rows as a frame can have.
Directory = npt.NDArray[np.uint32]

NO_KEY = -2
NOT_FOUND = -1
_KEYS_A_CELL = 4


@dataclass(frozen=True)
class KeyIndex:
    """`keys` (places,): ascending keys, which may repeat. `rows` (places,): the rows of the table in which
    they stand, None where rows are places. `directory` (cells + 1,): where each range of the top bits begins
    in `keys`.
    """

    keys: UInt64Array
    rows: Rows | None
    directory: Directory
    shift: int

    @classmethod
    def of(cls, keys: UInt64Array, rows: Rows | None = None) -> KeyIndex:
        """An index of keys that ascend."""
        bits = max(1, (len(keys) // _KEYS_A_CELL).bit_length())
        directory = np.empty((1 << bits) + 1, dtype=np.uint32)
        _fill_directory(keys, np.uint64(64 - bits), directory)
        return cls(keys, rows, directory, 64 - bits)

    def places(self, wanted: UInt64Array) -> Rows:
        """The first place in `keys` of each wanted key (lines,); NOT_FOUND, and NO_KEY for 0."""
        places = np.empty(len(wanted), dtype=np.int64)
        _find(wanted, self.keys, self.directory, np.uint64(self.shift), places)
        return places

    def rows_of(self, wanted: UInt64Array) -> Rows:
        """The row of the table of each wanted key (lines,); NOT_FOUND, and NO_KEY for 0."""
        places = self.places(wanted)
        if self.rows is not None:
            found = places >= 0
            places[found] = self.rows[places[found]]
        return places


class Indexes:
    """The indexes of tables that are sorted by key, made when first asked for and kept."""

    def __init__(self) -> None:
        self._made: dict[str, KeyIndex | None] = {}

    def of(self, name: str, table: pl.DataFrame, then_by: str | None = None) -> KeyIndex | None:
        """The index of the table `name`; None where it is not in the order of `key`, and within a key in that
        of the Int16 column `then_by`.
        """
        if name not in self._made:
            keys = table["key"].rechunk().to_numpy()
            inner = np.empty(0, np.int16) if then_by is None else table[then_by].rechunk().to_numpy()
            self._made[name] = KeyIndex.of(keys) if _in_order(keys, inner) else None
        return self._made[name]


def rows_of_keys(indexes: Indexes, name: str, table: pl.DataFrame, wanted: UInt64Array) -> Rows:
    """The row of the table, whose `key` is unique, of each wanted key (lines,); NOT_FOUND, NO_KEY for 0."""
    index = indexes.of(name, table)
    if index is None:
        asked = table["key"].is_in(pl.Series(wanted).implode()).arg_true()
        some = table.select(pl.col("key").gather(asked), asked.alias("row")).sort("key")
        index = KeyIndex.of(some["key"].to_numpy(), some["row"].cast(pl.Int64).to_numpy())
    return index.rows_of(wanted)


def wanted_keys(keys: pl.Series) -> UInt64Array:
    """The keys of lines as `KeyIndex` takes them: 0 where a line has none."""
    if not keys.null_count():
        return keys.to_numpy()
    if keys.null_count() == len(keys):
        return np.zeros(len(keys), dtype=np.uint64)
    # Not Polars' own, which plans a query: on short days that took longer than all look-ups.
    filled: UInt64Array = pc.fill_null(keys.rechunk().to_arrow(), 0).to_numpy(zero_copy_only=False)
    return filled


@numba.njit(cache=True, nogil=True)
def _in_order(keys: UInt64Array, inner: npt.NDArray[np.int16]) -> bool:
    for row in range(1, keys.shape[0]):
        if keys[row] < keys[row - 1]:
            return False
        if inner.shape[0] and keys[row] == keys[row - 1] and inner[row] < inner[row - 1]:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _fill_directory(keys: UInt64Array, shift: np.uint64, directory: Directory) -> None:
    row = 0
    for cell in range(directory.shape[0]):
        while row < keys.shape[0] and (keys[row] >> shift) < np.uint64(cell):
            row += 1
        directory[cell] = row


@numba.njit(cache=True, nogil=True)
def _find(
    wanted: UInt64Array, keys: UInt64Array, directory: Directory, shift: np.uint64, places: Rows
) -> None:
    for line in range(wanted.shape[0]):
        key = wanted[line]
        if key == np.uint64(0):
            places[line] = NO_KEY
            continue
        cell = np.int64(key >> shift)
        low, high = np.int64(directory[cell]), np.int64(directory[cell + 1])
        last = high
        # Bisection, because nobody promises that a range holds few keys.
        while low < high:
            middle = (low + high) // 2
            if keys[middle] < key:
                low = middle + 1
            else:
                high = middle
        places[line] = low if low < last and keys[low] == key else NOT_FOUND


@numba.njit(cache=True, nogil=True)
def taken(values: npt.NDArray[Any], rows: Rows) -> npt.NDArray[Any]:
    """The value in each row (lines,), zero where there is none."""
    out = np.empty(rows.shape[0], dtype=values.dtype)
    for line in range(rows.shape[0]):
        # Not a conditional expression: its 0 would make a float of a bitmap.
        if rows[line] >= 0:
            out[line] = values[rows[line]]
        else:
            out[line] = 0
    return out
