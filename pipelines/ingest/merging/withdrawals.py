"""From when until when applications to withdraw an inventory hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from features.arrays.hashing import hash_text
from features.arrays.types import UInt64Array
from features.contract.documents import CANCELLATIONS
from pipelines.documents.known import VERSION_COLUMNS
from pipelines.documents.writer import DocumentChanges
from pipelines.ingest.merging.ended_versions import staged_files
from pipelines.keys.hash_sets import contains, sorted_union
from pipelines.keys.key_index import DECLARATION, files_with
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout

_MOMENT: Final = pl.Datetime("us", "UTC")
WITHDRAWN: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "start": _MOMENT,
    "until": _MOMENT,
    "place": pl.UInt32(),
    "_id_hash": pl.UInt64(),
}
"""A time in which one application or several withdraw an inventory; `until` is null where one of them still
holds, `place` numbers those of an inventory from 1.
"""
_VERSION: Final = ("declaration_id", "sent_at", "held_until")
_NEVER_ENDS: Final = datetime(9999, 1, 1, tzinfo=UTC)
_TABLES: Final = (DayTable.CANCELLATIONS, DayTable.CANCELLATIONS.changed)


@dataclass(frozen=True)
class Withdrawals:
    """Of some declarations, when they were withdrawn: as the store has it, and as a run leaves it.

    Attributes:
        before, after: in `WITHDRAWN`.
    """

    before: pl.DataFrame
    after: pl.DataFrame

    @classmethod
    def none(cls) -> Withdrawals:
        """No declaration ever was."""
        return cls(*(pl.DataFrame(schema=WITHDRAWN) for _ in range(2)))

    @cached_property
    def ids(self) -> UInt64Array:
        """Hashes of all these declarations, ascending."""
        return sorted_union([each["_id_hash"].to_numpy() for each in (self.before, self.after)])

    def within(self, low: int, high: int) -> Withdrawals:
        """Those of declarations whose hash is in a range (inclusive)."""
        of_range = pl.col("_id_hash").is_between(low, high)
        return Withdrawals(self.before.filter(of_range), self.after.filter(of_range))


@dataclass(frozen=True)
class Cancelling:
    """Applications to withdraw inventories, before a run and after it.

    Attributes:
        layout: of the store.
        t: the run's transaction, in which the tables are staged already.
        changes: what the run did to their table; None: nothing.
    """

    layout: Layout
    t: Transaction
    changes: DocumentChanges | None = None

    @cached_property
    def touched(self) -> UInt64Array:
        """Hashes of the declarations of which applications came in, ascending."""
        if self.changes is None:
            return np.empty(0, dtype=np.uint64)
        versions = self.changes.versions({"declaration_id": pl.String()})
        return sorted_union([hash_text(rows["declaration_id"]).to_numpy() for rows in versions])

    def of(self, ids: UInt64Array) -> Withdrawals:
        """Return when declarations with these hashes, which ascend, were withdrawn."""
        days = {day for table in _TABLES for day in self.layout.days(table)}
        days |= self.changes.days if self.changes else set()
        if not days:
            return Withdrawals.none()
        before, after = list[Path](), list[Path]()
        for table in _TABLES:
            for day in sorted(days):
                before += self.layout.files(table, day)
                after += staged_files(self.layout, self.t, table, day)
        holding = files_with(self.layout, list({*before, *after}), DECLARATION, ids)
        rows = {path: _versions(path, ids) for path in holding}
        parts = ([rows[path] for path in paths if path in rows] for paths in (before, after))
        return Withdrawals(*map(_times, parts))


def _versions(path: Path, ids: UInt64Array) -> pl.DataFrame:
    """The versions of applications in a file, about declarations with these hashes, until when they held."""
    rows = read_tables([path], CANCELLATIONS.columns | VERSION_COLUMNS, [*_VERSION, "action"])
    about = pl.Series(contains(ids, hash_text(rows["declaration_id"]).to_numpy()))
    return rows.filter(about, pl.col("action") != "delete").select(_VERSION)


def _times(versions: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The times in which at least one application holds."""
    nothing = pl.DataFrame(schema={name: WITHDRAWN.get(name, _MOMENT) for name in _VERSION})
    rows = pl.concat([nothing, *versions]).with_columns(pl.col("held_until").fill_null(_NEVER_ENDS))
    rows = rows.sort(_VERSION)
    before = pl.col("held_until").cum_max().shift(1).over("declaration_id")
    begins = (before.is_null() | (pl.col("sent_at") > before)).cast(pl.UInt32)
    rows = rows.with_columns(begins.alias("_begins"))
    rows = rows.with_columns(pl.col("_begins").cum_sum().over("declaration_id").alias("place"))
    times = rows.group_by("declaration_id", "place").agg(
        pl.col("sent_at").min().alias("start"), pl.col("held_until").max().alias("until")
    )
    until = pl.when(pl.col("until") < _NEVER_ENDS).then("until")
    hashes = hash_text(times["declaration_id"]).alias("_id_hash")
    columns = [pl.col("place").cast(pl.UInt32), until.cast(_MOMENT), hashes]
    return times.with_columns(columns).select(*WITHDRAWN)
