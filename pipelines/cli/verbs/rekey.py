"""The verb that changes the key of a store's pseudonyms."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from pipelines.cli.options import Session, store_option, verb
from pipelines.cli.types import refuse_arguments
from pipelines.erasure import rekey as renewing
from pipelines.work.report import Report


@click.command(short_help="Write a store anew under another key.")
@store_option
@click.argument("arguments", nargs=-1, metavar="")
@verb("rekey")
def rekey(session: Session, store: Path, arguments: tuple[str, ...]) -> Report:
    """Write a store anew under another key of its pseudonyms.

    The present key comes from where it always does, the new one from PARCEL_RISK_NEW_PSEUDONYM_KEY, else from
    standard input. The same buyer has the same pseudonym before and after, by the new key alone.

    \b
    Example:
      openssl rand -hex 32 > new.key
      parcel-risk rekey --store S < new.key
    """
    refuse_arguments(arguments, "the new key comes on standard input or from PARCEL_RISK_NEW_PSEUDONYM_KEY")
    has_variable = bool(os.environ.get(renewing.NEW_KEY_VARIABLE, "").strip())
    given = "" if has_variable else sys.stdin.read()
    return renewing.rekey(store, given, settings=session.settings)
