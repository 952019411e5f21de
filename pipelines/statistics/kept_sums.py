"""The sums of months, from kept sums of their days: what has changed since is summed up anew, and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from configs.reference.facts import Reference
from pipelines.statistics.day_cells import (
    CELL_SCHEMA,
    DaySums,
    add_up,
    basis_of,
    kept_basis,
    read_sums,
    sums_of_day,
    write_sums,
)
from pipelines.statistics.line_values import CELL_KEY
from pipelines.statistics.months import days_of_month
from pipelines.statistics.returned import (
    RETURNED_SCHEMA,
    ReturnedSums,
    applications,
    find_returned,
    returned_basis,
)
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_whole, write_table
from pipelines.store.layout import table_file
from pipelines.store.store import Store
from pipelines.work.progress import Progress

MONTH_SCHEMA: dict[str, pl.DataType] = CELL_SCHEMA | {
    name: dtype for name, dtype in RETURNED_SCHEMA.items() if name not in CELL_KEY
}
"""Of a cell of a month: its sums, and what of it was applied for to be returned in the month."""
_RETURNED = "returned"
_RETURNED_IN = "returned_in"


@dataclass(frozen=True)
class MonthSums:
    """The sums of a month.

    Attributes:
        month: its first day.
        days: those with declarations.
        cells: `MONTH_SCHEMA`, a row a cell, sorted.
        declarations: how many there are by entry of a table, see `DaySums`.
        unvalued: lines without a value, by reason and currency.
        returns: lines of applications by `RETURN_COUNTS`.
        folders: where the enterprises are kept.
    """

    month: date
    days: tuple[date, ...]
    cells: pl.DataFrame
    declarations: pl.DataFrame
    unvalued: pl.DataFrame
    returns: Mapping[str, int]
    folders: tuple[Path, ...]


@dataclass
class KeptSums:
    """The sums of a store, which the caller has locked.

    Attributes:
        store: the store.
        reference: all reference tables.
        progress: shows which day is summed up.
        days_read: days that were summed up anew.
    """

    store: Store
    reference: Reference
    progress: Progress
    days_read: int = 0
    _known: dict[date, dict[str, object]] = field(default_factory=dict)

    def month(self, month: date) -> MonthSums:
        """Return the sums of a month; each day that is summed up is kept at once.

        Raises:
            StoreError: a file that is read is damaged.
        """
        days = days_of_month(self.store.days(DayTable.DECLARATIONS), month)
        bases = {}
        with self.progress.task(f"{month:%Y-%m}", total=len(days)) as task:
            for day in days:
                bases[str(day)] = self._sum_up(day)
                task.advance()
        folders = [self.store.layout.partition(DayTable.STATISTICS_SUMS, day) for day in days]
        sums = self._added_up(month, folders, bases)
        returned = self._returned(month)
        cells = (
            sums.cells.join(returned.cells, on=CELL_KEY, how="full", nulls_equal=True, coalesce=True)
            .with_columns(pl.col(name).fill_null(0) for name in MONTH_SCHEMA if name not in CELL_KEY)
            .select(*MONTH_SCHEMA)
            .sort(CELL_KEY, nulls_last=True)
        )
        return MonthSums(
            month,
            tuple(days),
            cells,
            sums.declarations,
            sums.unvalued,
            returned.counts,
            (*folders, self.store.layout.month_sums(month, _RETURNED_IN)),
        )

    def _added_up(
        self, month: date, folders: Sequence[Path], bases: Mapping[str, dict[str, object]]
    ) -> DaySums:
        """The sums of days, kept for months that come: they look at many months before them."""
        kept = self.store.layout.month_sums(month)
        basis: dict[str, object] = {"days": dict(bases)}
        if kept_basis(kept) == basis:
            return read_sums(kept)
        sums = add_up([])
        for folder in folders:
            sums = add_up([sums, read_sums(folder)])
        with self.store.transaction() as t:
            write_sums(t.stage(kept), sums, basis)
        return sums

    def _sum_up(self, day: date) -> dict[str, object]:
        """Sum up a day where that is needed, and return what its sums rest on."""
        if day in self._known:
            return self._known[day]
        folder = self.store.layout.partition(DayTable.STATISTICS_SUMS, day)
        basis = basis_of(self.store, day, self.reference)
        if kept_basis(folder) != basis:
            with self.store.transaction() as t:
                sums = sums_of_day(self.store, day, self.reference.on(day))
                write_sums(t.stage(folder), sums, basis)
            self.days_read += 1
        self._known[day] = basis
        return basis

    def _returned(self, month: date) -> ReturnedSums:
        folder = self.store.layout.month_sums(month, _RETURNED_IN)
        applied = applications(self.store.layout, month)
        kept = kept_basis(folder)
        if kept and self._still_holds(kept, applied):
            part = read_sums(folder)
            return ReturnedSums(
                read_whole(folder / table_file(_RETURNED)), part.enterprises, _counts(kept), _days(kept)
            )
        sums = find_returned(self.store, applied, self.reference)
        with self.store.transaction() as t:
            staged = t.stage(folder)
            basis = self._basis_of(sums, applied)
            further = {"counts": sums.counts, "original_days": [str(day) for day in sums.days]}
            nothing = add_up([])
            part = DaySums(nothing.cells, nothing.declarations, sums.enterprises, nothing.unvalued)
            write_sums(staged, part, basis | further)
            write_table(sums.cells, staged / table_file(_RETURNED))
        return sums

    def _still_holds(self, kept: Mapping[str, Any], applied: pl.DataFrame) -> bool:
        some_unknown = bool(_counts(kept)["unknown"])
        days = [day for day in _days(kept) if self.store.layout.buckets(day)]
        basis = returned_basis(self.store, applied, days, self.reference, some_unknown=some_unknown)
        return all(kept.get(name) == value for name, value in basis.items())

    def _basis_of(self, sums: ReturnedSums, applied: pl.DataFrame) -> dict[str, object]:
        some_unknown = bool(sums.counts["unknown"])
        return returned_basis(self.store, applied, sums.days, self.reference, some_unknown=some_unknown)


def _counts(kept: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(count) for name, count in kept["counts"].items()}


def _days(kept: Mapping[str, Any]) -> tuple[date, ...]:
    return tuple(map(date.fromisoformat, kept["original_days"]))
