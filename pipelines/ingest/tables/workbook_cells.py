"""The cells of a workbook, read by a process of bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from configs.errors import DataError
from pipelines.ingest.tables import workbook_reader

ZIPPED = b"PK"
"""How .xlsx, .xlsm, .xlsb and .ods begin."""
COMPOUND = b"\xd0\xcf\x11\xe0"
"""How .xls begins, and every workbook with a password."""
AS_XLSX = "open it in a spreadsheet program and save it as .xlsx"

Cell = str | int | float | bool | date | None
"""A cell as a spreadsheet, a CSV file or JSON gives it; a datetime is a date too."""


@dataclass(frozen=True)
class ReadingLimits:
    """What the process that reads a workbook may use."""

    seconds: float = 120
    memory_bytes: int = 2 * 2**30
    cells: int = 4_000_000


@dataclass(frozen=True)
class WorkbookSheet:
    """The cells of a sheet by rows, from its first row and column, each row to its last cell that is filled.

    A formula is the value saved with it.
    """

    name: str
    rows: list[list[Cell]]


def read_sheets(path: Path, content: bytes, limits: ReadingLimits) -> list[WorkbookSheet]:
    """Return the sheets of an .xlsx, .xlsb, .ods or .xls workbook, whatever program wrote it.

    Raises:
        DataError: it is none, has a password, or takes more than the limits allow.
    """
    # Not as a module of the package, whose imports are no part of what is limited.
    command = [sys.executable, "-P", workbook_reader.__file__, str(limits.memory_bytes), str(limits.cells)]
    try:
        reader = subprocess.run(
            command, input=content, capture_output=True, timeout=limits.seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _unreadable(path, f"it takes longer than {limits.seconds:g} s") from error
    if reader.returncode == workbook_reader.REFUSED:
        raise _unreadable(path, reader.stdout.decode("utf-8", "replace")[:200])
    if reader.returncode != 0:
        raise _unreadable(
            path,
            f"the reader broke off with code {reader.returncode}, as it does for want of memory: delete what "
            "stands far below or right of the table",
        )
    return [
        WorkbookSheet(
            name,
            [
                [datetime.fromisoformat(cell[0]) if isinstance(cell, list) else cell for cell in row]
                for row in rows
            ],
        )
        for name, rows in json.loads(reader.stdout)
    ]


def _unreadable(path: Path, why: str) -> DataError:
    return DataError(f"{path} is a workbook that cannot be read ({why}): {AS_XLSX}, without a password")
