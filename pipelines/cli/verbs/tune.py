"""The verb `tune` of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from pipelines.cli.options import Session, store_option, verb
from pipelines.cli.types import Day
from pipelines.training import tune as tuning
from pipelines.work.report import Report


@click.command(short_help="Search better parameters for a risk's model.")
@store_option
@click.option("--risk", required=True, metavar="R", help="The risk whose model is tuned.")
@click.option(
    "--trials", type=click.IntRange(min=3), metavar="N", help="Sets to try in all. [default: tuning.trials]"
)
@click.option(
    "--until", type=Day(), help="Learn from what was reported up to and including this day. [default: all]"
)
@click.option(
    "--timeout",
    "minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Begin no new trial after so many minutes; the first three are always done.",
)
@click.option(
    "--write",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the best set into this new folder, ready for --configs.",
)
@verb("tune")
def tune(session: Session, store: Path, **options: Unpack[tuning.TuneOptions]) -> Report:
    """Search better parameters for a risk's model, and say whether to use them.

    Earlier blocks of days choose, the newest block judges. The same command goes on where an interrupted one
    ended, and more --trials continue a finished one. No model is trained or changed.

    \b
    Example:
      parcel-risk tune --store S --risk undervaluation --trials 60 --write tuned
      parcel-risk train --store S --risk undervaluation --configs tuned
    """
    session.settings.risk(options["risk"])
    return tuning.tune(store, settings=session.settings, progress=session.progress, **options)
