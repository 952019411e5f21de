"""What receipts and tax bills say of inspections, put into their rows beside what inspectors returned.

Such values are made anew from the documents whenever one of them, a declaration or a result of the parcel
comes in: what was made of them before is taken out of the stored rows first. So no order of files matters,
and where an inspector said something, that stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from configs.reference.facts import Reference
from features.arrays.hashing import hash_text
from features.arrays.types import UInt64Array
from features.contract.declarations import DECLARATION_COLUMNS, LINE_KEY
from features.contract.documents import DOCUMENT_TABLES, RECEIPTS, TAXES, DocumentTable
from features.contract.inspections import CONTRACT_LABELS, INSPECTION_COLUMNS, INSPECTION_KEY
from pipelines.documents.outcomes import (
    IRREGULARITY,
    OUTCOME_COLUMNS,
    assessed_prices,
    outcomes_with_prices,
    receipt_outcomes,
)
from pipelines.documents.writer import DocumentChanges
from pipelines.ingest.line_spool import LineSpool, contains, sorted_union
from pipelines.ingest.merging.ended_versions import last_lines, staged_files
from pipelines.lists.issued import issued_lists
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables
from pipelines.store.journal import Transaction
from pipelines.store.spool import Spool, collected
from pipelines.store.store import Store

_CHANNEL: Final[dict[str, pl.DataType]] = {
    "selection": pl.String(),
    "inspection_probability": pl.Float64(),
}
_TOLD: Final = {
    RECEIPTS.name: ("declaration_id", "seller_id", "own_number", "status", "sent_at"),
    TAXES.name: ("declaration_id", "line_no", "taxable_price", "sent_at"),
}
"""The columns of a table that speak of inspections."""
_VALUES: Final = (IRREGULARITY, "assessed_unit_price")
_OWN: Final = ("seller_id", "own_number")
_OWN_TYPES: Final = dict.fromkeys(_OWN, pl.String())
_OFFICER: Final = "officer"
_LINE_COLUMNS: Final[dict[str, pl.DataType]] = {
    **{
        name: DECLARATION_COLUMNS[name]
        for name in (*LINE_KEY, "seller_id", "quantity", "total_price", "currency", "freight", "insurance")
    },
    "own_number": pl.String(),
}
_INSPECTED: Final[dict[str, pl.DataType]] = {
    **{name: OUTCOME_COLUMNS[name] for name in (*INSPECTION_KEY, "inspected_on")},
    "found": pl.Boolean(),
}
_DAYS_AT_ONCE: Final = 14


@dataclass(frozen=True)
class DerivedResults:
    """What documents said of inspections before a run, and say after it.

    Attributes:
        before: `OUTCOME_COLUMNS`, `selection` and `inspection_probability`.
        after: the same.
        contradicted: numbers of declarations that a receipt releases though an inspector found something.
    """

    before: pl.DataFrame
    after: pl.DataFrame
    contradicted: tuple[str, ...] = ()

    @classmethod
    def none(cls) -> DerivedResults:
        """Nothing, before or after."""
        nothing = pl.DataFrame(schema={**OUTCOME_COLUMNS, **_CHANNEL})
        return cls(nothing, nothing)

    @property
    def days(self) -> set[date]:
        """The days of report that may change."""
        return {*self.before["reported_on"], *self.after["reported_on"]}

    def taken_out(self, stored: pl.DataFrame) -> pl.DataFrame:
        """Stored results without what was made of documents."""
        if self.before.is_empty():
            return stored
        told = self.before.select(*INSPECTION_KEY, *(pl.col(name).alias(f"_{name}") for name in _VALUES))
        known = [name for name in _VALUES if name in stored.columns]
        joined = stored.join(told, on=INSPECTION_KEY, how="left", maintain_order="left")
        values = [
            pl.when(pl.col(name) == pl.col(f"_{name}")).then(None).otherwise(pl.col(name)).alias(name)
            for name in known
        ]
        base = joined.with_columns(values).select(stored.columns)
        beside = (*INSPECTION_KEY, "inspected_on", *_CHANNEL)
        says = [pl.col(name).is_not_null() for name in stored.columns if name not in beside]
        nothing = base.filter(~pl.any_horizontal(says)).join(self.before, on=INSPECTION_KEY, how="semi")
        return base.join(nothing, on=INSPECTION_KEY, how="anti", maintain_order="left")

    def put_in(self, day: date, results: pl.DataFrame) -> pl.DataFrame:
        """A day's results with what documents say; a value of an inspector stays."""
        new = self.after.filter(pl.col("reported_on") == day)
        if new.is_empty():
            return results
        both = results.join(new, on=INSPECTION_KEY, how="full", suffix="_new", coalesce=True)
        columns = [name for name in (*OUTCOME_COLUMNS, *_CHANNEL) if name not in INSPECTION_KEY]
        # A chance belongs to its channel.
        has_channel = pl.col("selection").is_not_null()
        filled = [
            pl.when(has_channel).then(name).otherwise(f"{name}_new").alias(name)
            if name in _CHANNEL
            else pl.coalesce(name, f"{name}_new").alias(name)
            for name in columns
        ]
        return both.with_columns(filled).select(results.columns)


@dataclass(frozen=True)
class Deriving:
    """Makes results of documents.

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

    def derive(self, lines_that_came: LineSpool, results: Spool) -> DerivedResults:
        """What documents say of parcels that the run speaks of.

        `results` are those that came in: `_id_hash` and `INSPECTION_COLUMNS`.
        """
        if not any(self._days(name) for name in _TOLD):
            return DerivedResults.none()
        touched = [hash_text(rows).to_numpy() for name in _TOLD for rows in self._touched(name)]
        hashes = sorted_union([lines_that_came.ids(), results.column("_id_hash").to_numpy(), *touched])
        receipts, taxes = self._told(hashes)
        if not any(each.height for each in (*receipts, *taxes)):
            return DerivedResults.none()
        wanted = pl.concat([each["declaration_id"] for each in (*receipts, *taxes)]).drop_nulls().unique()
        lines = self._lines(wanted, pl.DataFrame(schema=_OWN_TYPES))
        # An inventory that came before it had a number is known by its declarant's own.
        others = [_without_lines(each, lines).select(_OWN).drop_nulls() for each in receipts]
        own = pl.concat(others).unique()
        if own.height:
            lines = pl.concat([lines, self._lines(wanted.clear(), own)]).unique(LINE_KEY)
            # What names it by its number may have come long before.
            numbered = sorted_union([hashes, hash_text(lines["declaration_id"]).to_numpy()])
            if len(numbered) > len(hashes):
                receipts, taxes = self._told(numbered)
        stored = self._inspected(lines["declaration_id"].unique())
        came = _inspections(collected(results.scan(), INSPECTION_COLUMNS))
        known = pl.concat([stored, came]).unique()
        made = [
            _made(_resolved(receipts[now], lines), taxes[now], lines, inspected)
            for now, inspected in enumerate((stored, known))
        ]
        channels = self._channels({day for rows in made for day in rows["declared_on"]})
        before, after = (_with_channel(rows, channels) for rows in made)
        released = after.filter(~pl.col(IRREGULARITY))
        contradicted = known.filter("found").join(released, on=LINE_KEY, how="semi")["declaration_id"]
        return DerivedResults(before, after, tuple(contradicted.unique().sort()))

    def _told(self, ids: UInt64Array) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
        """Receipts and tax bills of declarations with these hashes, or without a number: before and after."""
        receipts, taxes = (self._rows(DOCUMENT_TABLES[name], ids) for name in _TOLD)
        return receipts, taxes

    def _channels(self, days: set[date]) -> pl.DataFrame:
        """How the parcels of some days came onto the lists that were issued."""
        parts = [pl.DataFrame(schema={"declaration_id": pl.String(), **_CHANNEL})]
        parts += [issued_lists(self.store, day).select(parts[0].columns) for day in sorted(days)]
        return pl.concat(parts).unique("declaration_id", keep="first", maintain_order=True)

    def _rows(self, table: DocumentTable, ids: UInt64Array) -> list[pl.DataFrame]:
        """What a table says of declarations with these hashes, or without a number: as it stands in the
        store, and as the run leaves it.
        """
        day_table, layout = DayTable.named(table.name), self.store.layout
        before, after = ([_rows_about(ids, [], table)] for _ in range(2))
        for day in self._days(table.name):
            staged = self.t.staged(layout.partition(day_table, day))
            rows = _rows_about(ids, layout.files(day_table, day), table)
            before.append(rows)
            after.append(rows if staged is None else _rows_about(ids, staged.glob("*.parquet"), table))
        return [pl.concat(before), pl.concat(after)]

    def _days(self, table: str) -> list[date]:
        """The days on which a table holds something, before the run or after it."""
        changes = self.written.get(table)
        return sorted({*self.store.days(DayTable.named(table)), *(changes.days if changes else ())})

    def _touched(self, table: str) -> list[pl.Series]:
        changes = self.written.get(table)
        if changes is None:
            return []
        now, before, _ = changes.versions({"declaration_id": pl.String()})
        return [rows["declaration_id"].drop_nulls() for rows in (now, before)]

    def _lines(self, wanted: pl.Series, own: pl.DataFrame) -> pl.DataFrame:
        """The lines of these declarations, newest days first, with `declared_on` and `cny_rate`.

        Of one that was withdrawn they are those that it had last.
        """
        layout, missing = self.store.layout, wanted.to_frame("declaration_id")
        tables = (DayTable.DECLARATIONS, DayTable.CHANGED_DECLARATIONS)
        stored = (day for table in tables for day in self.store.days(table))
        days = sorted({*stored, *self.changed}, reverse=True)
        found = [pl.DataFrame(schema={**_LINE_COLUMNS, "declared_on": pl.Date(), "cny_rate": pl.Float64()})]
        for first in range(0, len(days), _DAYS_AT_ONCE):
            if missing.is_empty() and own.is_empty():
                break
            for day in days[first : first + _DAYS_AT_ONCE]:
                files = [staged_files(layout, self.t, table, day) for table in tables]
                rows = last_lines(files[0], files[1], _LINE_COLUMNS, missing, own)
                rate = self.reference.on(day).cny_rate(rows["currency"])
                found.append(rows.with_columns(pl.lit(day).alias("declared_on"), rate.alias("cny_rate")))
            missing = missing.join(pl.concat(found), on="declaration_id", how="anti")
        return pl.concat(found)

    def _inspected(self, parcels: pl.Series) -> pl.DataFrame:
        parts = [pl.DataFrame(schema=_INSPECTED)]
        for day in self.store.inspection_days() if len(parcels) else []:
            files = self.store.layout.files(DayTable.INSPECTIONS, day)
            rows = read_tables(files, INSPECTION_COLUMNS, [*LINE_KEY, "inspected_on", *CONTRACT_LABELS])
            rows = rows.filter(pl.col("declaration_id").is_in(parcels.implode()))
            parts.append(_inspections(rows.with_columns(pl.lit(day).alias("reported_on"))))
        return pl.concat(parts)


def _made(
    receipts: pl.DataFrame, taxes: pl.DataFrame, lines: pl.DataFrame, inspected: pl.DataFrame
) -> pl.DataFrame:
    """What documents say of lines, with `declared_on`."""
    outcomes = receipt_outcomes(receipts, lines)
    columns = [*INSPECTION_KEY, "inspected_on"]
    known = pl.concat([outcomes.select(columns), inspected.select(columns)]).unique()
    rows = outcomes_with_prices(outcomes, assessed_prices(taxes, known, lines))
    rows = rows.join(lines.select(*LINE_KEY, "declared_on"), on=LINE_KEY)
    return rows.filter(pl.col("inspected_on") >= pl.col("declared_on"))


def _with_channel(rows: pl.DataFrame, channels: pl.DataFrame) -> pl.DataFrame:
    """The same with `_CHANNEL`: that of a list, else an officer's."""
    joined = rows.join(channels, on="declaration_id", how="left")
    selection = pl.col("selection").fill_null(_OFFICER)
    return joined.with_columns(selection).select(*OUTCOME_COLUMNS, *_CHANNEL)


def _rows_about(ids: UInt64Array, files: Iterable[Path], table: DocumentTable) -> pl.DataFrame:
    """The rows of some files of a table about declarations with these hashes, or without a number."""
    wanted = list(_TOLD[table.name])
    parts = [read_tables([], table.columns, wanted)]
    for file in sorted(files):
        rows = read_tables([file], table.columns, wanted)
        name = rows["declaration_id"]
        about = pl.Series(contains(ids, hash_text(name).to_numpy())) | name.is_null()
        parts.append(rows.filter(about))
    return pl.concat(parts)


def _inspections(results: pl.DataFrame) -> pl.DataFrame:
    """Results with whether anything was found."""
    found = pl.any_horizontal(pl.col(CONTRACT_LABELS).fill_null(False))
    return results.select(*INSPECTION_KEY, "inspected_on", found.alias("found"))


def _resolved(receipts: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Receipts with the number of their inventory: its own, or that of the seller's own number."""
    columns = ("declaration_id", "status", "sent_at")
    owners = lines.select("declaration_id", *_OWN).drop_nulls().sort("declaration_id")
    owners = owners.unique(_OWN, keep="first", maintain_order=True)
    nameless = _without_lines(receipts, lines).drop("declaration_id")
    by_own = nameless.join(owners, on=_OWN).select(columns)
    return pl.concat([receipts.drop_nulls("declaration_id").select(columns), by_own]).unique()


def _without_lines(receipts: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Receipts that name no inventory, or one that nobody knows by that number."""
    return receipts.join(lines.select("declaration_id").unique(), on="declaration_id", how="anti")
