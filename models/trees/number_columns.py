"""The columns of a feature frame that trees read, as numbers, a slice of lines at a time.

Most columns of a frame are used by no tree, and a matrix of all of them costs more than the trees. So a
booster says which it reads; their values stay where Polars has them until a slice is copied into a small
table that all boosters of a risk share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import polars as pl

from features.arrays.types import ByteArray, Float32Array, FloatArray
from models.trees.columns import FeatureColumns
from models.trees.matrix import Columns

# Columns of so many lines stay in the cache until the trees read them; fewer cost more calls.
_SLICE = 16_384


@dataclass(frozen=True)
class ColumnBuffer:
    """Values (lines,), of which those count whose bit in `known` is set, from bit `first` on; all of them
    where `known` is None.
    """

    values: FloatArray
    known: ByteArray | None = None
    first: int = 0

    @classmethod
    def of(cls, column: pl.Series) -> ColumnBuffer:
        """The buffers of a numeric column, copied only where it is not Float64 or in pieces.

        >>> ColumnBuffer.of(pl.Series([1, None])).to_numpy()
        array([ 1., nan])
        """
        arrow: Any = column.cast(pl.Float64).rechunk().to_arrow()
        known, data = arrow.buffers()
        first, lines = arrow.offset, len(arrow)
        values = np.empty(0) if data is None else np.frombuffer(data, dtype=np.float64)[first : first + lines]
        return cls(values, None if known is None else np.frombuffer(known, dtype=np.uint8), first)

    def copy(self, begin: int, end: int, out: FloatArray | Float32Array) -> None:
        """Write lines `begin` to `end` to `out` (end - begin,), NaN where a value is unknown."""
        if self.known is None:
            with np.errstate(over="ignore"):
                out[:] = self.values[begin:end]
        else:
            _copy_known(self.values[begin:end], self.known, self.first + begin, out)

    def to_numpy(self) -> FloatArray:
        """All lines (lines,), NaN where a value is unknown."""
        out = np.empty(len(self.values), dtype=np.float64)
        self.copy(0, len(out), out)
        return out


class FrameNumbers:
    """A frame whose columns become numbers when somebody asks for them, once for all boosters of a risk."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self._given = frozenset(frame.columns)
        self._kept: dict[tuple[str, tuple[str, ...] | None], ColumnBuffer] = {}

    def column(self, columns: FeatureColumns, name: str) -> ColumnBuffer:
        """A fitted column: a number as it is, a text as its code; unknown where the frame lacks it."""
        known = columns.categories.values.get(name)
        kept = self._kept.get((name, known))
        if kept is None:
            if name not in self._given:
                kept = ColumnBuffer(np.full(self._frame.height, np.nan))
            elif known is None:
                kept = ColumnBuffer.of(self._frame[name])
            else:
                kept = ColumnBuffer(columns.categories.encode(self._frame, name))
            self._kept[name, known] = kept
        return kept


def column_slices(
    columns: Sequence[ColumnBuffer], places: Sequence[int], lines: int
) -> Iterator[tuple[slice, Columns]]:
    """The columns side by side, a slice of lines after the other; `places` says which of the matrix they are.
    A slice is good until the next one is asked for.
    """
    where = np.array(places, dtype=np.int64)
    table = np.empty((len(columns), min(lines, _SLICE)), dtype=np.float32)
    for begin in range(0, lines, _SLICE):
        end = min(begin + _SLICE, lines)
        if end - begin < table.shape[1]:
            table = np.empty((len(columns), end - begin), dtype=np.float32)
        for column, row in zip(columns, table, strict=True):
            column.copy(begin, end, row)
        yield slice(begin, end), Columns(table, where)


@numba.njit(cache=True, nogil=True)
def _copy_known(values: FloatArray, known: ByteArray, first: int, out: FloatArray | Float32Array) -> None:
    for line in range(out.shape[0]):
        bit = first + line
        out[line] = values[line] if (known[bit >> 3] >> (bit & 7)) & 1 else np.nan
