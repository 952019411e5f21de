"""The verb that replays the nights of a period."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipelines import backtest as replaying
from pipelines.cli.options import Session, capacity_option, store_option, verb, with_capacity
from pipelines.cli.types import Day
from pipelines.work.report import Report


@click.command(short_help="Replay the nights of a period with several strategies.")
@store_option
@click.option("--from", "first", type=Day(), required=True, help="The first night.")
@click.option("--to", "last", type=Day(), required=True, help="The last night.")
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    metavar="NAME",
    help="random, price, past-hit-rate, model, model-random, model-explore or full; may be given again. "
    "[default: all]",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where everything is written. [default: a folder beside the store]",
)
@click.option(
    "--retrain-every",
    type=click.IntRange(min=1),
    default=28,
    show_default=True,
    metavar="DAYS",
    help="Days from one training to the next.",
)
@click.option(
    "--no-gate",
    "gated",
    flag_value=False,
    default=True,
    help="Put every new model in use, whatever its gate says.",
)
@capacity_option("Parcels to open each night")
@click.option("--pool-offices", "pooled", is_flag=True, help="Take all offices as one with one list.")
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**31 - 1),
    metavar="K",
    help="Decides what is drawn and what inspections detect. [default: capacity.seed]",
)
@verb("backtest")
def backtest(
    session: Session,
    store: Path,
    capacities: tuple[tuple[str | None, int], ...],
    seed: int | None,
    **options: Any,
) -> Report:
    """Replay the nights of a period one after the other with several strategies, and set side by side what
    they find.

    Each night a strategy selects, learns only what the selected parcels would have shown and when it would
    have been known, retrains at an interval, and goes on. It needs a simulated store with its truth, or
    declarations whose lines all have results. The store is only read. Run it again after an interruption: it
    goes on where it was.

    \b
    Example:
      parcel-risk backtest --store S --from 2026-09-01 --to 2026-11-20
      parcel-risk backtest --store S --from 2026-09-01 --to 2026-11-20 --strategy model --strategy full --out
      B
    """
    settings = with_capacity(session.settings, capacities)
    if seed is not None:
        capacity = settings.capacity.model_copy(update={"seed": seed})
        settings = settings.model_copy(update={"capacity": capacity})
    return replaying.backtest(
        store,
        strategies=options.pop("strategies"),
        out=options.pop("out"),
        plan=replaying.Plan(**options),
        settings=settings,
        progress=session.progress,
    )
