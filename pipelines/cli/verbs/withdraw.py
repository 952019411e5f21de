"""The verb that takes back what a file brought."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import Session, store_option, verb
from pipelines.ingest import withdraw as taking_back
from pipelines.work.report import Report


@click.command(short_help="Take back every row of a file that was ingested.")
@click.argument("fingerprint")
@store_option
@verb("withdraw")
def withdraw(session: Session, fingerprint: str, store: Path) -> Report:
    """Take back every row of a file that was ingested; a corrected one may then come in.

    FINGERPRINT is the SHA-256 of the file, as in its manifest (`files`), or its first digits. Late days are
    folded again by the next score; lists that were issued stay.

    \b
    Example:
      parcel-risk withdraw 3fd0a2b94c1e --store S
      parcel-risk ingest corrected.csv --store S
    """
    return taking_back.withdraw(store, fingerprint, settings=session.settings)
