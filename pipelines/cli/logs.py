"""Logging of the command line: text for people, or one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from pipelines.privacy.log_masking import mask_texts, masked_line

LogFormat = Literal["text", "json"]

_OWN_LOGGERS: Final = ("configs", "features", "models", "pipelines")
_STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def set_up_logging(*, verbose: bool = False, quiet: bool = False, log_format: LogFormat = "text") -> None:
    """Send log records to standard error, and nothing of a third party below a warning.

    Says what the program does by default, only warnings if `quiet`, and every detail if `verbose`.
    A second call replaces the first.
    """
    # MLflow would lay its own handlers beside these when it is imported.
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")
    handler = _StandardErrorHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _StandardErrorHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    # A library's warning is for whoever writes the program: its user cannot act on it.
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.WARNING if verbose else logging.ERROR)
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    for name in _OWN_LOGGERS:
        logging.getLogger(name).setLevel(level)


class TextFormatter(logging.Formatter):
    """One line a record: time in UTC, level where it is not plain information, and the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with the traceback below it where the record has one."""
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        text = f"{_time(record)} {level}{record.getMessage()}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return masked_line(text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and whatever `extra=` added.

    >>> record = logging.makeLogRecord({"msg": "%s lines", "args": (7,), "levelname": "INFO", "lines": 7})
    >>> json.loads(JsonFormatter().format(record))["message"]
    '7 lines'
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the object as one line of text."""
        entry: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return to_json({name: mask_texts(value) for name, value in entry.items()})


def to_json(entry: Mapping[str, object]) -> str:
    """Return one line of JSON; what JSON has no type for (dates, paths) goes in as text.

    >>> from datetime import date
    >>> to_json({"day": date(2026, 11, 20), "rows": 3})
    '{"day": "2026-11-20", "rows": 3}'
    """
    return json.dumps(dict(entry), ensure_ascii=False, default=str)


class _StandardErrorHandler(logging.Handler):
    """Writes to what standard error is now: a progress bar puts itself in its place for a while."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except OSError:
            self.handleError(record)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
