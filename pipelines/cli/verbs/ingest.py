"""The verb that takes data into a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipelines.cli.options import Session, files_argument, memory_limit_option, store_option, verb
from pipelines.ingest import ingest as ingesting
from pipelines.ingest import sources
from pipelines.ingest.reading.found import module_names
from pipelines.work import memory_limit as limits
from pipelines.work.report import Report


@click.command(short_help="Take declarations or inspections into a store.")
@files_argument
@store_option
@click.option(
    "--source",
    type=click.Choice(module_names(sources)),
    help="What the files are; told by their content if missing.",
)
@click.option(
    "--mapping",
    metavar="M",
    help="For a foreign table: a name in configs/sources/, or a path to a YAML file.",
)
@click.option(
    "--backfill",
    is_flag=True,
    help="Take what is dated long before the last day closed (ingest.past_days), or after tomorrow.",
)
@memory_limit_option
@verb("ingest")
def ingest(
    session: Session,
    files: tuple[Path, ...],
    store: Path,
    memory_limit: int | None,
    **options: Any,
) -> Report:
    """Take declarations or inspections into a store.

    FILE is CEB621 or CEB603 XML, or a CSV or Parquet table. Rows that break the data contract go to
    quarantine with their reasons; beyond the configured tolerance the exit code is 3.

    \b
    Example:
      parcel-risk ingest inventories/*.xml --store S
      parcel-risk ingest declarations.csv --store S --mapping korea --memory-limit 2GiB
    """
    pipeline = limits.within_memory(session.settings.pipeline, memory_limit)
    settings = session.settings.model_copy(update={"pipeline": pipeline})
    asked = ingesting.IngestOptions(**options)
    return ingesting.ingest(files, store, asked, settings=settings, progress=session.progress)
