"""The verb that looks at the machine."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import Session, verb
from pipelines.machine import doctor as machine
from pipelines.work.report import Report


@click.command(short_help="Say what this machine or account lacks, and how to get it.")
@click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="S",
    help="Look at the folders of this store too.",
)
@verb("doctor")
def doctor(session: Session, store: Path | None) -> Report:
    """Say what this machine or account lacks, and how to get it.

    Libraries, fonts, the locale, places to write to, the key of the pseudonyms, the MLflow server. Ends with
    1 where something is missing that a verb needs. Run it as the account that the night will run as.

    \b
    Example:
      parcel-risk doctor
      parcel-risk doctor --store S --configs /etc/parcel-risk/configs
    """
    return machine.look_over(store, lambda: session.settings)
