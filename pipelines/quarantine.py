"""Rejected rows as data: what came, from where, and every reason against it."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.journal import Transaction
from pipelines.store_files import partition_name, write_table

QUARANTINE_COLUMNS: dict[str, pl.DataType] = {
    "source_file": pl.String(),
    "source_row": pl.Int64(),
    "offset": pl.Int64(),
    "table": pl.String(),
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "reasons": pl.List(pl.String()),
    "record": pl.String(),
}
_IDENTITY = ["source_file", "source_row", "offset", "table", "record", "_reason_text"]
_FILE = "rejected.parquet"


def append_quarantine(root: Path, t: Transaction, rows: pl.DataFrame) -> None:
    """Add rejected rows to the store's quarantine, each once however often its file is ingested.

    Args:
        root: folder of the store.
        t: the transaction that carries the change.
        rows: the columns of ``QUARANTINE_COLUMNS`` and ``declared_on`` (Date, null where the day is unknown).
    """
    for (day,), part in rows.group_by("declared_on", maintain_order=True):
        name = f"quarantine/{partition_name('declared_on', day)}"  # type: ignore[arg-type]
        stored = root / name / _FILE
        frames = [part.select(*QUARANTINE_COLUMNS)]
        if stored.exists():
            frames.insert(0, _read(stored))
        merged = (
            pl.concat(frames)
            .with_columns(pl.col("reasons").list.join("|").alias("_reason_text"))
            .unique(_IDENTITY, keep="first")
            .sort(_IDENTITY)
            .drop("_reason_text")
        )
        write_table(merged, t.stage(name) / _FILE)


def read_quarantine(root: Path) -> pl.DataFrame:
    """All rejected rows of a store with their day in ``declared_on`` (null where it is unknown)."""
    frames = []
    for path in sorted((root / "quarantine").glob(f"declared_on=*/{_FILE}")):
        day = path.parent.name.removeprefix("declared_on=")
        frames.append(_read(path).with_columns(pl.lit(day).str.to_date(strict=False).alias("declared_on")))
    if not frames:
        return pl.DataFrame(schema=QUARANTINE_COLUMNS | {"declared_on": pl.Date()})
    return pl.concat(frames)


def _read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path, hive_partitioning=False, glob=False).select(*QUARANTINE_COLUMNS)
