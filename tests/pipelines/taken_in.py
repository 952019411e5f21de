"""Takes frames of the contract's columns into a store, the way of a file."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from configs.schema.settings import Settings
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.ingest.report import IngestReport
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
