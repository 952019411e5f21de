"""Takes files and frames into a store, and reads what it then holds."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from configs.schema.settings import Settings
from pipelines.cli.main import run
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.ingest.report import IngestReport
from pipelines.store.store import Store
from pipelines.work.progress import Progress

LATER_THAN_ANY_TEST = datetime(2100, 1, 1, tzinfo=UTC)


def take_in(store: Path, *frames: pl.DataFrame, settings: Settings) -> IngestReport:
    """Ingest declarations and inspections of any days, told apart by their columns."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, f"{number}.parquet") for number in range(len(frames))]
        for file, frame in zip(files, frames, strict=True):
            frame.write_parquet(file)
        options = IngestOptions(now=LATER_THAN_ANY_TEST)
        return ingest(files, store, options, settings=settings, progress=Progress.silent())


def ingest_files(store: Path, *files: Path) -> int:
    """The exit code of `ingest` on the command line."""
    return run(["ingest", *map(str, files), "--store", str(store)])


def stored_lines(store: Path) -> pl.DataFrame:
    """All declarations of a store, by number and line."""
    return Store.open(store).scan_declarations().collect().sort("declaration_id", "line_no")
