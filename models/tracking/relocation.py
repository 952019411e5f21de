"""Models and runs of a store that was moved, copied or restored under another path.

MLflow keeps whole paths: a moved database would read models from, and write runs into, the folder where the
store was before.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from configs.errors import TrackingError
from models.tracking.addresses import sqlite_address
from models.tracking.refusals import explained

_PLACES: Final = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def artifacts_follow(database: Path, artifacts: Path, experiment: str, *, own: bool) -> bool:
    """Let the runs and models of an experiment in a SQLite file lie in `artifacts`; whether that was needed.

    A database that is not the store's `own` is left alone where its files were put elsewhere on purpose.

    Raises:
        TrackingError: the database cannot be read or written.
    """
    try:
        with closing(sqlite3.connect(database)) as connection:
            before = _recorded(connection, experiment)
            after = artifacts.as_uri()
            if before is None or before == after or not (own or _was_moved(before, database, artifacts)):
                return False
            with connection:
                _rewrite(connection, before, after)
    except sqlite3.Error as error:
        if "readonly" in str(error):
            # Who may only read writes no runs to the wrong place, and what a run holds does not change.
            return False
        raise TrackingError(
            f"the runs and models of {sqlite_address(database)} cannot be found in {artifacts}: "
            f"{explained(error)}"
        ) from error
    return True


def _recorded(connection: sqlite3.Connection, experiment: str) -> str | None:
    """Where the files of the experiment lie by the database, None where it has none or no local ones."""
    tables = connection.execute("select name from sqlite_master where name = 'experiments'").fetchall()
    if not tables:
        return None
    found = connection.execute(
        "select artifact_location from experiments where name = ?", (experiment,)
    ).fetchone()
    place = str(found[0]) if found and found[0] else ""
    return place if place.startswith(("/", "file:")) else None


def _was_moved(before: str, database: Path, artifacts: Path) -> bool:
    """Whether the files lay beside the database, and do so again; a copy has both places."""
    place = _path(before)
    beside = place.name == artifacts.name and artifacts.is_dir()
    return beside and (not place.is_dir() or place.with_name(database.name).exists())


def _rewrite(connection: sqlite3.Connection, before: str, after: str) -> None:
    pairs = ((before.rstrip("/"), after), (str(_path(before)), str(_path(after))))
    for table, column in _PLACES:
        for old, new in dict(pairs).items():
            connection.execute(
                f"update {table} set {column} = ? || substr({column}, ?) "
                f"where {column} = ? or substr({column}, 1, ?) = ?",
                (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
            )


def _path(location: str) -> Path:
    return Path(unquote(urlsplit(location).path)) if location.startswith("file:") else Path(location)
