"""The verb that writes lists anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import (
    Report,
    Session,
    language_option,
    store_option,
    verb,
    with_capacity,
    with_language,
)
from pipelines.cli.types import Capacity, Day

if TYPE_CHECKING:
    from configs.language import LanguageCode


@click.command(short_help="Write sampling lists again, with another capacity.")
@store_option
@click.option("--date", "day", type=Day(), required=True, help="A day that is scored.")
@click.option(
    "--capacity",
    "capacities",
    type=Capacity(),
    multiple=True,
    help="Parcels to list: N for each office, or OFFICE=N for one; may be given again.",
)
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
    from pipelines.night.select import select as run

    settings = with_language(with_capacity(session.settings, capacities), language)
    return run(store, day=day, settings=settings, progress=session.progress)
