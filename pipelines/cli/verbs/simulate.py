"""The verb that fills a store with simulated data."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from pipelines import simulation
from pipelines.cli.options import Session, store_option, verb
from pipelines.cli.types import Day
from pipelines.work.report import Report

# As in `WorldParameters`: importing that would load the simulator for a `--help`.
OFFICERS_OF_WORLDS = ("programmes", "watch_list", "price", "xray", "mixed", "default_list")


@click.command(short_help="Fill a store with simulated data.")
@store_option
@click.option("--days", type=click.IntRange(min=1), required=True, metavar="N", help="How many days.")
@click.option(
    "--parcels-per-day", type=click.IntRange(min=1), required=True, metavar="M", help="On an average day."
)
@click.option("--end", type=Day(), required=True, help="The last day.")
@click.option(
    "--seed", type=click.IntRange(min=0), required=True, metavar="K", help="The same seed, the same data."
)
@click.option("--drift", is_flag=True, help="Let behaviour change over time.")
@click.option("--documents", is_flag=True, help="With orders, payments, waybills, returns and receipts.")
@click.option("--rings", is_flag=True, help="With rings that borrow allowances, and sales that come back.")
@click.option(
    "--officers",
    type=click.Choice(OFFICERS_OF_WORLDS),
    default=OFFICERS_OF_WORLDS[0],
    show_default=True,
    help="How they choose whom they inspect; all but the first hardly ever at random.",
)
@verb("simulate")
def simulate(session: Session, store: Path, **options: Unpack[simulation.SimulationOptions]) -> Report:
    """Fill a store with simulated declarations, inspections and the truth behind them.

    \b
    Example:
      parcel-risk simulate --store S --days 120 --parcels-per-day 5000 --end 2026-11-20 --seed 7
    """
    return simulation.simulate(store, settings=session.settings, progress=session.progress, **options)
