"""The verb that writes the statistics of months."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Session, store_option, verb
from pipelines.cli.types import Month
from pipelines.statistics import make_statistics as making
from pipelines.work.report import Report

if TYPE_CHECKING:
    from configs.schema.settings import Settings


@click.command(short_help="Write the statistics of a month.")
@store_option
@click.option("--month", "first", type=Month(), required=True, help="The month.")
@click.option("--to", "last", type=Month(), help="Write each month from --month to this one.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write into this folder. [default: statistics/ of the store]",
)
@click.option(
    "--least-enterprises",
    "least",
    type=click.IntRange(min=0, max=1000),
    metavar="N",
    help="Hide cells of fewer enterprises; 0 shows all. [default: statistics.least_enterprises]",
)
@verb("statistics")
def statistics(
    session: Session, store: Path, first: date, last: date | None, out: Path | None, least: int | None
) -> Report:
    """Write the statistics of declarations by month: cells as Parquet and CSV, a workbook, and a page.

    Values by direction, mode, partner, heading and office, in CNY and USD, with what is to be returned; the
    month beside those before, the same month of last year, and the year so far. What was issued of a month
    before and has changed since is told.

    \b
    Example:
      parcel-risk statistics --store S --month 2026-10
      parcel-risk statistics --store S --month 2026-01 --to 2026-10 --out DIR --least-enterprises 3
    """
    last = last or first
    if last < first:
        raise click.UsageError(
            f"--to {last:%Y-%m} is before --month {first:%Y-%m}: give the earlier month as --month."
        )
    return making.make_statistics(
        store,
        settings=_with_least(session.settings, least),
        progress=session.progress,
        first=first,
        last=last,
        out=out,
    )


def _with_least(settings: Settings, least: int | None) -> Settings:
    if least is None:
        return settings
    changed = settings.pipeline.statistics.model_copy(update={"least_enterprises": least})
    pipeline = settings.pipeline.model_copy(update={"statistics": changed})
    return settings.model_copy(update={"pipeline": pipeline})
