"""Settles what becomes of the lines whose declaration the store, a message or another chunk knows already."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from features.arrays.hashing import hash_text
from features.arrays.types import UInt64Array
from features.contract.china_time import china_day
from features.contract.declarations import DECLARATION_COLUMNS, LINE_KEY
from features.contract.reject_reasons import RejectReason
from pipelines.ingest.accounts import Changes
from pipelines.ingest.line_spool import LineSpool, contains, sorted_union
from pipelines.ingest.merging.ended_versions import LINE_SENT, ended_versions
from pipelines.ingest.merging.merge import LEDGER_COLUMNS, NEVER, ORIGIN, Merged, content_hash, merge
from pipelines.ingest.merging.number_owners import OF_OWNER, OWNER_COLUMNS, with_owners
from pipelines.ingest.merging.withdrawals import NO_WITHDRAWALS, OF_NO_FILE, Withdrawals
from pipelines.ingest.reading.source import MESSAGE_COLUMNS
from pipelines.store.buckets import bucket_hash, hash_ranges
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
        late: the days from which on the history changes: see `_changing_from`.
    """

    disputed: UInt64Array
    rewritten: LinesByDay
    gone: dict[date, UInt64Array]
    ledger: pl.DataFrame
    ended: pl.DataFrame = field(default_factory=pl.DataFrame)
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
        withdrawals: what cancellations have put among the lines.
    """

    store: Store
    schema: dict[str, pl.DataType]
    folder: Path
    merge_rows: int
    workers: int
    withdrawals: Withdrawals = NO_WITHDRAWALS

    def settle(self, incoming: LineSpool, changes: Changes) -> Settled:
        """Find the lines that are disputed, merge them, and count them among the changes."""
        ids = incoming.ids()
        stored, known_ids = self._stored(ids)
        known = self._known_messages(ids)
        disputed = incoming.dispute(sorted_union([known_ids, known["_id_hash"].to_numpy()]))
        spool = Spool(self.folder / "rewritten", "_bucket")
        ledger = [pl.DataFrame(schema=_KNOWN_COLUMNS)]
        ended = list[pl.DataFrame]()
        gone: dict[date, list[UInt64Array]] = {}
        late = set[date]()
        total = incoming.disputed.rows + stored.rows
        for low, high in hash_ranges(total, self.merge_rows) if total else []:
            disputes = incoming.disputed.scan(low, high)
            rows = self._content(collected(disputes, self.schema | _INCOMING_COLUMNS))
            before = self._content(collected(stored.scan(low, high), self.schema | _STORED_COLUMNS))
            messages = known.filter(pl.col("_id_hash").is_between(low, high))
            rows = with_owners(rows, messages)
            changes.refuse(rows.filter("_is_strange"), RejectReason.SHARED_NUMBER)
            rows = rows.filter(~pl.col("_is_strange"))
            merged = merge(rows, before, messages.select(*LEDGER_COLUMNS))
            changes.keep(merged.kept)
            changes.superseded += merged.superseded
            changes.replaced += merged.removed.height
            changes.refuse(merged.duplicates, RejectReason.DUPLICATE_KEY)
            named = {name: OF_OWNER + name for name in OWNER_COLUMNS}
            owners = rows.select("declaration_id", **named).unique("declaration_id")
            told = pl.concat([merged.decided.select(*LEDGER_COLUMNS), merged.first])
            ledger.append(told.join(owners, on="declaration_id", how="left"))
            changes.untimely += merged.untimely
            changes.take(_taken(merged))
            gone_lines = before.join(merged.removed, on=[*LINE_KEY, "_day"], how="semi")
            ended.append(ended_versions(rows, gone_lines, messages, self.schema))
            late |= _changing_from(rows, before, messages, merged, ended[-1])
            touched = _touched(merged)
            for (day,), of_day in touched.group_by("_day"):
                assert isinstance(day, date)
                gone.setdefault(day, []).append(of_day["_id_hash"].to_numpy())
            spool.add(_rewritten(before, merged, touched, list(self.schema)))
        return Settled(
            disputed,
            LinesByDay(spool, self.merge_rows),
            {day: sorted_union(parts) for day, parts in gone.items()},
            pl.concat(ledger),
            pl.concat(ended) if ended else pl.DataFrame(),
            late,
        )

    def _content(self, lines: pl.DataFrame) -> pl.DataFrame:
        extras = [
            name
            for name in self.schema
            # A message that is sent once more says the same.
            if name not in DECLARATION_COLUMNS and name != "sent_at"
        ]
        return lines.with_columns(content_hash(lines, list(DECLARATION_COLUMNS), extras))

    def _stored(self, ids: UInt64Array) -> tuple[Spool, UInt64Array]:
        """What the store holds, on any day, of these declarations, and which of them it holds."""
        spool = Spool(self.folder / "stored", "_id_hash")
        days = self.store.declaration_days()
        files = [(day, path) for day in days for path in self.store.layout.buckets(day)]

        def look_up(day_and_path: tuple[date, Path]) -> UInt64Array:
            day, path = day_and_path
            hashes = hash_text(read_tables([path], self.schema, ["declaration_id"]).to_series())
            matches = contains(ids, hashes.to_numpy())
            if not matches.any():
                return np.empty(0, dtype=np.uint64)
            chosen = pl.Series(matches)
            lines = read_tables([path], self.schema, None).filter(chosen)
            spool.add(lines.with_columns(pl.lit(day).alias("_day"), hashes.filter(chosen).alias("_id_hash")))
            return np.unique(hashes.to_numpy()[matches])

        with ThreadPoolExecutor(self.workers) as pool:
            return spool, sorted_union(list(pool.map(look_up, files)))

    def _known_messages(self, ids: UInt64Array) -> pl.DataFrame:
        """The stored messages about these declarations."""
        frames = [pl.DataFrame(schema=_KNOWN_COLUMNS | {"_id_hash": pl.UInt64()})]
        for path in self.store.layout.ledger:
            entries = read_whole(path)
            # The ledger of an older version does not say whose a number is.
            entries = self.withdrawals.without(complete(entries, _KNOWN_COLUMNS.items()))
            hashes = hash_text(entries["declaration_id"])
            chosen = pl.Series(contains(ids, hashes.to_numpy()))
            frames.append(entries.with_columns(hashes.alias("_id_hash")).filter(chosen))
        return pl.concat(frames)


def _rewritten(
    before: pl.DataFrame, merged: Merged, touched: pl.DataFrame, columns: list[str]
) -> pl.DataFrame:
    """All lines of the declarations that change, on the days on which they change, as they shall be."""
    left = before.join(merged.removed, on=["declaration_id", "line_no", "_day"], how="anti")
    left = left.join(touched, on=["_id_hash", "_day"], how="semi")
    lines = pl.concat([left.select(*columns, "_day"), merged.kept.select(*columns, "_day")])
    return lines.with_columns(bucket_hash(lines, ("declaration_id", "_day")).alias("_bucket"))


def _taken(merged: Merged) -> pl.DataFrame:
    """The rows of tables that the store takes, and the messages that decide."""
    lines = merged.kept.filter(pl.col("_action").is_null()).select("_file", "_id_hash", "line_no")
    messages = merged.decided.select("_file", hash_text(merged.decided["declaration_id"]).alias("_id_hash"))
    return pl.concat([lines, messages.with_columns(pl.lit(0, pl.Int32).alias("line_no"))])


def _changing_from(
    rows: pl.DataFrame, before: pl.DataFrame, known: pl.DataFrame, merged: Merged, ended: pl.DataFrame
) -> set[date]:
    """The days from which on what is known of declarations is not what it was.

    That is the day on which they were declared, but where a version of that day was known already: what was
    known before the first message that is new stays as it was.

    Args:
        rows: what came in.
        before: the lines that the store held of these declarations.
        known: the messages about them that it knew.
        merged: what the run does to them.
        ended: lines of versions that no longer hold.
    """
    parcel = ["declaration_id", "_day"]
    before = complete(before, {**LINE_SENT, "declaration_id": pl.String(), "_day": pl.Date()}.items())
    touched = pl.concat([part.select(parcel) for part in (merged.kept, merged.removed, ended)]).unique()
    told = [known.select("declaration_id", _at="message_at"), before.select("declaration_id", _at="sent_at")]
    messages = rows.filter(pl.col("_action").is_not_null()).select("declaration_id", _at="_message_at")
    news = messages.with_columns(pl.col("_at").fill_null(NEVER)).join(
        pl.concat(told), on=["declaration_id", "_at"], how="anti"
    )
    first = news.group_by("declaration_id").agg(pl.col("_at").min())
    # What comes back after a cancellation was known before it.
    back = rows.filter(pl.col("_file") == OF_NO_FILE, pl.col("_action") != "delete")
    held = pl.concat([before.select(*parcel, _since="sent_at"), back.select(*parcel, _since=pl.lit(NEVER))])
    since = held.group_by(parcel).agg(pl.col("_since").fill_null(NEVER).min())
    joined = touched.join(first, on="declaration_id", how="left").join(since, on=parcel, how="left")
    joined = joined.with_columns(_sent=china_day(joined["_at"]))
    day, is_known = pl.col("_day"), (pl.col("_since") < pl.col("_at")).fill_null(False)
    changing = pl.when(is_known).then(pl.max_horizontal(day, "_sent")).otherwise(day)
    return set(joined.select(changing.alias("_from")).to_series().drop_nulls())


def _touched(merged: Merged) -> pl.DataFrame:
    """Hash and day of each declaration that changes."""
    removed = merged.removed.select(hash_text(merged.removed["declaration_id"]).alias("_id_hash"), "_day")
    return pl.concat([merged.kept.select("_id_hash", "_day"), removed]).unique()
