"""The verb that writes lists anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from configs.language_codes import LanguageCode
from pipelines.cli.options import (
    Session,
    capacity_option,
    language_option,
    scored_day_option,
    store_option,
    verb,
    with_capacity,
    with_language,
)
from pipelines.night import select as selecting
from pipelines.work.report import Report


@click.command(short_help="Write sampling lists again, with another capacity.")
@store_option
@scored_day_option
@capacity_option("Parcels to list")
@language_option
@verb("select")
def select(
    session: Session,
    store: Path,
    day: date,
    capacities: tuple[tuple[str | None, int], ...],
    language: LanguageCode | None,
) -> Report:
    """Write the sampling lists of a scored day again, with another capacity.

    \b
    Example:
      parcel-risk select --store S --date 2026-11-20 --capacity 60 --capacity 5316=120
      parcel-risk select --store S --date 2026-11-20 --language zh-CN
    """
    settings = with_language(with_capacity(session.settings, capacities), language)
    return selecting.select(store, day=day, settings=settings, progress=session.progress)
