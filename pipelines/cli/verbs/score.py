"""The verb of the night: it scores days."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Unpack

import click

from configs.language_codes import LanguageCode
from pipelines.cli.options import (
    Session,
    language_option,
    memory_limit_option,
    store_option,
    verb,
    with_language,
)
from pipelines.cli.types import Day
from pipelines.night import score as night
from pipelines.work.report import Report


@click.command(short_help="Score days and write their sampling lists.")
@store_option
@click.option("--date", "first", type=Day(), required=True, help="The day to score.")
@click.option("--to", "last", type=Day(), help="Score each day from --date to this one.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes, or workers of the cluster to wait for. [default: scoring.workers, or 1 of a cluster]",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Score on the Dask cluster at this address; see docs/scaling.md."
)
@click.option(
    "--threads", type=click.IntRange(min=1), metavar="T", help="Threads a process. [default: scoring.threads]"
)
@memory_limit_option
@language_option
@verb("score")
def score(
    session: Session,
    store: Path,
    first: date,
    last: date | None,
    language: LanguageCode | None,
    **options: Unpack[night.ScoreOptions],
) -> Report:
    """Score a day, or each day of a range, and write its sampling lists: the nightly job.

    Run it again after an interruption: it repeats only what is missing, and a finished day stays as it is.

    \b
    Example:
      parcel-risk score --store S --date 2026-11-20 --workers 8
      parcel-risk score --store S --date 2026-11-01 --to 2026-11-20
      parcel-risk score --store S --date 2026-11-20 --scheduler tcp://10.0.0.1:8786
    """
    last = last or first
    if last < first:
        raise click.UsageError(f"--to {last} is before --date {first}: give the earlier day as --date.")
    if options.get("memory_limit") is not None and options.get("scheduler") is not None:
        raise click.UsageError("--memory-limit is of this machine, the workers of a cluster have their own.")
    return night.score(
        store,
        first=first,
        last=last,
        settings=with_language(session.settings, language),
        progress=session.progress,
        **options,
    )
