"""The verb that checks what documents and rules say of a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from pipelines.checks import check_days as checking
from pipelines.checks import rule_trial
from pipelines.cli.options import Session, store_option, verb
from pipelines.cli.types import Day
from pipelines.work.report import Report


@click.command(short_help="Check a day's declarations against their documents.")
@store_option
@click.option("--date", "first", type=Day(), required=True, help="The day to check.")
@click.option("--to", "last", type=Day(), help="Check each day from --date to this one.")
@click.option(
    "--rules",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Try the tables in DIR/reference: tell what they would have found, write nothing.",
)
@verb("check")
def check(session: Session, store: Path, first: date, last: date | None, rules: Path | None) -> Report:
    """Check a day's declarations against their orders, payments and waybills, and the returns applied for.

    What was known at the close of the day counts, so a day may be checked at any time. What contradicts a
    rule, is not there yet, or has a consequence stands in checks/ of the store, a row a finding. Where tables
    were revised since a day was checked before, it is told what the rules find since.

    With --rules nothing is written: tables of DIR/reference are laid over the configured ones, and it is told
    what they would have found more and less in these days, at which offices, how many of these parcels were
    inspected, and what was found.

    \b
    Example:
      parcel-risk check --store S --date 2026-11-20
      parcel-risk check --store S --date 2026-11-01 --to 2026-11-20
      parcel-risk check --store S --date 2026-11-01 --to 2026-11-20 --rules changed
    """
    last = last or first
    if last < first:
        raise click.UsageError(f"--to {last} is before --date {first}: give the earlier day as --date.")
    if rules is not None:
        return rule_trial.try_rules(
            store, rules, first=first, last=last, settings=session.settings, progress=session.progress
        )
    return checking.check_days(
        store, first=first, last=last, settings=session.settings, progress=session.progress
    )
