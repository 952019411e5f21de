"""Second pass of an ingest: merges new lines into the store's days, in memory of some buckets' size."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from configs.schema.pipeline import IngestConfig
from features.arrays.hashing import hash_text
from features.arrays.types import UInt64Array
from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.ingest.accounts import Changes
from pipelines.ingest.line_spool import LineSpool
from pipelines.ingest.merging.disputes import Disputes, Settled
from pipelines.ingest.merging.ended_versions import write_ended
from pipelines.ingest.merging.merge import LEDGER_COLUMNS
from pipelines.ingest.merging.withdrawals import Cancelling
from pipelines.keys.hash_sets import contains
from pipelines.keys.key_index import write_index, write_indexed
from pipelines.store.bucket_checks import require_undamaged
from pipelines.store.buckets import TOP, bucket_count, bucket_hash, bucket_range, overlaps, write_bucket
from pipelines.store.day_table import DayTable
from pipelines.store.files import filled, read_tables
from pipelines.store.journal import Transaction
from pipelines.store.spool import Spool, complete
from pipelines.store.store import Store


@dataclass(frozen=True)
class _Bucket:
    """A file to write: bucket `number` of the `count` buckets of a day, with these columns."""

    day: date
    folder: Path
    number: int
    count: int
    columns: list[str]


@dataclass(frozen=True)
class DayWriter:
    """Merges the valid lines of a run into the store.

    Attributes:
        store: locked by the caller.
        t: the transaction that carries the change.
        schema: columns of a line, the contract's and all extra ones of the store and of the run.
        folder: for working files, thrown away by the caller.
        bucket_rows: about how many lines a bucket file should hold.
        settings: how many buckets are worked on at the same time, how many lines are compared at once.
    """

    store: Store
    t: Transaction
    schema: dict[str, pl.DataType]
    folder: Path
    bucket_rows: int
    settings: IngestConfig

    @property
    def _extras(self) -> list[str]:
        return [name for name in self.schema if name not in DECLARATION_COLUMNS]

    def write(self, incoming: LineSpool, taken: Spool, cancelling: Cancelling) -> Changes:
        """Merge and write; days whose lines stay as they are keep their files.

        What the store takes is noted in `taken` (`TAKEN_ROWS`).
        """
        changes = Changes(taken)
        if not incoming.rows and not len(cancelling.touched):
            return changes
        workers, merge_rows = self.settings.workers, self.settings.merge_rows
        disputes = Disputes(self.store, self.schema, self.folder, merge_rows, workers)
        settled = disputes.settle(incoming, cancelling, changes)
        new = incoming.by_day(settled.disputed)
        for rows in incoming.taken(settled.disputed):
            changes.keep(rows)
            changes.take(rows)
        changes.days = self.rewrite(settled, incoming, new)
        changes.late = settled.late | new.keys()
        self._write_ledger(settled.ledger)
        if settled.whole:
            write_ended(self.t, self.store.layout, settled.ended, settled.whole, self.schema)
        return changes

    def rewrite(
        self, settled: Settled, incoming: LineSpool, new: Mapping[date, tuple[int, set[str]]]
    ) -> set[date]:
        """Write the days that change, and return them; `new` is what `incoming` brings to each."""
        days = {*new, *settled.gone}
        buckets = [
            bucket
            for day in sorted(days)
            for bucket in self._buckets(day, *new.get(day, (0, set())), settled)
        ]

        def write(bucket: _Bucket) -> None:
            write_bucket(self._lines(bucket, incoming, settled), bucket.folder, bucket.number, bucket.count)

        with ThreadPoolExecutor(self.settings.workers) as pool:
            list(pool.map(write, buckets))
            list(
                pool.map(lambda day: write_index(self.t, self.store.layout, DayTable.DECLARATIONS, day), days)
            )
        return days

    def _buckets(self, day: date, rows: int, names: set[str], settled: Settled) -> list[_Bucket]:
        """The files that the day will have; it loses those that it has."""
        require_undamaged(self.store.layout, day)
        changed, names_of_changed = settled.rewritten.summary(day, self._extras)
        rows, names = rows + changed, names | names_of_changed
        gone = settled.gone.get(day)
        for path in self.store.layout.buckets(day):
            lines = _without(gone, read_tables([path], self.schema, ["declaration_id", *self._extras]))
            rows += lines.height
            names |= filled(lines, self._extras)
        folder = self.t.stage(self.store.layout.partition(DayTable.DECLARATIONS, day))
        count = bucket_count(rows, self.bucket_rows) if rows else 0
        columns = [*DECLARATION_COLUMNS, *sorted(names)]
        return [_Bucket(day, folder, number, count, columns) for number in range(count)]

    def _lines(self, bucket: _Bucket, incoming: LineSpool, settled: Settled) -> pl.DataFrame:
        """All lines of a bucket as the store shall hold them."""
        low, high = bucket_range(bucket.number, bucket.count)
        gone = settled.gone.get(bucket.day)
        frames = [
            _without(gone, _within(read_tables([path], self.schema, None), low, high))
            for path in self.store.layout.buckets(bucket.day)
            if overlaps(path, low, high)
        ]
        frames.append(settled.rewritten.rows(bucket.day, low, high))
        frames += incoming.lines(bucket.day, low, high, settled.disputed)
        return pl.concat([complete(frame, self.schema.items()).select(bucket.columns) for frame in frames])

    def _write_ledger(self, entries: pl.DataFrame) -> None:
        if entries.is_empty():
            return
        layout = self.store.layout
        file = layout.ledger_file(len(layout.ledger) + 1)
        write_indexed(self.t, layout, file, entries.sort(*LEDGER_COLUMNS))


def _without(gone: UInt64Array | None, lines: pl.DataFrame) -> pl.DataFrame:
    if gone is None:
        return lines
    return lines.filter(pl.Series(~contains(gone, hash_text(lines["declaration_id"]).to_numpy())))


def _within(lines: pl.DataFrame, low: int, high: int) -> pl.DataFrame:
    if (low, high) == (0, TOP):
        return lines
    return lines.filter(bucket_hash(lines).is_between(low, high))
