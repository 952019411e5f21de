"""The cells of a returned workbook, whichever program saved it in whichever format."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

from configs.errors import DataError
from pipelines.ingest.tables.workbook_cells import AS_XLSX, COMPOUND, Cell, ReadingLimits, read_sheets

Sheet = list[list[Cell]]
_LIMITS = ReadingLimits()


def sheets_of(path: Path, content: bytes, most_bytes: int, limits: ReadingLimits = _LIMITS) -> list[Sheet]:
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
            f"{AS_XLSX}"
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
    return [sheet.rows for sheet in read_sheets(path, content, limits)]
