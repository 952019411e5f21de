"""The verb `combinations` of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from pipelines.cli.options import Session, store_option, verb
from pipelines.cli.types import Day
from pipelines.training import combinations as search
from pipelines.work.report import Report


@click.command(short_help="Search combinations of columns whose hit rate tells more.")
@store_option
@click.option("--risk", required=True, metavar="R", help="The risk whose findings they have to foretell.")
@click.option(
    "--until", type=Day(), help="Use what was reported up to and including this day. [default: all]"
)
@click.option(
    "--largest", type=click.IntRange(2, 5), default=3, show_default=True, help="Most columns of one."
)
@click.option("--most", type=click.IntRange(1, 20), default=5, show_default=True, help="Most to choose.")
@click.option(
    "--write",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write them beside those in use into pipeline.yaml of this new folder, ready for --configs.",
)
@verb("combinations")
def combinations(session: Session, store: Path, **options: Unpack[search.CombinationOptions]) -> Report:
    """Search combinations of columns (seller x heading, heading x origin x departure) whose past hit rate
    tells more than those that are counted already.

    Earlier days choose, the newest days judge. No model is trained or changed.

    \b
    Example:
      parcel-risk combinations --store S --risk undervaluation --write wider
      parcel-risk train --store S --risk undervaluation --configs wider
    """
    session.settings.risk(options["risk"])
    return search.combinations(store, settings=session.settings, progress=session.progress, **options)
