"""Where MLflow is, whether it answers, and how it is told to keep quiet; nothing here needs MLflow itself."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from configs.errors import TrackingError

URI_VARIABLE = "MLFLOW_TRACKING_URI"
_REACH_SECONDS = 3.0
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
    """The address of MLflow, and the folder of its files where these are not the server's business."""

    uri: str
    artifacts: Path | None = None

    @classmethod
    def in_folder(cls, folder: Path) -> TrackingServer:
        """MLflow where `MLFLOW_TRACKING_URI` says, else SQLite in `folder`."""
        uri = os.environ.get(URI_VARIABLE, "").strip()
        if uri:
            return cls(uri)
        return cls(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts")

    @property
    def shown(self) -> str:
        """The address without a password.

        >>> TrackingServer("http://ana:secret@host:5000").shown
        'http://host:5000'
        """
        parts = urlsplit(self.uri)
        if "@" not in parts.netloc:
            return self.uri
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def check_reachable(self) -> None:
        """Ask a server whether it is there before MLflow retries for minutes; TrackingError where it is not.

        A database in a file is always there.
        """
        parts = urlsplit(self.uri)
        if parts.scheme not in ("http", "https"):
            return
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), timeout=_REACH_SECONDS).close()
        except OSError as error:
            raise TrackingError(
                f"the MLflow server {self.shown} cannot be reached ({error}). Start it, correct "
                f"{URI_VARIABLE}, or unset it to use a SQLite file beside the store."
            ) from error
