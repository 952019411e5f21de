"""The verb that takes filled-in lists back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from pipelines.cli.options import Session, files_argument, store_option, verb
from pipelines.cli.types import Day
from pipelines.feedback import feedback as returning
from pipelines.work.report import Report


@click.command(short_help="Take filled-in sampling lists back.")
@files_argument
@store_option
@click.option(
    "--reported-on",
    type=Day(),
    help="When the results became known, for rows that do not say. [default: today in China]",
)
@click.option(
    "--corrections", is_flag=True, help="Write rows that contradict earlier returns; the later value counts."
)
@verb("feedback")
def feedback(
    session: Session, files: tuple[Path, ...], store: Path, reported_on: date | None, corrections: bool
) -> Report:
    """Take filled-in sampling lists back into the store's inspections.

    FILE is an office's workbook (.xlsx, .xls, .ods), CSV, or what its page exports (JSON). Each row is
    checked against the list that was issued. Lists may come back in parts, and more than once; a row that
    says something else than before is reported and left unwritten (exit code 5). Rows that were not taken
    stand in a workbook beside FILE, <name>-to-correct.xlsx, to be corrected and given back.

    \b
    Example:
      parcel-risk feedback 4601.xlsx 5316-results.json --store S
      parcel-risk feedback laboratory.csv --store S --reported-on 2026-12-03 --corrections
    """
    return returning.feedback(
        files,
        store,
        settings=session.settings,
        progress=session.progress,
        options=returning.FeedbackOptions(reported_on, corrections),
    )
