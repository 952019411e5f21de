"""The cells of a returned workbook, whichever program saved it in whichever format."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from configs.errors import DataError
from pipelines.feedback import workbook_reader
from pipelines.feedback.values import Cell

ZIPPED = b"PK"
"""How .xlsx, .xlsm, .xlsb and .ods begin."""
COMPOUND = b"\xd0\xcf\x11\xe0"
"""How .xls begins, and every workbook with a password."""
_AS_XLSX = "open it in a spreadsheet program and save it as .xlsx"

Sheet = list[list[Cell]]


@dataclass(frozen=True)
class ReadingLimits:
    """What the process may use that reads an .xls, .xlsb or .ods workbook."""

    seconds: float = 120
    memory_bytes: int = 2 * 2**30
    cells: int = 4_000_000


def sheets_of(
    path: Path, content: bytes, most_bytes: int, limits: ReadingLimits = ReadingLimits()
) -> list[Sheet]:
    """Return the cells of every sheet by rows; a formula is the value that the program saved with it.

    `content` begins with `ZIPPED` or `COMPOUND` and may unpack to `most_bytes`; `limits` are those of the
    process that reads what openpyxl does not.

    Raises:
        DataError: it is no workbook that can be read.
    """
    if content.startswith(COMPOUND):
        return _read_apart(path, content, limits)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            names = set(parts.namelist())
            size = sum(part.file_size for part in parts.infolist())
        if size > most_bytes:
            raise DataError(f"{path} unpacks to {size:,} bytes: expected a list, of at most {most_bytes:,}")
        if names & {"xl/workbook.bin", "content.xml"}:
            return _read_apart(path, content, limits)
        return _read_by_openpyxl(content)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path} is no workbook that can be read ({type(error).__name__}): expected a filled-in list; "
            f"{_AS_XLSX}"
        ) from error


def cell_of(value: Any) -> Cell:
    """Return a value as a cell, which has only the types that `feedback` knows."""
    return value if value is None or isinstance(value, str | int | float | bool | date) else str(value)


def _read_by_openpyxl(content: bytes) -> list[Sheet]:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    return [
        [[cell_of(value) for value in row] for row in sheet.iter_rows(values_only=True)]
        for sheet in book.worksheets
    ]


def _read_apart(path: Path, content: bytes, limits: ReadingLimits) -> list[Sheet]:
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
        raise _unreadable(path, f"the reader broke off with code {reader.returncode}")
    return [
        [
            [datetime.fromisoformat(cell[0]) if isinstance(cell, list) else cell for cell in row]
            for row in sheet
        ]
        for sheet in json.loads(reader.stdout)
    ]


def _unreadable(path: Path, why: str) -> DataError:
    return DataError(f"{path} is a workbook that cannot be read ({why}): {_AS_XLSX}, without a password")
