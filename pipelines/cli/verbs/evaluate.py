"""The verb that judges a model on a later period."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from pipelines.cli.options import Session, store_option, verb
from pipelines.cli.types import Day
from pipelines.evaluation import evaluate as judging
from pipelines.work.report import Report


@click.command(short_help="Judge a model on a later period, beside plain rivals.")
@store_option
@click.option("--risk", required=True, metavar="R", help="The risk whose model is judged.")
@click.option("--from", "first", type=Day(), required=True, help="The first day of the period.")
@click.option("--to", "last", type=Day(), required=True, help="The last day of the period.")
@click.option(
    "--until",
    type=Day(),
    help="Judge a model fitted for it on what was reported up to and including this day. "
    "[default: the one in use]",
)
@click.option(
    "--results",
    type=click.Choice(["withheld", "coming"]),
    default="withheld",
    show_default=True,
    help="Whether results of the period are known on the days after they were reported.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the figures into this file too.",
)
@verb("evaluate")
def evaluate(session: Session, store: Path, **options: Unpack[judging.EvaluateOptions]) -> Report:
    """Judge the model in use on the inspected lines of a later period.

    Beside it stand LightGBM and CatBoost as they come, which learn from the same lines and columns, the best
    single key (one column or a pair of them with a smoothed rate, chosen before the period) and a drawn
    order; each figure has its interval, and so has the model's figure less each rival's. A period that the
    model learned from is refused. The page is in the store, the run in MLflow.

    \b
    Example:
      parcel-risk evaluate --store S --risk undervaluation --from 2026-11-01 --to 2026-11-20
      parcel-risk evaluate --store S --risk food_safety --from 2026-11-01 --to 2026-11-20 --until 2026-10-31
      --results coming --json figures.json
    """
    return judging.evaluate_model(store, settings=session.settings, progress=session.progress, **options)
