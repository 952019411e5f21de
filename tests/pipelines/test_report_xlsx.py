from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from features.visible_text import visible_text
from pipelines.lists import write_lists
from pipelines.office_list import CODE_CHARACTERS, TEXT_CHARACTERS
from pipelines.report_xlsx import HEADER_ROW, RESULTS
from tests.pipelines.list_examples import DAY, HOSTILE, RISKS, hostile, listed


def _cells(path: Path) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(path)["List"]
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=HEADER_ROW + 2)]


def test_a_workbook_has_real_numbers_choices_filters_and_a_frozen_header(tmp_path: Path) -> None:
    write_lists(tmp_path, listed([{}, {"selection": "random", "total_price_cny": None}]), DAY, RISKS)
    book = openpyxl.load_workbook(tmp_path / "4601.xlsx")
    sheet = book["List"]
    header = [cell.value for cell in sheet[HEADER_ROW + 1]]
    row = dict(zip(header, [cell.value for cell in sheet[HEADER_ROW + 2]], strict=True))
    assert (row["Rank"], row["Declared CNY"], row["Gross kg"], row["Probability"]) == (1, 120.25, 1.234, 0.25)
    assert (row["HS code"], row["Waybill"], row["Goods as declared"]) == ("0103006000", "0012345", "儿童玩具")
    assert row["Chance"] == "about 1 in 4"
    assert row["Why"] == "• CNY 12.0/kg declared; 143 similar lines have a median of 148\n• second"
    assert sheet.cell(HEADER_ROW + 3, header.index("Declared CNY") + 1).value is None
    assert sheet.freeze_panes == f"C{HEADER_ROW + 2}"
    assert sheet.auto_filter.ref == f"A{HEADER_ROW + 1}:Y{HEADER_ROW + 3}"
    (choice,) = sheet.data_validations.dataValidation
    column = get_column_letter(header.index("Result") + 1)
    assert (str(choice.sqref), choice.formula1) == (
        f"{column}{HEADER_ROW + 2}:{column}{HEADER_ROW + 3}", f'"{",".join(RESULTS)}"',
    )  # fmt: skip
    assert sheet["A1"].value == "Sampling list of customs office 4601"
    assert sheet["B2"].value == datetime(2026, 11, 20)  # noqa: DTZ001 - a workbook knows no time zone
    assert book.properties.created == datetime(2026, 11, 20)  # noqa: DTZ001
    assert sheet["A3"].value is None


def test_hostile_names_are_text_in_the_workbook(tmp_path: Path) -> None:
    write_lists(tmp_path, hostile(), DAY, RISKS)
    rows = _cells(tmp_path / "4601.xlsx")
    assert [row[1] for row in rows] == [visible_text(text, CODE_CHARACTERS) for text in HOSTILE]
    shown = [visible_text(text, TEXT_CHARACTERS) for text in HOSTILE]
    assert [row[3] for row in rows] == [f"{text}\n{text}" for text in shown]
    sheet = openpyxl.load_workbook(tmp_path / "4601.xlsx")["List"]
    cells: list[Any] = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert not any(cell.hyperlink for cell in cells)
    assert all(cell.quotePrefix for cell in cells if cell.row > HEADER_ROW + 1 and cell.data_type == "s")
    with zipfile.ZipFile(tmp_path / "4601.xlsx") as parts:
        for name in parts.namelist():
            assert b"<f>" not in parts.read(name)
