"""Valid lines that wait on disk between the two passes of an ingest, and which of them need a closer look.

A line goes into the store as it is where its declaration is new: nothing of it is in the store, no message
was about it, all its lines are in one chunk, and no key occurs twice among them. Only the others are
compared. New declarations are recognised by 64-bit hashes of their numbers, eight bytes each; of two that
share a hash both are looked at.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from features.arrays.hashing import combined_hashes, text_hashes
from features.arrays.types import UInt64Array
from pipelines.ingest.reading.source import MESSAGE_COLUMNS
from pipelines.keys.hash_sets import contains, sorted_union
from pipelines.store.buckets import bucket_hash
from pipelines.store.files import filled, writing
from pipelines.store.spool import Spool

BATCH_ROWS: Final = 2_048
_SLICE_ROWS: Final = 32 * BATCH_ROWS
_PARCEL: Final = ("declaration_id", "_day")
_BUCKET: Final = "_bucket"


@dataclass(frozen=True)
class _Day:
    """One day in a part: its rows, from `first` to before `end`, and the extra columns that hold any."""

    first: int
    end: int
    filled: frozenset[str]


@dataclass(frozen=True)
class _Part:
    """A chunk's lines, sorted by day and bucket hash; `marks` is the hash of each `BATCH_ROWS`-th row. `file`
    is the file of all of them, but for small files that were gathered.
    """

    path: Path
    file: int
    days: dict[date, _Day]
    marks: UInt64Array

    def ids(self) -> UInt64Array:
        """The hash of each row's declaration, in the order of the rows."""
        return np.asarray(np.load(self.path.with_suffix(".npy")), dtype=np.uint64)

    def read(self, first: int, end: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Some of its rows; only the batches that hold them are read."""
        rows = pl.scan_ipc(self.path, glob=False, hive_partitioning=False).slice(first, end - first)
        return (rows if columns is None else rows.select(columns)).collect()

    def range_of(self, day: date, low: int, high: int) -> tuple[int, int]:
        """Rows among which all of a day with a bucket hash in a range (inclusive) are."""
        rows = self.days[day]
        before = -(-rows.first // BATCH_ROWS)
        marks = self.marks[before : -(-rows.end // BATCH_ROWS)]
        below = int(np.searchsorted(marks, np.uint64(low), side="left"))
        upto = int(np.searchsorted(marks, np.uint64(high), side="right"))
        first = rows.first if below == 0 else (before + below - 1) * BATCH_ROWS
        end = rows.end if upto == len(marks) else (before + upto) * BATCH_ROWS
        return first, end


class LineSpool:
    """The valid lines of a run, in an empty folder that the caller throws away.

    May be added to by several threads at once. `disputed` are the lines of declarations that need a closer
    look, by `_id_hash`.
    """

    def __init__(self, folder: Path) -> None:
        self.disputed = Spool(folder / "disputed", "_id_hash")
        self._folder = folder
        self._parts: list[_Part] = []
        self._made = 0
        self._lock = threading.Lock()

    @property
    def rows(self) -> int:
        """Lines of all kinds."""
        days = [day for part in self._parts for day in part.days.values()]
        return self.disputed.rows + sum(day.end - day.first for day in days)

    def add(self, lines: pl.DataFrame, file: int | pl.Series, extras: Sequence[str]) -> None:
        """Put a chunk's lines aside.

        They have `_source_row`, `MESSAGE_COLUMNS`, `_day`, `_id_hash` and `extras`, the columns beyond the
        contract's; `file` is the file's place among the run's, of many small files that of each row.
        """
        files = file if isinstance(file, pl.Series) else pl.lit(file, dtype=pl.Int32)
        lines = lines.with_columns(files.alias("_file"))
        ids = lines["_id_hash"].to_numpy()
        numbers = lines["line_no"].fill_null(0).to_numpy().astype(np.uint64)
        open_ = ~contains(_repeated(combined_hashes([ids, numbers]), ids), ids)
        if lines["_action"].null_count() < lines.height:
            open_ &= lines["_action"].is_null().to_numpy()
        if not open_.all():
            disputed = lines.filter(pl.Series(~open_))
            self.disputed.add(disputed)
            lines, ids = lines.filter(pl.Series(open_)), ids[open_]
        if lines.height:
            self._add_part(lines.drop(*MESSAGE_COLUMNS), ids, lines["_file"][0], extras)

    def _add_part(self, lines: pl.DataFrame, ids: UInt64Array, file: int, extras: Sequence[str]) -> None:
        buckets = _bucket_hashes(lines, ids)
        days = lines["_day"].to_physical().to_numpy()
        order = np.argsort(buckets) if days.min() == days.max() else np.lexsort((buckets, days))
        ordered = lines.with_columns(pl.Series(_BUCKET, buckets))[order]
        with self._lock:
            number = self._made
            self._made += 1
        path = self._folder / f"{number:06d}.arrow"
        with writing(path):
            ordered.write_ipc(path, compression="uncompressed", record_batch_size=BATCH_ROWS)
        np.save(path.with_suffix(".npy"), ids[order])
        part = _Part(path, file, _days(ordered, extras), buckets[order][::BATCH_ROWS].copy())
        with self._lock:
            self._parts.append(part)

    def forget(self, file: int) -> None:
        """Drop the lines of a file that turned out to be broken, but for the disputed ones."""
        for part in self._parts:
            if part.file == file:
                part.path.unlink()
                part.path.with_suffix(".npy").unlink()
        self._parts = [part for part in self._parts if part.file != file]

    def ids(self) -> UInt64Array:
        """The distinct hashes of all declarations, ascending."""
        ids = [np.unique(part.ids()) for part in self._parts]
        return sorted_union([*ids, self.disputed.column("_id_hash").to_numpy()])

    def dispute(self, ids: UInt64Array) -> UInt64Array:
        """Set lines apart for a closer look: of the declarations with these hashes, and of those in several
        parts. Returns the hashes of all declarations that are disputed now, ascending.
        """
        of_parts = [np.unique(part.ids()) for part in self._parts]
        of_parts.append(np.unique(self.disputed.column("_id_hash").to_numpy()))
        everything = np.concatenate(of_parts)
        everything.sort()
        several = everything[1:][everything[1:] == everything[:-1]]
        disputed = sorted_union([ids, several, of_parts[-1]])
        for part in self._parts:
            chosen = contains(disputed, part.ids())
            for first in range(0, len(chosen), _SLICE_ROWS):
                here = chosen[first : first + _SLICE_ROWS]
                if here.any():
                    lines = part.read(first, first + len(here)).filter(pl.Series(here)).drop(_BUCKET)
                    self.disputed.add(lines)
        return disputed

    def by_day(self, disputed: UInt64Array) -> dict[date, tuple[int, set[str]]]:
        """For each day its undisputed lines, and the extra columns that hold anything in them."""
        days: dict[date, tuple[int, set[str]]] = {}
        for part in self._parts:
            left = ~contains(disputed, part.ids())
            for day, rows in part.days.items():
                count = int(left[rows.first : rows.end].sum())
                names: set[str] = set(rows.filled)
                if names and 0 < count < rows.end - rows.first:
                    lines = part.read(rows.first, rows.end, sorted(names))
                    names = filled(lines.filter(pl.Series(left[rows.first : rows.end])), names)
                if count:
                    before = days.get(day, (0, set()))
                    days[day] = (before[0] + count, before[1] | names)
        return days

    def taken(self, disputed: UInt64Array) -> Iterator[pl.DataFrame]:
        """Yield `_file`, `_id_hash` and `line_no` of the undisputed lines."""
        for part in self._parts:
            ids = part.ids()
            rows = part.read(0, len(ids), ["_file", "line_no"]).with_columns(pl.Series("_id_hash", ids))
            yield rows.filter(pl.Series(~contains(disputed, ids))) if len(disputed) else rows

    def lines(self, day: date, low: int, high: int, disputed: UInt64Array) -> list[pl.DataFrame]:
        """The undisputed lines of a day with a bucket hash in a range (inclusive)."""
        frames = []
        for part in self._parts:
            if day in part.days:
                first, end = part.range_of(day, low, high)
                if end > first:
                    lines = part.read(first, end)
                    keeps = pl.col(_BUCKET).is_between(low, high)
                    if len(disputed):
                        keeps &= ~pl.Series(contains(disputed, lines["_id_hash"].to_numpy()))
                    frames.append(lines.filter(keeps))
        return frames


def _repeated(keys: UInt64Array, ids: UInt64Array) -> UInt64Array:
    """Hashes of the declarations of which a key stands in the chunk more than once, ascending."""
    order = np.argsort(keys)
    again = keys[order][1:] == keys[order][:-1]
    return np.unique(ids[order][1:][again])


def _bucket_hashes(lines: pl.DataFrame, ids: UInt64Array) -> UInt64Array:
    """What `bucket_hash` gives, by strings only where a declaration's lines name several buyers."""
    buyers = text_hashes(lines["buyer_id"])
    order = np.argsort(ids)
    same = ids[order][1:] == ids[order][:-1]
    unlike = np.unique(ids[order][1:][same & (buyers[order][1:] != buyers[order][:-1])])
    hashes = np.where(buyers == 0, ids, buyers)
    mixed = contains(unlike, ids)
    if mixed.any():
        hashes[mixed] = bucket_hash(lines.filter(pl.Series(mixed)), _PARCEL).to_numpy()
    return hashes


def _days(ordered: pl.DataFrame, extras: Sequence[str]) -> dict[date, _Day]:
    days: dict[date, _Day] = {}
    first = 0
    for (day,), lines in ordered.select("_day", *extras).group_by("_day", maintain_order=True):
        assert isinstance(day, date)
        days[day] = _Day(first, first + lines.height, frozenset(filled(lines, set(extras))))
        first += lines.height
    return days
