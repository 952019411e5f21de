"""What MLflow and what it rests on mean by their errors, and what to do about each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from models.tracking.addresses import URI_VARIABLE, without_secrets

_CHARACTERS: Final = 500
# The first that fits is told; what names its cause most exactly stands first.
_ADVICE: Final = {
    r"TLS (certificate|key) file|TLS CA certificate": "The file of the certificate is not there: correct "
    "MLFLOW_TRACKING_CLIENT_CERT_PATH or MLFLOW_TRACKING_SERVER_CERT_PATH",
    r"certificate required|handshake failure|bad certificate|unknown ca|certificate unknown": "The server "
    "asks for a certificate of this client: name a PEM file with certificate and key in "
    "MLFLOW_TRACKING_CLIENT_CERT_PATH",
    r"hostname mismatch|doesn't match": "The certificate is that of another host: write the host in the "
    "address as the certificate names it",
    r"certificate.verify.failed|self.signed certificate": "The server's certificate is not trusted here: "
    "name the file of its authority in MLFLOW_TRACKING_SERVER_CERT_PATH",
    r"wrong.version.number|record layer failure|http request": "The server does not speak TLS: write "
    "http:// instead of https://",
    r"\[SSL\]": "MLFLOW_TRACKING_CLIENT_CERT_PATH has to name a PEM file with a certificate and its key",
    r"error code 401|unauthori[sz]ed|password authentication|access denied": "User or password is wrong: "
    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or MLFLOW_TRACKING_TOKEN) have those of a "
    "server, its address has those of a database",
    r"error code 403|permission.denied|forbidden|insufficient.privilege": "This account may not do it: ask "
    "for the right to write runs, models and artifacts",
    r"error code 404|no host supplied|Expecting value|<html|not a valid JSON": "What answers there is no "
    f"MLflow server: correct {URI_VARIABLE}",
    r"disk is full|no space left|quota exceeded": "The disk is full: make room, then start the same "
    "command again",
    r"readonly database|read-only|readonly": "This account may not write there: give it the right, or mount "
    "the disk for writing",
    r"locking protocol|disk I/O error|no locks available": "The file system does not support locks, which "
    "SQLite needs: put the folder on a local disk, or use an MLflow server",
    r"database is locked": "Another program works with the database: start again when it is done",
    r"not a database|malformed": "The file is damaged: restore it from a backup",
    r"out-of-date database schema|no such table|no such revision": "Another version of MLflow made the "
    "database: after a backup, `mlflow db upgrade` with its address brings it up to date",
    r"unable to open database file": "The folder has to exist, and this account has to write there",
    r"connection (refused|reset|aborted|timed out)|timed out|max retries|server closed the connection": "The "
    "server has gone, or speaks https: start the same command again when it is back",
}


def explained(error: BaseException, *addresses: str) -> str:
    """Return the first line of an error without secrets, and what to do about it where that is known."""
    words = " ".join(_texts(error))
    fitting = (advice for pattern, advice in _ADVICE.items() if re.search(pattern, words, re.IGNORECASE))
    advice = next(fitting, "")
    lines = str(error).strip().splitlines() or [type(error).__name__]
    said = without_secrets(lines[0], *addresses)[:_CHARACTERS].rstrip(".")
    return f"{said}. {advice}." if advice else f"{said}."


def _texts(error: BaseException | None) -> Iterator[str]:
    """What an error says, and what led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield f"{type(error).__name__} {error}"
        error = error.__cause__ or error.__context__
