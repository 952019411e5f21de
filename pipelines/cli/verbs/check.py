"""The verb that checks what documents and rules say of a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from pipelines.checks import check_days as checking
from pipelines.cli.options import Session, store_option, verb
from pipelines.cli.types import Day
from pipelines.work.report import Report


@click.command(short_help="Check a day's declarations against their documents.")
@store_option
@click.option("--date", "first", type=Day(), required=True, help="The day to check.")
@click.option("--to", "last", type=Day(), help="Check each day from --date to this one.")
@verb("check")
def check(session: Session, store: Path, first: date, last: date | None) -> Report:
    """Check a day's declarations against their orders, payments and waybills, and the returns applied for.

    What was known at the close of the day counts, so a day may be checked at any time. What contradicts a
    rule, is not there yet, or has a consequence stands in checks/ of the store, a row a finding.

    \b
    Example:
      parcel-risk check --store S --date 2026-11-20
      parcel-risk check --store S --date 2026-11-01 --to 2026-11-20
    """
    last = last or first
    if last < first:
        raise click.UsageError(f"--to {last} is before --date {first}: give the earlier day as --date.")
    return checking.check_days(
        store, first=first, last=last, settings=session.settings, progress=session.progress
    )
