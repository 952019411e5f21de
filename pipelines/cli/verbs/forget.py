"""The verb that removes a person."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipelines.cli.options import Session, store_option, verb
from pipelines.cli.types import refuse_arguments
from pipelines.erasure import forget as forgetting
from pipelines.work.report import Report


@click.command(short_help="Remove a person's pseudonyms everywhere.")
@store_option
@click.argument("arguments", nargs=-1, metavar="")
@verb("forget")
def forget(session: Session, store: Path, arguments: tuple[str, ...]) -> Report:
    """Remove a person's pseudonyms from every table and document of a store.

    What is known of the person comes on standard input, a value a line, spelled as in the declarations: the
    identity number, or name and telephone, and the address. It is neither stored nor logged.

    \b
    Example:
      parcel-risk forget --store S < person.txt
    """
    refuse_arguments(arguments, "what is known of the person comes on standard input")
    given = sys.stdin.read()
    return forgetting.forget(store, given, settings=session.settings)
