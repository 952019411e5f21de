"""Merges documents that came in into the tables of a store, some at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from features.arrays.types import UInt64Array
from features.contract.documents import DOCUMENT_PARTS, DocumentTable
from pipelines.documents.known import (
    VERSION_COLUMNS,
    document_hash,
    received_on,
    write_document_buckets,
)
from pipelines.documents.versions import ORIGIN, MergedVersions, VersionKey, merge_versions
from pipelines.keys.hash_sets import contains
from pipelines.keys.key_index import IndexedKey, document_key, files_with
from pipelines.store.buckets import hash_ranges, overlaps
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout
from pipelines.store.spool import Spool, collected, complete

_WORKING: Final[dict[str, pl.DataType]] = {**ORIGIN, "part": pl.String(), "_key": pl.UInt64()}


@dataclass
class DocumentChanges:
    """What a run did to a table.

    Attributes:
        kept: rows that the table holds now, by their `_file`.
        superseded: rows that are repeats, were overtaken or delete, by their `_file`.
        duplicates: `_file` and `_source_row` of rows whose line a message states twice, in two ways.
        days: days whose documents are not as they were.
        holding: what the table holds now of the documents that came in; None: nothing.
        held: what it held of them before.
        ended: their versions and deletions that no longer hold.
    """

    kept: Counter[int] = field(default_factory=Counter)
    superseded: Counter[int] = field(default_factory=Counter)
    duplicates: list[pl.DataFrame] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    holding: Spool | None = None
    held: Spool | None = None
    ended: Spool | None = None

    def count(self, merged: MergedVersions) -> None:
        """Count what became of rows that came in."""
        superseded = merged.superseded.filter("_is_row")
        self.kept.update(dict(merged.kept["_file"].value_counts().iter_rows()))
        self.superseded.update(dict(superseded["_file"].value_counts().iter_rows()))
        self.duplicates.append(merged.duplicates.select("_file", "_source_row"))

    def versions(self, columns: Mapping[str, pl.DataType]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Some columns of what holds, of what held before, and of what ended."""
        spools = (self.holding, self.held, self.ended)
        scans = (None if spool is None else spool.scan() for spool in spools)
        now, before, past = (collected(scan, dict(columns)) for scan in scans)
        return now, before, past


@dataclass(frozen=True)
class DocumentWriter:
    """Writes what came in of one table, which the caller's transaction puts in place.

    Attributes:
        layout: of the store, which the caller has locked.
        t: the transaction that carries the change.
        table: the table.
        folder: for working files, thrown away by the caller.
        bucket_rows: about how many rows a file should hold.
        merge_rows: rows that are compared at once.
    """

    layout: Layout
    t: Transaction
    table: DocumentTable
    folder: Path
    bucket_rows: int
    merge_rows: int

    @property
    def _key(self) -> IndexedKey:
        return document_key(self.table.name)

    @property
    def _tables(self) -> tuple[DayTable, DayTable]:
        now = DayTable.named(self.table.name)
        return now, now.changed

    def write(self, incoming: Spool) -> DocumentChanges:
        """Merge and write; days whose documents stay as they are keep their files.

        `incoming` holds rows of the table with `ORIGIN`, `part` and `_key`.
        """
        changes = DocumentChanges()
        ids = np.sort(incoming.column("_key").to_numpy())
        if not len(ids):
            return changes
        stored = {table: self._stored(table, ids) for table in self._tables}
        outcome = {table: Spool(self.folder / f"new-{table.name}", "_key") for table in self._tables}
        total = incoming.rows + sum(spool.rows for spool, _ in stored.values())
        for low, high in hash_ranges(total, self.merge_rows):
            rows = collected(incoming.scan(low, high), self.table.columns | _WORKING)
            now, past = (
                collected(stored[table][0].scan(low, high), self.table.columns | VERSION_COLUMNS)
                for table in self._tables
            )
            for table, result in zip(self._tables, self._merged(rows, now, past, changes), strict=True):
                keyed = result.with_columns(document_hash(result, self.table))
                outcome[table].add(keyed.with_columns(received_on(result, self.table)))
        current, changed = self._tables
        changes.holding, changes.ended = outcome[current], outcome[changed]
        changes.held = stored[current][0]
        for table in self._tables:
            changes.days |= self._write_days(table, ids, outcome[table], stored[table][1])
        return changes

    def _stored(self, table: DayTable, ids: UInt64Array) -> tuple[Spool, set[date]]:
        """What the store holds of these documents, and on which days."""
        spool, days = Spool(self.folder / f"stored-{table.name}", "_key"), set[date]()
        columns = self.table.columns | VERSION_COLUMNS
        for day in self.layout.days(table):
            for path in files_with(self.layout, self.layout.files(table, day), self._key, ids):
                hashes = self._hashes(path)
                about = pl.Series(contains(ids, hashes.to_numpy()))
                if about.any():
                    rows = read_tables([path], columns, None).filter(about)
                    spool.add(rows.with_columns(hashes.filter(about)))
                    days.add(day)
        return spool, days

    def _hashes(self, path: Path) -> pl.Series:
        """`_key` of each row of a file."""
        return document_hash(read_tables([path], self.table.columns, list(self._key.columns)), self.table)

    def _merged(
        self, rows: pl.DataFrame, now: pl.DataFrame, past: pl.DataFrame, changes: DocumentChanges
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The rows of some documents as the table, and what it held before, shall have them."""
        part = DOCUMENT_PARTS.get(self.table.name)
        of_part = (part.sent, *part.told) if part else ()
        skipped = {*self.table.row_key, "sent_at", "action", *of_part}
        content = tuple(name for name in self.table.columns if name not in skipped)
        key = VersionKey(self.table.key, self.table.line, "sent_at", content)
        documents = merge_versions(
            rows.filter(pl.col("part") == ""),
            pl.concat([now.filter(pl.col("sent_at").is_not_null()), past.filter(pl.col("part") == "")]),
            key,
        )
        changes.count(documents)
        before = [documents.past.with_columns(pl.lit("").alias("part"))]
        holds = documents.now
        if part is not None:
            key = VersionKey(part.key, "", part.sent, part.told)
            told = now.filter(pl.col(part.sent).is_not_null()).with_columns(pl.lit("new").alias("action"))
            told = told.select(*key.columns, "held_until").unique()
            parts = merge_versions(
                rows.filter(pl.col("part") == part.name),
                pl.concat([told, past.filter(pl.col("part") == part.name).select(*told.columns)]),
                key,
            )
            changes.count(parts)
            before.append(parts.past.with_columns(pl.lit(part.name).alias("part")))
            found = parts.now.drop("action")
            alone = found.join(holds, on=part.key, how="anti", nulls_equal=True)
            holds = holds.join(found, on=part.key, how="left", nulls_equal=True)
            holds = pl.concat([holds, alone], how="diagonal")
        past = pl.concat(before, how="diagonal")
        schema = self.table.columns
        return complete(holds, schema.items()), complete(past, (schema | VERSION_COLUMNS).items())

    def _write_days(self, table: DayTable, ids: UInt64Array, new: Spool, days: set[date]) -> set[date]:
        """Write the days on which documents are new, or are no more; returns them."""
        changed = {*new.column("received_on"), *days}
        for day in sorted(changed):
            self._write_day(table, day, ids, new)
        return changed

    def _write_day(self, table: DayTable, day: date, ids: UInt64Array, new: Spool) -> None:
        is_past = table != self._tables[0]
        columns = self.table.columns | (VERSION_COLUMNS if is_past else {})
        files = self.layout.files(table, day)
        is_left = {path: pl.Series(~contains(ids, self._hashes(path).to_numpy())) for path in files}
        is_of_day = pl.col("received_on") == day

        def bucket(low: int, high: int) -> pl.DataFrame:
            left = [
                read_tables([path], columns, None).filter(is_left[path])
                for path in files
                if overlaps(path, low, high)
            ]
            others = pl.concat([read_tables([], columns, None), *left])
            others = others.filter(document_hash(others, self.table).is_between(low, high))
            scan = new.scan(low, high)
            return pl.concat([others, collected(scan if scan is None else scan.filter(is_of_day), columns)])

        scan = new.scan()
        rows = 0 if scan is None else scan.filter(is_of_day).select(pl.len()).collect().item()
        rows += sum(int(each.sum()) for each in is_left.values())
        ranges = hash_ranges(rows, self.bucket_rows) if rows else []
        buckets = (bucket(low, high) for low, high in ranges)
        write_document_buckets(self.t, self.layout, table, day, (len(ranges), buckets))
