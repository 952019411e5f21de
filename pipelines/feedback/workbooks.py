"""The cells of a returned workbook, whichever program saved it in whichever format."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from configs.errors import DataError
from configs.language import Message
from pipelines.ingest.tables.workbook_cells import AS_XLSX, COMPOUND, Cell, ReadingLimits, read_sheets

MOST_ROWS = 20_000
MOST_COLUMNS = 500
"""No list is longer or wider; what stands beyond is told, and not read."""
_MOST_BEYOND = 100
_LIMITS = ReadingLimits()
# openpyxl tells what is merged and what has a formula, but takes some 50 bytes of memory for each byte.
_READ_HERE = 16 * 2**20
_FORMULA = re.compile(rb"<f[ >/]")
# Workbooks that keep to the letter of the standard ("strict") name the same things otherwise.
_STRICT = {
    b"http://purl.oclc.org/ooxml/spreadsheetml/main": b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    b"http://purl.oclc.org/ooxml/drawingml/main": b"http://schemas.openxmlformats.org/drawingml/2006/main",
    b"http://purl.oclc.org/ooxml/officeDocument/": b"http://schemas.openxmlformats.org/officeDocument/2006/",
}

Position = tuple[int, int]
"""Row and column of a cell, each from 0."""


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook, or the only one of a CSV file.

    Attributes:
        rows: its cells, from its first row and column; a formula is the value that was saved with it.
        name: None in a CSV file.
        faults: cells whose content cannot be known, and why.
        formulas: those whose value was not saved.
        merged: cells that belong to a range merged over several rows, which has one value, and that range.
        beyond: cells outside of what a list can have, which were not read.
    """

    rows: list[list[Cell]]
    name: str | None = None
    faults: Mapping[Position, str] = field(default_factory=dict)
    formulas: Mapping[Position, str] = field(default_factory=dict)
    merged: Mapping[Position, str] = field(default_factory=dict)
    beyond: list[str] = field(default_factory=list)


def sheets_of(path: Path, content: bytes, most_bytes: int, limits: ReadingLimits = _LIMITS) -> list[Sheet]:
    """Return every sheet of a workbook.

    `content` begins with `ZIPPED` or `COMPOUND` and may unpack to `most_bytes`; `limits` are those of the
    process that reads what openpyxl does not.

    Raises:
        DataError: it is no workbook that can be read, or has more rows than a list.
    """
    if content.startswith(COMPOUND):
        return _read_apart(path, content, limits)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            sizes = {part.filename: part.file_size for part in parts.infolist()}
        size = sum(sizes.values())
        if size > most_bytes:
            raise DataError(
                Message(
                    "{file} unpacks to {bytes:,} bytes: expected a list, of at most {most:,}",
                    {"file": path, "bytes": size, "most": most_bytes},
                )
            )
        if sizes.keys() & {"xl/workbook.bin", "content.xml"} or size > _READ_HERE:
            return _read_apart(path, content, limits)
        if "xl/workbook.xml" not in sizes:
            raise DataError(
                Message(
                    "{file} is a zip archive without a workbook in it: {advice}",
                    {"file": path, "advice": Message(AS_XLSX)},
                )
            )
        return _read_by_openpyxl(path, content)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            Message(
                "{file} is no workbook that can be read ({error}): expected a filled-in list; {advice}",
                {"file": path, "error": type(error).__name__, "advice": Message(AS_XLSX)},
            )
        ) from error


def cell_of(value: Any) -> Cell:
    """Return a value as a cell, which has only the types that `feedback` knows."""
    return value if value is None or isinstance(value, str | int | float | bool | date) else str(value)


def _read_by_openpyxl(path: Path, content: bytes) -> list[Sheet]:
    import openpyxl

    content, has_formulas = _by_the_usual_names(content)
    with warnings.catch_warnings():
        # Of styles and drop-downs that openpyxl does not know; nobody reads them.
        warnings.simplefilter("ignore")
        values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(content)) if has_formulas else values
    return [_sheet(path, sheet, formulas[sheet.title]) for sheet in values.worksheets]


def _by_the_usual_names(content: bytes) -> tuple[bytes, bool]:
    """The workbook by the names of the usual variant of the standard, and whether it has formulas."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        parts = {part: source.read(part) for part in source.infolist()}
    formulas = any("/worksheets/" in part.filename and _FORMULA.search(text) for part, text in parts.items())
    if not any(b"http://purl.oclc.org/ooxml/" in text for text in parts.values()):
        return content, formulas
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for part, text in parts.items():
            for strict, usual in _STRICT.items():
                text = text.replace(strict, usual)
            target.writestr(part.filename, text)
    return out.getvalue(), formulas


def _sheet(path: Path, sheet: Any, formulas: Any) -> Sheet:
    # A stray cell in the last row makes every public way through the sheet one of a million rows.
    cells = {at: cell for at, cell in _cells(sheet).items() if cell.value is not None}
    within = {at: cell for at, cell in cells.items() if _is_within(at)}
    beyond = [cell.coordinate for at, cell in cells.items() if at not in within]
    _bound(path, sheet.title, beyond)
    rows: list[list[Cell]] = []
    for at, cell in within.items():
        _put(rows, at, cell_of(cell.value))
    written = _cells(formulas).items()
    open_formulas = {
        at: cell for at, cell in written if cell.data_type == "f" and _is_within(at) and at not in cells
    }
    faults = {
        at: f"a row with a formula in {cell.coordinate} whose value was not saved: open the file in a "
        "spreadsheet program and save it again, or type the value"
        for at, cell in open_formulas.items()
    }
    merged: dict[Position, str] = {}
    for area in sheet.merged_cells.ranges:
        places = [(row - 1, column - 1) for row, column in area.cells] if area.max_row <= MOST_ROWS else []
        if area.min_col == area.max_col and places and places[0] in within:
            merged |= dict.fromkeys(places, area.coord)
            # A value that is merged over several rows is that of each of them.
            for at in places[1:]:
                _put(rows, at, cell_of(within[places[0]].value))
        elif area.min_col != area.max_col and area.max_col <= MOST_COLUMNS:
            words = f"a row whose cells {area.coord} are merged, so that nobody knows what belongs where"
            faults |= dict.fromkeys(places, f"{words}: take the merging back")
    texts = {at: str(cell.value) for at, cell in open_formulas.items()}
    return Sheet(rows, sheet.title, faults, texts, merged, beyond)


def _bound(path: Path, name: str, beyond: list[str]) -> None:
    if len(beyond) > _MOST_BEYOND:
        raise DataError(
            Message(
                "{file}, sheet {sheet!r} has {cells:,} cells beyond row {rows:,} or column {columns}: "
                "expected a list; delete what is no part of it",
                {
                    "file": path,
                    "sheet": name,
                    "cells": len(beyond),
                    "rows": MOST_ROWS,
                    "columns": MOST_COLUMNS,
                },
            )
        )


def _cells(sheet: Any) -> dict[Position, Any]:
    return {(row - 1, column - 1): cell for (row, column), cell in sheet._cells.items()}


def _is_within(at: Position) -> bool:
    return at[0] < MOST_ROWS and at[1] < MOST_COLUMNS


def _put(rows: list[list[Cell]], at: Position, value: Cell) -> None:
    row, column = at
    rows += [[] for _ in range(row + 1 - len(rows))]
    rows[row] += [None] * (column + 1 - len(rows[row]))
    rows[row][column] = value


def _read_apart(path: Path, content: bytes, limits: ReadingLimits) -> list[Sheet]:
    from openpyxl.utils import get_column_letter

    sheets = []
    for sheet in read_sheets(path, content, limits):
        beyond = [
            f"{get_column_letter(column + 1)}{row + 1}"
            for row, cells in enumerate(sheet.rows)
            for column in range(0 if row >= MOST_ROWS else MOST_COLUMNS, len(cells))
            if cells[column] not in (None, "")
        ]
        _bound(path, sheet.name, beyond)
        rows = [cells[:MOST_COLUMNS] for cells in sheet.rows[:MOST_ROWS]]
        sheets.append(Sheet(rows, sheet.name, beyond=beyond))
    return sheets
