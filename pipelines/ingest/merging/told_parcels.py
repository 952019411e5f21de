"""Parcels of which a run and documents speak: their receipts, tax bills and lines.

Whatever day they stand on, they are looked up by the index of keys: of files that hold none, nothing is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from configs.reference.facts import Reference
from features.arrays.types import UInt64Array
from features.contract.declarations import DECLARATION_COLUMNS, LINE_KEY
from features.contract.documents import RECEIPTS, TAXES, DocumentTable
from pipelines.documents.writer import DocumentChanges
from pipelines.ingest.merging.ended_versions import last_lines, staged_files
from pipelines.keys.hash_sets import contains, sorted_union
from pipelines.keys.key_index import DECLARATION, OWN_NUMBER, IndexedKey, files_with
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout
from pipelines.store.store import Store

OWN: Final = OWN_NUMBER.columns
_RECEIPT: Final = ("declaration_id", *OWN, "status", "sent_at")
_TAX: Final = ("declaration_id", "line_no", "taxable_price", "sent_at")
_LINE_COLUMNS: Final[dict[str, pl.DataType]] = {
    **{
        name: DECLARATION_COLUMNS[name]
        for name in (*LINE_KEY, "seller_id", "quantity", "total_price", "currency", "freight", "insurance")
    },
    "own_number": pl.String(),
}
_NAMES: Final = ["declaration_id", *OWN]
_NAME_COLUMNS: Final[dict[str, pl.DataType]] = dict.fromkeys(_NAMES, pl.String())
_DAYS_AT_ONCE: Final = 14
_LINES: Final = (DayTable.DECLARATIONS, DayTable.CHANGED_DECLARATIONS)


@dataclass(frozen=True)
class Told:
    """What documents say of some parcels, as the store has it and as the run leaves it.

    Attributes:
        receipts, taxes: before and after the run.
        lines: the lines of the parcels after the run, with `declared_on` and `cny_rate`.
    """

    receipts: tuple[pl.DataFrame, pl.DataFrame]
    taxes: tuple[pl.DataFrame, pl.DataFrame]
    lines: pl.DataFrame


@dataclass(frozen=True)
class _Wanted:
    """Hashes of declarations and of declarants' own numbers, which ascend."""

    ids: UInt64Array
    own: UInt64Array

    @classmethod
    def of(cls, *frames: pl.DataFrame) -> _Wanted:
        """Those that stand in some rows."""
        named = [each for each in frames if set(OWN) <= set(each.columns)]
        ids = [_some(DECLARATION, each) for each in frames]
        return cls(sorted_union(ids), sorted_union([_some(OWN_NUMBER, each) for each in named]))

    def holds(self, other: _Wanted) -> bool:
        """Whether all of another are in this one."""
        return bool(contains(self.ids, other.ids).all() and contains(self.own, other.own).all())

    def files(self, layout: Layout, files: Sequence[Path], *, has_own: bool = True) -> list[Path]:
        """The files that may hold one of them."""
        found = {*files_with(layout, files, DECLARATION, self.ids)}
        if has_own:
            found |= {
                *files_with(layout, [each for each in files if each not in found], OWN_NUMBER, self.own)
            }
        return [each for each in files if each in found]

    def among(self, rows: pl.DataFrame) -> pl.Series:
        """Whether each row has one of them."""
        about = contains(self.ids, _hashes(DECLARATION, rows))
        if set(OWN) <= set(rows.columns):
            about |= contains(self.own, _hashes(OWN_NUMBER, rows))
        return pl.Series(about)


@dataclass(frozen=True)
class ToldParcels:
    """Finds the parcels of which a run and documents speak.

    Attributes:
        store: locked by the caller.
        t: the run's transaction, in which tables and days are staged already.
        changed: days whose declarations the run changes.
        reference: rates of currencies.
        written: what the run did to tables of documents.
    """

    store: Store
    t: Transaction
    changed: set[date]
    reference: Reference
    written: dict[str, DocumentChanges]

    def find(self, ids: UInt64Array) -> Told | None:
        """Return what documents say of declarations with these hashes, which ascend, of those that documents
        of the run are about, and of all that share a number with one of them; None where nothing is said.
        """
        if not any(self._days(table) for table in (RECEIPTS, TAXES)):
            return None
        touched = _Wanted.of(*self._touched(RECEIPTS, _NAMES), *self._touched(TAXES, _NAMES[:1]))
        ids = sorted_union([ids, touched.ids])
        wanted = _Wanted(ids, sorted_union([touched.own, *self._own_numbers(ids)]))
        while True:
            receipts, taxes = (self._rows(table, names, wanted) for table, names in _TOLD)
            if not any(each.height for each in (*receipts, *taxes)):
                return None
            lines = self._lines_of(receipts, taxes)
            involved = _Wanted.of(*receipts, *taxes, lines)
            if wanted.holds(involved):
                return Told(receipts, taxes, lines)
            # What names one of these parcels may have come long before.
            wanted = involved

    def _lines_of(
        self, receipts: tuple[pl.DataFrame, pl.DataFrame], taxes: tuple[pl.DataFrame, pl.DataFrame]
    ) -> pl.DataFrame:
        """The lines that documents are about: by their number, else by the declarant's own."""
        named = pl.concat([each["declaration_id"] for each in (*receipts, *taxes)]).drop_nulls().unique()
        lines = self._lines(named, pl.DataFrame(schema=dict.fromkeys(OWN, pl.String())))
        # An inventory that came before it had a number is known by its declarant's own.
        own = pl.concat([without_lines(each, lines).select(OWN).drop_nulls() for each in receipts]).unique()
        if own.height:
            lines = pl.concat([lines, self._lines(named.clear(), own)]).unique(LINE_KEY)
        return lines

    def _own_numbers(self, ids: UInt64Array) -> Iterator[UInt64Array]:
        """Hashes of the declarants' own numbers of declarations, as they were and as they are."""
        layout, wanted = self.store.layout, _Wanted(ids, ids[:0])
        stored = {path for day in self._line_days for table in _LINES for path in layout.files(table, day)}
        staged = (staged_files(layout, self.t, table, day) for day in self.changed for table in _LINES)
        files = sorted(stored.union(*staged))
        for path in wanted.files(layout, files, has_own=False):
            names = read_tables([path], _NAME_COLUMNS, _NAMES)
            yield _some(OWN_NUMBER, names.filter(wanted.among(names)))

    def _rows(
        self, table: DocumentTable, columns: Sequence[str], wanted: _Wanted
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """What a table says of parcels: as it stands in the store, and as the run leaves it."""
        day_table, layout = DayTable.named(table.name), self.store.layout
        before, after = ([read_tables([], table.columns, list(columns))] for _ in range(2))

        def rows_about(files: Sequence[Path]) -> list[pl.DataFrame]:
            rows = (read_tables([file], table.columns, list(columns)) for file in files)
            return [each.filter(wanted.among(each)) for each in rows]

        for day in self._days(table):
            files = wanted.files(layout, layout.files(day_table, day), has_own=OWN[0] in columns)
            staged = self._staged(day_table, day)
            rows = rows_about(files)
            before += rows
            after += rows if staged is None else rows_about(staged)
        return pl.concat(before), pl.concat(after)

    def _lines(self, named: pl.Series, own: pl.DataFrame) -> pl.DataFrame:
        """The lines of declarations, newest days first, with `declared_on` and `cny_rate`.

        Of one that was withdrawn they are those that it had last.
        """
        layout, missing = self.store.layout, named.to_frame("declaration_id")
        wanted = _Wanted.of(missing, own.with_columns(declaration_id=pl.lit(None, pl.String)))
        days = sorted({*self._line_days, *self.changed}, reverse=True)
        found = [pl.DataFrame(schema={**_LINE_COLUMNS, "declared_on": pl.Date(), "cny_rate": pl.Float64()})]
        for first in range(0, len(days), _DAYS_AT_ONCE):
            if missing.is_empty() and own.is_empty():
                break
            for day in days[first : first + _DAYS_AT_ONCE]:
                holding, ended = (
                    wanted.files(layout, staged_files(layout, self.t, table, day)) for table in _LINES
                )
                rows = last_lines(holding, ended, _LINE_COLUMNS, missing, own)
                rate = self.reference.on(day).cny_rate(rows["currency"])
                found.append(rows.with_columns(pl.lit(day).alias("declared_on"), rate.alias("cny_rate")))
            missing = missing.join(pl.concat(found), on="declaration_id", how="anti")
        return pl.concat(found)

    @property
    def _line_days(self) -> set[date]:
        return {day for table in _LINES for day in self.store.days(table)}

    def _staged(self, table: DayTable, day: date) -> list[Path] | None:
        """The files that a day will have, None where the run does not change it."""
        folder = self.t.staged(self.store.layout.partition(table, day))
        return None if folder is None else sorted(folder.glob("*.parquet"))

    def _days(self, table: DocumentTable) -> list[date]:
        """The days on which a table holds something, before the run or after it."""
        changes = self.written.get(table.name)
        return sorted({*self.store.days(DayTable.named(table.name)), *(changes.days if changes else ())})

    def _touched(self, table: DocumentTable, columns: Sequence[str]) -> list[pl.DataFrame]:
        """The names of parcels in the documents of the run, and in what the store held of these."""
        changes = self.written.get(table.name)
        return [] if changes is None else list(changes.versions({name: pl.String() for name in columns})[:2])


_TOLD: Final = ((RECEIPTS, _RECEIPT), (TAXES, _TAX))


def without_lines(receipts: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return receipts that name no inventory, or one that nobody knows by that number."""
    return receipts.join(lines.select("declaration_id").unique(), on="declaration_id", how="anti")


def _hashes(key: IndexedKey, rows: pl.DataFrame) -> UInt64Array:
    """The hash of each row's key, 0 where it has none."""
    hashes: UInt64Array = key.hashes(rows).fill_null(0).to_numpy()
    return hashes


def _some(key: IndexedKey, rows: pl.DataFrame) -> UInt64Array:
    """The hashes of the keys that rows have."""
    hashes: UInt64Array = key.hashes(rows).drop_nulls().to_numpy()
    return hashes
