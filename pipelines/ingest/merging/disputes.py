"""Settles what becomes of the lines whose declaration the store, a message or another chunk knows already."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from features.arrays.hashing import hash_text
from features.arrays.types import UInt64Array
from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.reject_reasons import RejectReason
from pipelines.ingest.accounts import Changes
from pipelines.ingest.line_spool import LineSpool
from pipelines.ingest.merging.ended_versions import ENDED, LINE_SENT
from pipelines.ingest.merging.merge import LEDGER_COLUMNS, ORIGIN, Merged, content_hash
from pipelines.ingest.merging.number_owners import OF_OWNER, OWNER_COLUMNS, with_owners
from pipelines.ingest.merging.timelines import Timelines
from pipelines.ingest.merging.withdrawals import Cancelling
from pipelines.ingest.reading.source import MESSAGE_COLUMNS
from pipelines.keys.hash_sets import contains, sorted_union
from pipelines.keys.key_index import DECLARATION, files_with
from pipelines.store.buckets import bucket_hash, hash_ranges
from pipelines.store.day_table import DayTable
from pipelines.store.files import filled, read_tables, read_whole
from pipelines.store.spool import Spool, collected, complete
from pipelines.store.store import Store

_STORED_COLUMNS: Final[dict[str, pl.DataType]] = {"_day": pl.Date(), "_id_hash": pl.UInt64()}
_KNOWN_COLUMNS: Final = LEDGER_COLUMNS | OWNER_COLUMNS
_INCOMING_COLUMNS: Final = ORIGIN | MESSAGE_COLUMNS | _STORED_COLUMNS


@dataclass
class Settled:
    """How the disputes of a run ended.

    Attributes:
        disputed: hashes of all declarations that were looked at, ascending.
        rewritten: the lines of declarations that change, as they shall be, by day.
        gone: by day, hashes of the declarations whose stored lines `rewritten` replaces, ascending.
        ledger: the messages that decided.
        ended: lines of versions that no longer hold, with `ENDED` and `_day`.
        whole: by day, hashes of the declarations of which `ended` has all of them, ascending.
        late: the days from which on what is known is not what it was.
    """

    disputed: UInt64Array
    rewritten: LinesByDay
    gone: dict[date, UInt64Array]
    ledger: pl.DataFrame
    ended: pl.DataFrame = field(default_factory=pl.DataFrame)
    whole: dict[date, UInt64Array] = field(default_factory=dict)
    late: set[date] = field(default_factory=set)


class LinesByDay:
    """Lines to write, by day: held in memory where they are few, else read from the spool."""

    def __init__(self, spool: Spool, memory_rows: int) -> None:
        self._spool = spool
        self._days: dict[date, pl.DataFrame] | None = None
        if spool.rows <= memory_rows:
            rows = spool.scan()
            frames = {} if rows is None else rows.collect().partition_by("_day", as_dict=True)
            self._days = {day: frame for (day,), frame in frames.items()}

    def rows(self, day: date, low: int, high: int) -> pl.DataFrame:
        """Lines of a day with a bucket hash in a range (inclusive)."""
        if self._days is not None:
            frame = self._days.get(day, pl.DataFrame({"_bucket": pl.Series([], dtype=pl.UInt64)}))
            return frame.filter(pl.col("_bucket").is_between(low, high))
        rows = self._spool.scan(low, high)
        assert rows is not None
        return rows.filter(pl.col("_day") == day).collect()

    def summary(self, day: date, names: list[str]) -> tuple[int, set[str]]:
        """How many lines a day has, and which of some columns hold anything."""
        if self._days is not None:
            frame = self._days.get(day, pl.DataFrame())
            return frame.height, filled(frame, [name for name in names if name in frame.columns])
        rows = self._spool.scan()
        assert rows is not None
        of_day = rows.filter(pl.col("_day") == day)
        count, *holds_any = of_day.select(pl.len(), pl.col(names).is_not_null().any()).collect().row(0)
        return count, {name for name, any_ in zip(names, holds_any, strict=True) if any_}


@dataclass(frozen=True)
class Disputes:
    """Compares the disputed lines of a run with each other and with the store, some at a time.

    Attributes:
        store: locked by the caller.
        schema: columns of a line, the contract's and all extra ones of the store and of the run.
        folder: for working files, thrown away by the caller.
        merge_rows: lines that are compared at once.
        workers: stored files that are read at the same time.
    """

    store: Store
    schema: dict[str, pl.DataType]
    folder: Path
    merge_rows: int
    workers: int

    def settle(self, incoming: LineSpool, cancelling: Cancelling, changes: Changes) -> Settled:
        """Find the lines that are disputed, merge them, and count them among the changes."""
        ids = sorted_union([incoming.ids(), cancelling.touched])
        times, known = cancelling.of(ids), self._known_messages(ids)
        stored, known_ids = self._held(ids, DayTable.DECLARATIONS)
        ended, _ = self._held(ids, DayTable.CHANGED_DECLARATIONS)
        disputed = incoming.dispute(sorted_union([known_ids, known["_id_hash"].to_numpy(), times.ids]))
        spool = Spool(self.folder / "rewritten", "_bucket")
        ledger = [pl.DataFrame(schema=_KNOWN_COLUMNS)]
        gone, touched, whole = (list[pl.DataFrame]() for _ in range(3))
        late = set[date]()
        total = incoming.disputed.rows + stored.rows + ended.rows
        for low, high in hash_ranges(total, self.merge_rows) if total else []:
            disputes = incoming.disputed.scan(low, high)
            rows = self._content(collected(disputes, self.schema | _INCOMING_COLUMNS))
            messages = known.filter(pl.col("_id_hash").is_between(low, high))
            rows = with_owners(rows, messages)
            changes.refuse(rows.filter("_is_strange"), RejectReason.SHARED_NUMBER)
            rows = rows.filter(~pl.col("_is_strange"))
            before = [self._content(collected(part.scan(low, high), self._piece)) for part in (stored, ended)]
            timeline = Timelines.of(rows, before, messages, times.within(low, high), self.schema)
            merged = timeline.merged
            changes.keep(timeline.taken)
            changes.superseded += merged.superseded + merged.kept.height - timeline.taken.height
            changes.replaced += timeline.removed.height
            changes.refuse(merged.duplicates, RejectReason.DUPLICATE_KEY)
            named = {name: OF_OWNER + name for name in OWNER_COLUMNS}
            owners = rows.select("declaration_id", **named).unique("declaration_id")
            told = pl.concat([merged.decided.select(*LEDGER_COLUMNS), merged.first])
            ledger.append(told.join(owners, on="declaration_id", how="left"))
            changes.untimely += merged.untimely
            changes.take(_taken(merged))
            spool.add(_rewritten(before[0], timeline, list(self.schema)))
            gone.append(timeline.ended)
            touched.append(timeline.touched)
            whole.append(timeline.whole)
            late |= timeline.late
        return Settled(
            disputed,
            LinesByDay(spool, self.merge_rows),
            _by_day(touched),
            pl.concat(ledger),
            pl.concat(gone) if gone else pl.DataFrame(),
            _by_day(whole),
            late,
        )

    @property
    def _piece(self) -> dict[str, pl.DataType]:
        return {**self.schema, **LINE_SENT, **ENDED, **_STORED_COLUMNS}

    def _content(self, lines: pl.DataFrame) -> pl.DataFrame:
        extras = [
            name
            for name in self.schema
            # A message that is sent once more says the same.
            if name not in DECLARATION_COLUMNS and name != "sent_at"
        ]
        return lines.with_columns(content_hash(lines, list(DECLARATION_COLUMNS), extras))

    def _held(self, ids: UInt64Array, table: DayTable) -> tuple[Spool, UInt64Array]:
        """What a table of lines holds, on any day, of these declarations, and which of them it holds."""
        spool, schema = Spool(self.folder / f"held-{table.name}", "_id_hash"), {**self.schema, **ENDED}
        layout = self.store.layout
        days = {path: day for day in layout.days(table) for path in layout.files(table, day)}

        def look_up(path: Path) -> UInt64Array:
            hashes = hash_text(read_tables([path], schema, ["declaration_id"]).to_series())
            matches = contains(ids, hashes.to_numpy())
            if not matches.any():
                return np.empty(0, dtype=np.uint64)
            chosen = pl.Series(matches)
            lines = read_tables([path], schema, None).filter(chosen)
            of_day = pl.lit(days[path]).alias("_day")
            spool.add(lines.with_columns(of_day, hashes.filter(chosen).alias("_id_hash")))
            return np.unique(hashes.to_numpy()[matches])

        with ThreadPoolExecutor(self.workers) as pool:
            files = files_with(layout, list(days), DECLARATION, ids)
            return spool, sorted_union(list(pool.map(look_up, files)))

    def _known_messages(self, ids: UInt64Array) -> pl.DataFrame:
        """The stored messages about these declarations."""
        frames = [pl.DataFrame(schema=_KNOWN_COLUMNS | {"_id_hash": pl.UInt64()})]
        layout = self.store.layout
        for path in files_with(layout, layout.ledger, DECLARATION, ids):
            entries = read_whole(path)
            # The ledger of an older version does not say whose a number is.
            entries = complete(entries, _KNOWN_COLUMNS.items())
            hashes = hash_text(entries["declaration_id"])
            chosen = pl.Series(contains(ids, hashes.to_numpy()))
            frames.append(entries.with_columns(hashes.alias("_id_hash")).filter(chosen))
        return pl.concat(frames)


def _rewritten(before: pl.DataFrame, after: Timelines, columns: list[str]) -> pl.DataFrame:
    """All lines of the declarations that change, on the days on which they change, as they shall be."""
    left = before.join(after.removed, on=["declaration_id", "line_no", "_day"], how="anti")
    left = left.join(after.touched, on=["_id_hash", "_day"], how="semi")
    lines = pl.concat([left.select(*columns, "_day"), after.kept.select(*columns, "_day")])
    return lines.with_columns(bucket_hash(lines, ("declaration_id", "_day")).alias("_bucket"))


def _taken(merged: Merged) -> pl.DataFrame:
    """The rows of tables that the store takes, and the messages that decide."""
    lines = merged.kept.filter(pl.col("_action").is_null()).select("_file", "_id_hash", "line_no")
    messages = merged.decided.select("_file", hash_text(merged.decided["declaration_id"]).alias("_id_hash"))
    return pl.concat([lines, messages.with_columns(pl.lit(0, pl.Int32).alias("line_no"))])


def _by_day(frames: Iterable[pl.DataFrame]) -> dict[date, UInt64Array]:
    """By day, the hashes in frames of `_id_hash` and `_day`, ascending."""
    days: dict[date, list[UInt64Array]] = {}
    for frame in frames:
        for (day,), of_day in frame.partition_by("_day", as_dict=True).items():
            days.setdefault(day, []).append(of_day["_id_hash"].to_numpy())
    return {day: sorted_union(parts) for day, parts in days.items()}
