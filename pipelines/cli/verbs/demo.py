"""The verb that does all of it."""

from __future__ import annotations

import click

from pipelines.cli.options import Session, demo_directory, verb
from pipelines.demo import demo as demonstration
from pipelines.work.report import Report


@click.command(short_help="All of it on simulated data, in minutes.")
@verb("demo")
def demo(session: Session) -> Report:
    """Do all of it on simulated data, in minutes, in the folder demo/ of the checkout.

    \b
    Example:
      parcel-risk demo
    """
    return demonstration.demo(demo_directory(), settings=session.settings, progress=session.progress)
