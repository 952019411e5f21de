"""The verb that trains models."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from pipelines.cli.options import Session, store_option, verb
from pipelines.cli.types import Day
from pipelines.training import train as training
from pipelines.work.report import Report


@click.command(short_help="Train, evaluate and register models.")
@store_option
@click.option(
    "--risk", "risks", multiple=True, metavar="R", help="Only this risk; may be given again. [default: all]"
)
@click.option(
    "--until", type=Day(), help="Learn from what was reported up to and including this day. [default: all]"
)
@verb("train")
def train(session: Session, store: Path, risks: tuple[str, ...], until: date | None) -> Report:
    """Train, evaluate and register a model for each risk; promote those that pass their gate.

    \b
    Example:
      parcel-risk train --store S --risk undervaluation --until 2026-11-19
    """
    chosen = [risk.name for risk in session.settings.select_risks(risks)]
    return training.train(
        store, risks=chosen, until=until, settings=session.settings, progress=session.progress
    )
