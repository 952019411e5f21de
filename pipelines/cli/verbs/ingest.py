"""The verb that takes data into a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipelines.cli.options import Session, memory_limit_option, store_option, verb
from pipelines.ingest import ingest as ingesting
from pipelines.ingest import sources
from pipelines.ingest.reading.found import module_names
from pipelines.work import memory_limit as limits
from pipelines.work.report import Report


@click.command(short_help="Take declarations or inspections into a store.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
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
@click.option("--check", is_flag=True, help="Say what would happen, and write nothing.")
@memory_limit_option
@verb("ingest")
def ingest(
    session: Session,
    paths: tuple[Path, ...],
    store: Path,
    memory_limit: int | None,
    **options: Any,
) -> Report:
    """Take declarations or inspections into a store.

    PATH is official XML, or a table: CSV, Parquet or a workbook. A folder stands for all files in it and
    below it, .zip and .gz for what they hold. Found in a folder or an archive or by a 'pattern', a file
    whose content was taken in before is passed over, so that the folder of all deliveries can be given every
    night. Rows that break the data contract go to quarantine with their reasons; beyond the configured
    tolerance the exit code is 3.

    \b
    Example:
      parcel-risk ingest inventories/ --store S
      parcel-risk ingest declarations.csv --store S --mapping korea --memory-limit 2GiB
    """
    pipeline = limits.within_memory(session.settings.pipeline, memory_limit)
    settings = session.settings.model_copy(update={"pipeline": pipeline})
    asked = ingesting.IngestOptions(**options)
    return ingesting.ingest(paths, store, asked, settings=settings, progress=session.progress)
