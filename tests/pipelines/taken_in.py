"""Takes files and frames into a store, and reads what it then holds."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from configs.loader import load_settings
from configs.schema.settings import Settings
from pipelines.cli.main import run
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.ingest.report import IngestReport
from pipelines.store.store import Store
from pipelines.work.progress import Progress

LATER_THAN_ANY_TEST = datetime(2100, 1, 1, tzinfo=UTC)
LATER_THAN_MESSAGES = datetime(2026, 12, 10, tzinfo=UTC)
"""After all those of `document_messages` were sent."""


def take_in(store: Path, *frames: pl.DataFrame, settings: Settings) -> IngestReport:
    """Ingest declarations and inspections of any days, told apart by their columns."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, f"{number}.parquet") for number in range(len(frames))]
        for file, frame in zip(files, frames, strict=True):
            frame.write_parquet(file)
        options = IngestOptions(now=LATER_THAN_ANY_TEST)
        return ingest(files, store, options, settings=settings, progress=Progress.silent())


def take_in_files(store: Path, *files: Path) -> IngestReport:
    """Ingest messages and tables of November 2026."""
    options = IngestOptions(now=LATER_THAN_MESSAGES)
    return ingest(files, store, options, settings=load_settings(), progress=Progress.silent())


def ingest_files(store: Path, *files: Path) -> int:
    """The exit code of `ingest` on the command line."""
    return run(["ingest", *map(str, files), "--store", str(store)])


def stored_lines(store: Path) -> pl.DataFrame:
    """All declarations of a store, by number and line."""
    return Store.open(store).scan_declarations().collect().sort("declaration_id", "line_no")


def stored_rows(store: Path, table: str) -> pl.DataFrame:
    """A table of a store as any engine reads it."""
    files = sorted((store / table).rglob("*.parquet"))
    return (
        pl.read_parquet(files, hive_partitioning=False, missing_columns="insert") if files else pl.DataFrame()
    )


def stored_bytes(store: Path, *tables: str) -> dict[str, bytes]:
    """The files of some tables of a store."""
    files = [path for table in tables for path in sorted((store / table).rglob("*.parquet"))]
    return {str(path.relative_to(store)): path.read_bytes() for path in files}
