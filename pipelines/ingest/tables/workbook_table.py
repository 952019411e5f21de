"""Makes a table of text of a workbook's sheets; what of them is not read is told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Final

import polars as pl

from configs.errors import DataError
from pipelines.ingest.tables.workbook_cells import Cell, ReadingLimits, WorkbookSheet, read_sheets

_TABLE_LIMITS: Final = ReadingLimits(seconds=600, memory_bytes=4 * 2**30, cells=12_000_000)
# Titles, dates and logos stand above the headings.
_MOST_ROWS_ABOVE: Final = 50
# From here on a spreadsheet program rounds, and a number is not what it was.
_MOST_EXACT: Final = 10**15


@dataclass(frozen=True)
class WorkbookTable:
    """The rows of all sheets that have the same headings, as text, and what to tell of the others."""

    frame: pl.DataFrame
    notes: list[str]


@dataclass(frozen=True)
class _Sheet:
    """A sheet with headings in row `top` (from 0), which hold `known` names that are asked for."""

    name: str
    headings: list[str]
    top: int
    known: int
    rows: list[list[Cell]]


def table_of(path: Path, known: Collection[str], limits: ReadingLimits = _TABLE_LIMITS) -> WorkbookTable:
    """Read a workbook; `known` are names of columns by which headings are found.

    Raises:
        DataError: it cannot be read, is empty, or a column with values has no heading.
    """
    sheets = [_looked_at(sheet, known) for sheet in read_sheets(path, path.read_bytes(), limits)]
    filled = [sheet for sheet in sheets if sheet is not None]
    if not filled:
        raise DataError(f"{path} is empty: expected a sheet with a header")
    first = max(filled, key=lambda sheet: sheet.known)
    notes, frames = [], []
    for sheet in filled:
        where = f"{path}: sheet {sheet.name!r}"
        if sorted(sheet.headings) != sorted(first.headings):
            notes.append(
                f"{where} was not read, {len(sheet.rows) + 1:,} rows from row {sheet.top + 1}: its headings "
                f"are not those of sheet {first.name!r}. If it is a table, save it as a file of its own"
            )
            continue
        if sheet.top:
            notes.append(f"{where}: what stands above the headings in row {sheet.top + 1} was not read")
        frames.append(_frame(sheet, where).select(first.headings))
    if len(frames) > 1:
        notes.append(f"{path}: {len(frames)} sheets with the same headings were read as one table")
    return WorkbookTable(pl.concat(frames), notes)


def _looked_at(sheet: WorkbookSheet, known: Collection[str]) -> _Sheet | None:
    filled = [number for number, row in enumerate(sheet.rows) if any(_text_of_cell(cell) for cell in row)]
    if not filled:
        return None
    names = {" ".join(name.split()) for name in known}

    def found(number: int) -> int:
        return sum(" ".join((_text_of_cell(cell) or "").split()) in names for cell in sheet.rows[number])

    top = max((number for number in filled if number <= filled[0] + _MOST_ROWS_ABOVE), key=found)
    headings = [(_text_of_cell(cell) or "").strip() for cell in sheet.rows[top]]
    while headings and not headings[-1]:
        headings.pop()
    rows = [row for row in sheet.rows[top + 1 :] if any(_text_of_cell(cell) for cell in row)]
    return _Sheet(sheet.name, headings, top, found(top), rows)


def _frame(sheet: _Sheet, where: str) -> pl.DataFrame:
    headings = sheet.headings
    twice = sorted({name for name in headings if name and headings.count(name) > 1})
    if twice:
        raise DataError(f"{where}: expected a header with a name for each column, got {twice[0]!r} twice")
    width = max(len(headings), *(len(row) for row in sheet.rows), 0)
    columns = {}
    for number in range(width):
        values = [_text_of_cell(row[number]) if number < len(row) else None for row in sheet.rows]
        if number < len(headings) and headings[number]:
            columns[headings[number]] = pl.Series(values, dtype=pl.String)
        elif any(values):
            raise DataError(f"{where}: column {number + 1} has values and no heading: give it one")
    return pl.DataFrame(columns)


def _text_of_cell(cell: Cell) -> str | None:
    """A cell as CSV would have it.

    >>> _text_of_cell(20711.0), _text_of_cell("020711"), _text_of_cell(datetime(2026, 11, 20))
    ('20711', '020711', '2026-11-20')
    """
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _MOST_EXACT:
        return str(int(cell))
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)
