"""Has a distribution shifted? The population stability index, beside what chance and ordinary days explain.

The index of two samples of n and m lines over the same B cells is the sum over cells of
(p - q) ln(p / q). Where nothing has changed it is not zero but about (B - 1)(1/n + 1/m) on average, and
distributed like chi-square with B - 1 degrees of freedom times (1/n + 1/m) (Yurdakul and Naranjo 2020,
"Statistical Properties of the Population Stability Index", Journal of Risk Model Validation 14(4)). Lines are
not independent, though: parcels have several, sellers send many, and weekdays differ. How much more than
chance days differ anyway is measured on K reference days, each against the others (`spread`), and the limit
is the quantile of F with B - 1 and (K - 1)(B - 1) degrees of freedom, which allows for the spread being
measured on a few days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from features.arrays.types import IntArray

# Below about five expected lines a cell, the distribution of the index is no longer like chi-square.
_LEAST_EXPECTED = 5.0
_CELLS = 10
_CATEGORIES = 20
_SMOOTHING = 0.5


@dataclass(frozen=True)
class Shift:
    """A distribution against that of the reference.

    `expected` is the index where nothing has changed, `limit` the one that is exceeded then only as often as
    was allowed; `spread` how many times as much as by chance the reference days differ among each other.
    """

    psi: float
    expected: float
    limit: float
    spread: float
    cells: int
    lines: int
    reference_lines: int

    @property
    def excess(self) -> float:
        """What of the index is neither noise nor the ordinary difference of days."""
        return max(0.0, self.psi - self.expected)

    @property
    def alarms(self) -> bool:
        """Whether the index is above what chance and ordinary days explain."""
        return self.psi > self.limit

    def reaches(self, index: float) -> bool:
        """Whether the shift is real and its size at least `index`."""
        return self.alarms and self.excess >= index

    def as_dict(self) -> dict[str, Any]:
        """The figures by name."""
        return {**vars(self), "alarms": self.alarms}


def psi(counts: IntArray, reference: IntArray) -> float:
    """The population stability index of two rows of counts over the same cells.

    Half a line is added to each cell, so that an empty one does not make it infinite.

    >>> psi(np.array([50, 50]), np.array([500, 500]))
    0.0
    >>> round(psi(np.array([20, 80]), np.array([500, 500])), 2)
    0.41
    """
    p, q = ((row + _SMOOTHING) / (row.sum() + _SMOOTHING * len(row)) for row in (counts, reference))
    return float(((p - q) * np.log(p / q)).sum())


def shift(counts: IntArray, reference_days: IntArray, false_alarm_rate: float) -> Shift | None:
    """The counts of a day over its cells (cells,) against those of the reference days (days, cells).

    `false_alarm_rate` is the chance that the shift alarms where nothing has changed. Neighbouring cells are
    joined until each has enough lines for the statistics to hold; None where that leaves fewer than two.
    """
    days = reference_days[reference_days.sum(axis=1) > 0]
    if not len(days) or not counts.sum():
        return None
    measured = _measured(counts, days.sum(axis=0))
    if measured is None:
        return None
    index, noise, cells = measured
    spread, known = _spread(days)
    degrees = cells - 1
    factor = _f_quantile(1.0 - false_alarm_rate, degrees, (known - 1) * degrees)
    expected = spread * degrees * noise
    return Shift(
        index, expected, expected * factor, spread, cells, int(counts.sum()), int(reference_days.sum())
    )


def _measured(counts: IntArray, reference: IntArray) -> tuple[float, float, int] | None:
    """The index over joined cells, 1/n + 1/m, and the number of cells; None with fewer than two."""
    starts = _joined_cells(counts, reference)
    if len(starts) < 2:
        return None
    noise = 1.0 / int(counts.sum()) + 1.0 / int(reference.sum())
    return psi(np.add.reduceat(counts, starts), np.add.reduceat(reference, starts)), noise, len(starts)


def _joined_cells(counts: IntArray, reference: IntArray) -> list[int]:
    """Where the joined cells start: each is expected to hold enough lines of the smaller sample."""
    both = counts + reference
    expected = both * (min(counts.sum(), reference.sum()) / both.sum())
    starts, filled = [0], 0.0
    for cell, lines in enumerate(expected):
        if filled >= _LEAST_EXPECTED and expected[cell:].sum() >= _LEAST_EXPECTED:
            starts.append(cell)
            filled = 0.0
        filled += lines
    return starts


def _spread(days: IntArray) -> tuple[float, int]:
    """How many times as much as by chance the days differ from each other, and on how many that was measured;
    1 and 1 where there are too few.
    """
    ratios = []
    for number in range(len(days)):
        others = np.delete(days, number, axis=0).sum(axis=0)
        if others.sum() and (measured := _measured(days[number], others)) is not None:
            index, noise, cells = measured
            ratios.append(index / (noise * (cells - 1)))
    return (float(np.mean(ratios)), len(ratios)) if len(ratios) > 1 else (1.0, 1)


@lru_cache(maxsize=10_000)
def _f_quantile(level: float, degrees: int, known: int) -> float:
    """The quantile of F; of chi-square over its degrees where the spread was not measured."""
    from scipy.stats import chi2, f

    return float(f.ppf(level, degrees, known) if known else chi2.ppf(level, degrees) / degrees)


@dataclass(frozen=True)
class Coding:
    """How a column is cut into cells: numbers at the deciles of the reference, categories by frequency.

    The last cell is that of missing values, the one before it of a text column that of all rarer categories.
    """

    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] | None = None

    @classmethod
    def of(cls, reference: pl.Series) -> Coding:
        """The cells that a column's reference values ask for; Float64 or String."""
        present = reference.drop_nulls()
        if reference.dtype == pl.String:
            counted = present.value_counts().sort(["count", present.name], descending=[True, False])
            return cls(categories=tuple(counted[present.name].head(_CATEGORIES)))
        levels = np.arange(1, _CELLS) / _CELLS
        cuts = np.quantile(present.to_numpy(), levels, method="lower") if len(present) else []
        return cls(edges=tuple(float(cut) for cut in np.unique(cuts)))

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.edges) + 2 if self.categories is None else len(self.categories) + 2

    def codes(self, values: pl.Series) -> IntArray:
        """The cell of each value (lines,).

        >>> Coding(edges=(1.0, 2.0)).codes(pl.Series([0.5, 1.5, 9.0, None])).tolist()
        [0, 1, 2, 3]
        """
        missing = self.cells - 1
        if self.categories is None:
            filled = values.fill_null(np.nan).to_numpy()
            cells = np.searchsorted(np.array(self.edges), filled, side="left")
            return np.where(np.isnan(filled), missing, cells).astype(np.int64)
        place = dict(zip(self.categories, range(len(self.categories)), strict=True))
        known = values.replace_strict(place, default=len(place), return_dtype=pl.Int64) if place else 0
        return np.where(values.is_null(), missing, known).astype(np.int64)


def tells_the_day(days: Sequence[pl.Series]) -> bool:
    """Whether a column says which day it is: one value within each day, another one on another day.

    Such a column differs from the weeks before by its nature, and is no drift.

    >>> tells_the_day([pl.Series(["Mon", "Mon"]), pl.Series(["Tue"])]), tells_the_day([pl.Series(["x", "y"])])
    (True, False)
    """
    values = {day.unique(maintain_order=True)[0] if day.n_unique() == 1 else ... for day in days if len(day)}
    return ... not in values and len(values) > 1
