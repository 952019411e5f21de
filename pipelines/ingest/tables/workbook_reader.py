"""Reads a workbook from standard input and writes its cells to standard output as JSON.

`workbook_cells` starts it, so that what a broken or hostile file does ends this process and not
the run. The library holds all cells up to the last row and column that have one, hence the limit
of memory; written are those that are filled, so that a stray cell in the last row is no million rows.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from datetime import date

REFUSED = 3
"""Exit code where standard output says why the workbook is not read."""


def write_cells(most_bytes: int, most_cells: int) -> None:
    """Write the name and the rows of every sheet, a date as a list of its text in ISO 8601."""
    _limit_memory(most_bytes)
    # Imported late: within the limit.
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        sheets = []
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            indent = sheet.start[1] if sheet.start else 0
            rows = [_without_blank_end(indent, row) for row in sheet.iter_rows()]
            most_cells -= sum(map(len, rows))
            if most_cells < 0:
                _refuse("it has more cells than a list can have")
            sheets.append((name, rows))
    except CalamineError as error:
        _refuse(str(error))
    # In one piece: `json.dump` writes every cell by itself, which takes ten times as long.
    sys.stdout.write(json.dumps(sheets, default=_of_other_type))


def _without_blank_end(indent: int, cells: Sequence[object]) -> list[object]:
    if cells.count("") == len(cells):
        return []
    end = len(cells)
    while cells[end - 1] == "":
        end -= 1
    return [""] * indent + list(cells[:end])


def _of_other_type(value: object) -> object:
    return [value.isoformat()] if isinstance(value, date) else str(value)


def _refuse(why: str) -> None:
    sys.stdout.write(why)
    sys.exit(REFUSED)


def _limit_memory(most_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))


if __name__ == "__main__":
    write_cells(*map(int, sys.argv[1:]))
