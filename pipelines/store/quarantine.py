"""Rejected rows as data: what came, from where, and every reason against it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout

QUARANTINE_COLUMNS: Final[dict[str, pl.DataType]] = {
    "source_file": pl.String(),
    "source_row": pl.Int64(),
    "offset": pl.Int64(),
    "table": pl.String(),
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "reasons": pl.List(pl.String()),
    "record": pl.String(),
}
_IDENTITY: Final = ["source_file", "source_row", "offset", "table", "record", "_reasons"]


def append_quarantine(layout: Layout, t: Transaction, frames: Iterable[pl.DataFrame]) -> None:
    """Add rejected rows to the store's quarantine, each once however often its file is ingested.

    They have the columns of `QUARANTINE_COLUMNS` and `declared_on` (Date, null where it is unknown).
    """
    seen: dict[date | None, pl.Series] = {}
    numbers: dict[date | None, int] = {}
    for frame in frames:
        for (key,), part in frame.group_by("declared_on", maintain_order=True):
            day = key if isinstance(key, date) else None
            if day not in seen:
                files = layout.files(DayTable.QUARANTINE, day)
                seen[day] = _identities(read_tables(files, QUARANTINE_COLUMNS, None))
                numbers[day] = len(files)
            rows = part.select(*QUARANTINE_COLUMNS)
            identities = _identities(rows)
            fresh = ~identities.is_in(seen[day].implode()) & identities.is_first_distinct()
            if not fresh.any():
                continue
            numbers[day] += 1
            seen[day] = pl.concat([seen[day], identities.filter(fresh)])
            file = layout.numbered_file(DayTable.QUARANTINE, day, numbers[day])
            write_table(rows.filter(fresh), t.stage_file(file))


def _identities(rows: pl.DataFrame) -> pl.Series:
    named = rows.with_columns(pl.col("reasons").list.join("|").alias("_reasons"))
    text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in _IDENTITY], separator="\x1f")
    return hash_text(named.select(text.alias("_identity")).to_series())
