"""The verbs `parcel-risk champion …`: which model is in use, and changes of it by hand."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import Session, registry_option, verb
from pipelines.training import champion as champions
from pipelines.work.report import Report


@click.group()
def champion() -> None:
    """Say which model is in use, or change it by hand."""


@champion.command("list")
@registry_option
@verb("champion list")
def champion_list(session: Session, store: Path | None) -> Report:
    """Show the model in use of each risk, since when and why.

    \b
    Example:
      parcel-risk champion list --store S
    """
    return champions.list_champions(store, settings=session.settings)


@champion.command("promote")
@click.argument("risk")
@click.argument("model_version", metavar="VERSION", type=click.IntRange(min=1))
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is logged.")
@registry_option
@verb("champion promote")
def champion_promote(
    session: Session, risk: str, model_version: int, reason: str, store: Path | None
) -> Report:
    """Put model VERSION of RISK in use, whatever its gate said.

    \b
    Example:
      parcel-risk champion promote food_safety 3 --store S --reason "new laboratory from May on"
    """
    name = session.settings.risk(risk).name
    return champions.promote(store, name, model_version, reason=reason, settings=session.settings)


@champion.command("rollback")
@click.argument("risk")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is logged.")
@registry_option
@verb("champion rollback")
def champion_rollback(session: Session, risk: str, reason: str, store: Path | None) -> Report:
    """Put the model of RISK back in use that was so before.

    \b
    Example:
      parcel-risk champion rollback food_safety --store S --reason "too many snacks on the lists"
    """
    name = session.settings.risk(risk).name
    return champions.rollback(store, name, reason=reason, settings=session.settings)
