"""A workbook is read like the CSV file of the same table; what of it is not read is told."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from configs.errors import DataError
from pipelines.ingest.tables.workbook_cells import ReadingLimits, read_sheets
from pipelines.ingest.tables.workbook_table import table_of

KNOWN = ("declaration_id", "hs_code", "value")
HEAD = ["declaration_id", "hs_code", "value", "found"]


def book(path: Path, **sheets: list[list[Any]]) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def test_cells_are_read_as_a_csv_file_has_them(tmp_path: Path) -> None:
    rows = [HEAD, ["A", 20711, 5.5, "1.0"], ["B", "020711", 1e15, True], [], ["C", None, date(2026, 10, 1)]]
    rows[-1].append(datetime.fromisoformat("2026-10-01T18:30"))
    table = table_of(book(tmp_path / "a.xlsx", Data=rows), KNOWN)
    assert table.notes == []
    assert table.frame.rows() == [
        ("A", "20711", "5.5", "1.0"),
        ("B", "020711", "1000000000000000.0", "true"),
        ("C", None, "2026-10-01", "2026-10-01 18:30:00"),
    ]


def test_every_sheet_is_read_or_told(tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        Notes=[["what to know"], ["of this file"]],
        October=[["Findings 2026"], [], HEAD, ["A", "1", "2", "3"]],
        November=[[*HEAD[1:], HEAD[0]], ["5", "6", "7", "B"]],
        Empty=[],
    )
    table = table_of(path, KNOWN)
    assert table.frame.rows() == [("A", "1", "2", "3"), ("B", "5", "6", "7")]
    told = "\n".join(table.notes)
    assert "sheet 'Notes' was not read, 2 rows from row 1" in told
    assert "sheet 'October': what stands above the headings in row 3 was not read" in told
    assert "2 sheets with the same headings were read as one table" in told


def test_a_stray_cell_far_below_is_one_row_more_and_not_all_those_above_it(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    for row in (HEAD, ["A", "1", "2", "3"]):
        sheet.append(row)
    sheet.cell(200_000, 2).value = "stray"
    workbook.save(tmp_path / "a.xlsx")
    table = table_of(tmp_path / "a.xlsx", KNOWN, ReadingLimits(cells=20))
    assert table.frame.rows() == [("A", "1", "2", "3"), (None, "stray", None, None)]


def test_columns_keep_their_places_right_of_blank_ones(tmp_path: Path) -> None:
    rows: list[list[Any]] = [[None, *HEAD], [], [None, "A", 1, None, 3], [], [None, "B"]]
    path = book(tmp_path / "a.xlsx", Data=rows)
    (sheet,) = read_sheets(path, path.read_bytes(), ReadingLimits())
    assert sheet.rows == [["", *HEAD], [], ["", "A", 1.0, "", 3.0], [], ["", "B"]]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "is empty"),
        ([["declaration_id", None, "value"], ["A", "lost", 1]], "column 2 has values and no heading"),
        ([["declaration_id", "value", "value"], ["A", 2, 1]], "got 'value' twice"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, rows: list[list[Any]], told: str) -> None:
    with pytest.raises(DataError, match=told):
        table_of(book(tmp_path / "a.xlsx", Data=rows), KNOWN)
