"""Numbers that trees read: whole lines of them, or some columns of many lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.arrays.types import BoolArray, Float32Array, IntArray


@dataclass(frozen=True)
class Matrix:
    """Features as numbers: values (lines, columns), NaN for missing, and which columns are codes.

    They are of 32 bits, in training as at night: nothing that is declared is known to more than seven digits,
    and one instruction tests twice as many lines.
    """

    values: Float32Array
    columns: tuple[str, ...]
    categorical: tuple[int, ...]

    def rows(self, mask: BoolArray) -> Matrix:
        """The lines where `mask` (lines,) is true."""
        return Matrix(self.values[mask], self.columns, self.categorical)

    def some(self, places: Sequence[int]) -> Matrix:
        """The columns at these places alone."""
        if len(places) == len(self.columns):
            return self
        coded = set(self.categorical)
        return Matrix(
            self.values[:, list(places)],
            tuple(self.columns[place] for place in places),
            tuple(number for number, place in enumerate(places) if place in coded),
        )


@dataclass(frozen=True)
class Columns:
    """Some columns of a matrix, one below the other: values (columns, lines), and the place of each in the
    matrix (columns,), in ascending order. Where `order` is given, it says which row of `values` each is.
    """

    values: Float32Array
    places: IntArray
    order: IntArray | None = None

    def rows(self, places: npt.ArrayLike) -> IntArray:
        """The rows of `values` that hold these columns of the matrix."""
        found = np.searchsorted(self.places, np.asarray(places, dtype=np.int64))
        return found if self.order is None else self.order[found]
