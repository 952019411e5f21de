"""Second pass of an ingest: merges new lines into the store's days, in memory of a bucket's size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from features.declarations import DECLARATION_COLUMNS
from features.hashing import hash_text
from pipelines.journal import Transaction
from pipelines.merge import LEDGER_COLUMNS, Merged, content_hash, merge
from pipelines.spool import Spool, complete
from pipelines.store import Store
from pipelines.store_files import (
    bucket_count,
    bucket_hash,
    bucket_of,
    bucket_range,
    read_tables,
    write_bucket,
    write_table,
)

MERGE_ROWS: Final = 500_000
_TOP: Final = (1 << 64) - 1
_ORIGIN_COLUMNS: Final[dict[str, pl.DataType]] = {
    "_file": pl.Int32(),
    "_source_row": pl.Int64(),
    "_offset": pl.Int64(),
    "_message_at": pl.Datetime("us", "UTC"),
    "_action": pl.String(),
    "_content": pl.UInt64(),
    "_day": pl.Date(),
    "_id_hash": pl.UInt64(),
}


@dataclass
class Changes:
    """What the second pass did.

    Attributes:
        kept: rows of this run that the store took.
        superseded: rows that were repeats or overtaken.
        by_file: the same two for each file, where they were counted so.
        duplicates: ``_file`` and ``_source_row`` of rows whose key was taken.
        replaced: lines that the store held and that were changed or deleted.
        days: days whose lines are not as they were.
    """

    kept: int = 0
    superseded: int = 0
    by_file: dict[int, tuple[int, int]] = field(default_factory=dict)
    replaced: int = 0
    duplicates: list[pl.DataFrame] = field(default_factory=list)
    days: set[date] = field(default_factory=set)

    def count(self, kept: pl.DataFrame, repeats: pl.DataFrame) -> None:
        """Add rows, by the file that they came from."""
        self.kept += kept.height
        self.superseded += repeats.height
        for place, rows in enumerate((kept, repeats)):
            for number, count in rows["_file"].value_counts().iter_rows():
                counts = list(self.by_file.get(number, (0, 0)))
                counts[place] += count
                self.by_file[number] = (counts[0], counts[1])


class DayWriter:
    """Merges a spool of valid lines into the store.

    Args:
        store: locked by the caller.
        t: the transaction that carries the change.
        schema: columns of a line, the contract's and all extra ones of the store and of the run.
        bucket_rows: about how many lines a bucket file should hold.
        folder: for working files, thrown away by the caller.
    """

    def __init__(
        self,
        store: Store,
        t: Transaction,
        schema: dict[str, pl.DataType],
        *,
        bucket_rows: int,
        folder: Path,
    ) -> None:
        self._store = store
        self._t = t
        self._schema = schema
        self._extras = [name for name in schema if name not in DECLARATION_COLUMNS]
        self._bucket_rows = bucket_rows
        self._folder = folder
        self._merge_rows = MERGE_ROWS

    def write(self, incoming: Spool) -> Changes:
        """Merge and write; days whose lines stay as they are keep their files."""
        changes = Changes()
        if not incoming.rows:
            return changes
        ids = incoming.column("_id_hash").sort()
        stored = self._stored(ids)
        known = self._known_messages(ids)
        ledger: list[pl.DataFrame] = []
        # The lines of the declarations that change, as they shall be, with the day that they go to.
        rewritten = Spool(self._folder / "rewritten", "_bucket")
        touched: dict[date, list[pl.Series]] = {}
        parts = -(-(incoming.rows + stored.rows) // self._merge_rows)
        for low, high in _ranges(parts):
            rows = _collect(incoming.scan(low, high), self._schema | _ORIGIN_COLUMNS)
            before = _collect(stored.scan(low, high), self._schema | _STORED_COLUMNS)
            messages = known.filter(pl.col("_id_hash").is_between(low, high)).select(*LEDGER_COLUMNS)
            merged = merge(rows, before, messages)
            changes.kept += merged.kept.height
            changes.superseded += merged.superseded
            changes.replaced += merged.removed.height
            changes.duplicates.append(merged.duplicates)
            ledger.append(merged.ledger)
            for (day,), ids_of_day in _touched(merged).group_by("_day"):
                assert isinstance(day, date)
                touched.setdefault(day, []).append(ids_of_day["declaration_id"])
            rewritten.add(_rewritten(before, merged, list(self._schema)))
        fresh = _ByDay(rewritten, self._merge_rows)
        for day in sorted(touched):
            self._write_day(day, pl.concat(touched[day]).unique(), fresh)
        changes.days = set(touched)
        self._write_ledger(pl.concat(ledger))
        return changes

    def _stored(self, ids: pl.Series) -> Spool:
        """What the store holds, on any day, of these declarations."""
        spool = Spool(self._folder / "stored", "_id_hash")
        for day in self._store.declaration_days():
            for path in self._store.declaration_files(day):
                hashes = hash_text(read_tables([path], self._schema, ["declaration_id"]).to_series())
                found = hashes.is_in(ids.implode())
                if found.any():
                    lines = read_tables([path], self._schema, None).filter(found)
                    spool.add(
                        lines.with_columns(
                            content_hash(lines, list(DECLARATION_COLUMNS), self._extras),
                            pl.lit(day).alias("_day"),
                            hashes.filter(found).alias("_id_hash"),
                        )
                    )
        return spool

    def _known_messages(self, ids: pl.Series) -> pl.DataFrame:
        frames = [pl.DataFrame(schema=LEDGER_COLUMNS | {"_id_hash": pl.UInt64()})]
        for path in sorted((self._store.path / "ledger").glob("*.parquet")):
            entries = pl.read_parquet(path, hive_partitioning=False, glob=False)
            entries = entries.with_columns(hash_text(entries["declaration_id"]).alias("_id_hash"))
            frames.append(entries.filter(pl.col("_id_hash").is_in(ids.implode())))
        return pl.concat(frames)

    def _write_ledger(self, entries: pl.DataFrame) -> None:
        if entries.is_empty():
            return
        number = len(list((self._store.path / "ledger").glob("*.parquet"))) + 1
        write_table(entries.sort(*LEDGER_COLUMNS), self._t.stage_file(f"ledger/run-{number:06d}.parquet"))

    def _write_day(self, day: date, touched: pl.Series, rewritten: _ByDay) -> None:
        files = self._store.declaration_files(day)
        gone = touched.implode()
        rows, filled = rewritten.summary(day, self._extras)
        for path in files:
            lines = read_tables([path], self._schema, ["declaration_id", *self._extras])
            lines = lines.filter(~pl.col("declaration_id").is_in(gone))
            rows += lines.height
            filled |= _filled(lines, self._extras)
        folder = self._t.stage(self._store.partition("declarations", day))
        if not rows:
            self._store.note_checks(self._t, day)
            return
        columns = [*DECLARATION_COLUMNS, *sorted(filled)]
        count = bucket_count(rows, self._bucket_rows)
        for number in range(count):
            low, high = bucket_range(number, count)
            frames = [
                _within(read_tables([path], self._schema, None), low, high).filter(
                    ~pl.col("declaration_id").is_in(gone)
                )
                for path in files
                if _overlaps(path, low, high)
            ]
            fresh = complete(rewritten.rows(day, low, high), self._schema.items())
            write_bucket(pl.concat([*frames, fresh]).select(columns), folder, number, count)
        self._store.note_checks(self._t, day)


class _ByDay:
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
            return frame.height, _filled(frame, [name for name in names if name in frame.columns])
        rows = self._spool.scan()
        assert rows is not None
        of_day = rows.filter(pl.col("_day") == day)
        count, *filled = of_day.select(pl.len(), pl.col(names).is_not_null().any()).collect().row(0)
        return count, {name for name, found in zip(names, filled, strict=True) if found}


_STORED_COLUMNS: Final[dict[str, pl.DataType]] = {
    name: _ORIGIN_COLUMNS[name] for name in ("_content", "_day", "_id_hash")
}


def _rewritten(before: pl.DataFrame, merged: Merged, columns: list[str]) -> pl.DataFrame:
    """All lines of the declarations that change, on the days on which they change, as they shall be."""
    keys = ["declaration_id", "line_no", "_day"]
    left = before.join(merged.removed, on=keys, how="anti")
    left = left.join(_touched(merged), on=["declaration_id", "_day"], how="semi")
    lines = pl.concat([left.select(*columns, "_day"), merged.kept.select(*columns, "_day")])
    return lines.with_columns(bucket_hash(lines, ("declaration_id", "_day")).alias("_bucket"))


def _touched(merged: Merged) -> pl.DataFrame:
    columns = ["declaration_id", "_day"]
    return pl.concat([merged.kept.select(columns), merged.removed.select(columns)]).unique()


def _collect(rows: pl.LazyFrame | None, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    if rows is None:
        return pl.DataFrame(schema=schema)
    return complete(rows.collect(), schema.items())


def _ranges(parts: int) -> Iterator[tuple[int, int]]:
    width = (1 << 64) // parts
    for part in range(parts):
        yield part * width, _TOP if part == parts - 1 else (part + 1) * width - 1


def _within(lines: pl.DataFrame, low: int, high: int) -> pl.DataFrame:
    if (low, high) == (0, _TOP):
        return lines
    return lines.filter(bucket_hash(lines).is_between(low, high))


def _overlaps(path: Path, low: int, high: int) -> bool:
    first, last = bucket_range(*bucket_of(path))
    return first <= high and last >= low


def _filled(lines: pl.DataFrame, names: list[str]) -> set[str]:
    return {name for name in names if lines[name].null_count() < lines.height}
