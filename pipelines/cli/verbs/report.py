"""The verb that reports to the head of an office."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from pipelines.cli.options import Session, store_option, verb
from pipelines.cli.types import Day
from pipelines.reporting import report as reporting
from pipelines.work.report import Report


@click.command(short_help="Report on lists and findings, by office and week.")
@store_option
@click.option(
    "--from", "first", type=Day(), help="First day of the lists. [default: four weeks up to the last]"
)
@click.option("--to", "last", type=Day(), help="Last day of the lists. [default: the newest list]")
@click.option("--office", metavar="O", help="Only this office. [default: all]")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write into this folder. [default: reports/ of the store]",
)
@verb("report")
def report(
    session: Session, store: Path, first: date | None, last: date | None, office: str | None, out: Path | None
) -> Report:
    """Report what came of the lists: for the head of an office, or of all.

    Hit rates by channel with their intervals, lift over the concurrent random share, recovered tax an
    inspection, lists returned and missing, days from list to result; as text, as a page with charts, and as
    Parquet.

    \b
    Example:
      parcel-risk report --store S --from 2026-11-01 --to 2026-11-20 --office 4601
    """
    if first is not None and last is not None and last < first:
        raise click.UsageError(f"--to {last} is before --from {first}: give the earlier day as --from.")
    return reporting.office_report(
        store,
        settings=session.settings,
        progress=session.progress,
        first=first,
        last=last,
        office=office,
        out=out,
    )
