"""The verb that says what other capacities would find."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from pipelines.cli.options import (
    Session,
    capacity_option,
    scored_day_option,
    store_option,
    verb,
    with_capacity,
)
from pipelines.night import plan as planning
from pipelines.work.report import Report


@click.command(short_help="Say what each office would find with another capacity.")
@store_option
@scored_day_option
@click.option(
    "--more",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="Say what so many more inspections would find.",
)
@capacity_option("Start from these parcels")
@verb("plan")
def plan(
    session: Session, store: Path, day: date, more: int, capacities: tuple[tuple[str | None, int], ...]
) -> Report:
    """Say what each office would find with another capacity, from stored scores.

    For each office the expected findings and recovered tax at a quarter to three times its capacity, and
    what N more inspections would find: as a table, and as a page with pictures in the store.

    \b
    Example:
      parcel-risk plan --store S --date 2026-11-20 --more 10
    """
    return planning.plan_day(
        store,
        day=day,
        more=more,
        settings=with_capacity(session.settings, capacities),
        progress=session.progress,
    )
