"""Where MLflow is, whether it answers, and how it is told to keep quiet; nothing here needs MLflow itself."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from configs.errors import ConfigurationError, TrackingError
from models.tracking.addresses import (
    DATABASES,
    SERVERS,
    URI_VARIABLE,
    checked_address,
    database_file,
    shown_address,
    sqlite_address,
)
from models.tracking.refusals import explained

_REACH_SECONDS = 3.0
_DATABASE, _ARTIFACTS = "mlflow.db", "artifacts"
# The package of a driver, where its name is another than that of the module.
_PACKAGES = {
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
}
# Set only where the user has not: quiet, nothing sent to MLflow's makers, seconds instead of minutes of
# retrying.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


@dataclass(frozen=True)
class TrackingServer:
    """The address of MLflow, and the folder of its files where these are not the server's business.

    `own` is the database that lies beside a store and belongs to it alone.
    """

    uri: str
    artifacts: Path | None = None
    own: bool = False

    @classmethod
    def in_folder(cls, folder: Path) -> TrackingServer:
        """MLflow where `MLFLOW_TRACKING_URI` says, else SQLite in `folder`.

        Raises:
            ConfigurationError: the variable holds no address.
        """
        uri = os.environ.get(URI_VARIABLE, "").strip()
        if uri:
            return cls.at(uri)
        return cls(sqlite_address(folder / _DATABASE), folder / _ARTIFACTS, own=True)

    @classmethod
    def at(cls, uri: str) -> TrackingServer:
        """MLflow at an address; the files of one in a SQLite file lie beside that.

        Raises:
            ConfigurationError: it is no address.
        """
        checked = checked_address(uri)
        file = database_file(checked)
        return cls(checked, None if file is None else file.absolute().with_name(_ARTIFACTS))

    @cached_property
    def database(self) -> Path | None:
        """The file of a database in a file, None for a server."""
        return database_file(self.uri)

    @property
    def shown(self) -> str:
        """The address without a password.

        >>> TrackingServer("http://ana:secret@host:5000").shown
        'http://host:5000'
        """
        return shown_address(self.uri)

    @property
    def named(self) -> str:
        """The address and how it came to be asked, for messages."""
        return f"{self.shown} ({URI_VARIABLE} is not set)" if self.own else self.shown

    def check_reachable(self) -> None:
        """Ask a server whether it is there before MLflow retries for minutes.

        A database in a file is always there.

        Raises:
            TrackingError: it is not there, or does not let this account in.
            ConfigurationError: the driver of its database is not installed.
        """
        parts = urlsplit(self.uri)
        kind = parts.scheme.partition("+")[0].lower()
        usual = DATABASES.get(kind) or {"http": 80, "https": 443}.get(kind)
        if kind in DATABASES:
            self._check_driver()
        if usual is None or (kind not in SERVERS and not parts.hostname):
            return
        try:
            socket.create_connection((parts.hostname or "", parts.port or usual), _REACH_SECONDS).close()
        except OSError as error:
            raise TrackingError(
                f"the MLflow server {self.shown} cannot be reached ({error}). Start it, correct "
                f"{URI_VARIABLE}, or unset it to use a SQLite file beside the store."
            ) from error
        if kind in DATABASES:
            self._check_login()

    @contextmanager
    def no_stray_folder(self) -> Iterator[None]:
        """Take away the empty folder that MLflow makes for a path with ? or %, spelt as in the address."""
        spelt = Path(self.uri.partition(":///")[2].partition("?")[0]).parent
        stray = self.database is not None and spelt != self.database.parent and not spelt.exists()
        yield
        if stray:
            with suppress(OSError):
                os.removedirs(spelt)

    def _check_driver(self) -> None:
        from sqlalchemy import make_url
        from sqlalchemy.exc import SQLAlchemyError

        try:
            make_url(self.uri).get_dialect().import_dbapi()
        except ImportError as error:
            package = _PACKAGES.get(str(error.name), error.name)
            raise ConfigurationError(
                f"{URI_VARIABLE}: {self.shown} needs the driver {error.name}, which is not installed. "
                f"Install it beside this program: pip install '{package}'"
            ) from error
        except (SQLAlchemyError, ValueError) as error:
            raise ConfigurationError(
                f"{URI_VARIABLE}: {self.shown} is no address of a database: {explained(error, self.uri)}"
            ) from error

    def _check_login(self) -> None:
        """Connect once: MLflow would try a wrong password ten times, in minutes."""
        from sqlalchemy import create_engine
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.pool import NullPool

        try:
            create_engine(self.uri, poolclass=NullPool).connect().close()
        except SQLAlchemyError as error:
            raise TrackingError(
                f"the database {self.shown} does not let MLflow in: {explained(error, self.uri)}"
            ) from error
