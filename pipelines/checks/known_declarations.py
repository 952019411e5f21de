"""The inventories as they were known at a moment: those that hold now, and those that held then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Final

import polars as pl

from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.keys.key_index import Sought
from pipelines.store.day_table import DayTable
from pipelines.store.digests import intact
from pipelines.store.store import Store

MESSAGE_COLUMNS: Final[dict[str, pl.DataType]] = {
    "item_no": pl.String(),
    "own_number": pl.String(),
    "buyer_named_by": pl.String(),
    "sent_at": pl.Datetime("us", "UTC"),
}
"""What a line that came as a message has beside the contract's columns; null where it came otherwise."""
_ENDED: Final[dict[str, pl.DataType]] = {"held_until": pl.Datetime("us", "UTC")}
KNOWN_COLUMNS: Final[dict[str, pl.DataType]] = DECLARATION_COLUMNS | MESSAGE_COLUMNS


def known_declarations(store: Store, day: date, before: datetime) -> pl.LazyFrame:
    """Scan a day's lines as they were known before a moment, in `KNOWN_COLUMNS`.

    A line without `sent_at` has always been known. What was changed or withdrawn counts as long as it held.
    Of a declaration that was sent later than that its first version counts.

    Raises:
        StoreError: a file of the day is damaged.
    """
    for path in _files(store, DayTable.DECLARATIONS, [day]):
        intact(path)
    known = known_over(store, [day], before)
    now, past = _versions(store, [day])
    later = pl.concat([now, past.select(*KNOWN_COLUMNS)]).filter(pl.col("sent_at") >= before)
    unknown = later.join(known, on="declaration_id", how="anti")
    firsts = unknown.filter(pl.col("sent_at") == pl.col("sent_at").min().over("declaration_id"))
    return pl.concat([known, firsts])


def sent_later(store: Store, day: date, before: datetime) -> int:
    """Return how many declarations a day has of which nothing was known before a moment."""
    now = _scan(store, _files(store, DayTable.DECLARATIONS, [day]), {})
    later = now.filter(pl.col("sent_at") >= before).select("declaration_id").unique()
    known = known_over(store, [day], before).select("declaration_id")
    unknown = later.join(known, on="declaration_id", how="anti").select(pl.len())
    return int(unknown.collect(engine="streaming").item())


def known_over(
    store: Store, days: Iterable[date], before: datetime, sought: Sought | None = None
) -> pl.LazyFrame:
    """Scan the same of several days; of files without a key that is `sought` there may be nothing."""
    days = sorted(days)
    is_sent = pl.col("sent_at").is_null() | (pl.col("sent_at") < before)
    now, past = _versions(store, days, sought)
    held = is_sent & (pl.col("held_until") >= before)
    return pl.concat([now.filter(is_sent), past.filter(held).select(*KNOWN_COLUMNS)])


def versions_in(store: Store, file: Path) -> pl.LazyFrame:
    """Scan one file of lines that hold, or that held, in `KNOWN_COLUMNS` and `held_until` (null: they hold).

    Raises:
        StoreError: the file is damaged.
    """
    lines = _scan(store, [intact(file)], _ENDED)
    is_past = file.is_relative_to(store.layout.table(DayTable.CHANGED_DECLARATIONS))
    return lines.filter(pl.col("held_until").is_not_null()) if is_past else lines


def days_between(store: Store, first: date, last: date) -> list[date]:
    """Return the days of a range, both ends inclusive, that have or had declarations, oldest first."""
    tables = (DayTable.DECLARATIONS, DayTable.CHANGED_DECLARATIONS)
    return sorted({day for table in tables for day in store.days(table) if first <= day <= last})


def _versions(
    store: Store, days: list[date], sought: Sought | None = None
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The lines that hold, and those that held, with `held_until`."""
    now, past = (
        _files(store, table, days) for table in (DayTable.DECLARATIONS, DayTable.CHANGED_DECLARATIONS)
    )
    if sought is not None:
        now, past = sought.files(store.layout, now), sought.files(store.layout, past)
    return _scan(store, now, {}), _scan(store, past, _ENDED)


def _files(store: Store, table: DayTable, days: list[date]) -> list[Path]:
    return [path for day in days for path in store.layout.files(table, day)]


def _scan(store: Store, files: list[Path], further: dict[str, pl.DataType]) -> pl.LazyFrame:
    """The files' lines; a column that a table brought in another type is read as that and converted."""
    wanted = KNOWN_COLUMNS | further
    if not files:
        return pl.LazyFrame(schema=wanted)
    known = store.declaration_schema()
    stored = {name: known.get(name, dtype) for name, dtype in wanted.items()}
    lines = pl.scan_parquet(
        files,
        schema=stored,
        missing_columns="insert",
        extra_columns="ignore",
        hive_partitioning=False,
        glob=False,
    )
    other = {name: dtype for name, dtype in wanted.items() if stored[name] != dtype}
    return lines.with_columns(
        # A number that is a code has no decimals.
        pl.col(name).cast(pl.String).str.strip_suffix(".0").cast(dtype, strict=False)
        for name, dtype in other.items()
    )
