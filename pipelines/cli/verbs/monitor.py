"""The verb that watches a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Session, scored_day_option, store_option, verb
from pipelines.monitoring import monitor as watching
from pipelines.work.report import Report

if TYPE_CHECKING:
    from configs.schema.settings import Settings


@click.command(short_help="Compare a day with the weeks before; say whether to retrain.")
@store_option
@scored_day_option
@click.option(
    "--weeks",
    type=click.IntRange(min=1, max=52),
    metavar="W",
    help="Weeks before it to compare with. [default: monitoring.weeks]",
)
@verb("monitor")
def monitor(session: Session, store: Path, day: date, weeks: int | None) -> Report:
    """Compare a scored day with the weeks before it, and say whether to retrain.

    Drift of features and scores, calibration and hit rates of the results that have come in, their delay,
    parties and goods never seen before. The verdict is fine, watch or retrain, with its reasons; the whole
    report is a page in the store and a run in MLflow.

    \b
    Example:
      parcel-risk monitor --store S --date 2026-11-20
      parcel-risk monitor --store S --date 2026-11-20 --weeks 8
    """
    return watching.monitor(
        store, day=day, settings=_with_weeks(session.settings, weeks), progress=session.progress
    )


def _with_weeks(settings: Settings, weeks: int | None) -> Settings:
    if weeks is None:
        return settings
    monitoring = settings.pipeline.monitoring.model_copy(update={"weeks": weeks})
    pipeline = settings.pipeline.model_copy(update={"monitoring": monitoring})
    return settings.model_copy(update={"pipeline": pipeline})
