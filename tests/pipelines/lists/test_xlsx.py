from __future__ import annotations

import hashlib
import zipfile
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from features.contract.result_words import RESULT_VALUES, result_of
from features.text.visible import visible_text
from pipelines.lists.code128 import modules_of, picture
from pipelines.lists.fields import (
    field_of_heading,
    fields_to_fill_in,
    list_headings,
    result_field,
)
from pipelines.lists.parcel import CODE_CHARACTERS, TEXT_CHARACTERS
from pipelines.lists.write import write_lists
from pipelines.lists.xlsx import HEADER_ROW, TECHNICAL_ROWS
from pipelines.lists.xlsx_columns import row_height
from tests.pipelines.list_examples import DAY, HOSTILE, SETTINGS, TWO_LINES, hostile, listed


def _cells(path: Path) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(path)["List"]
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=HEADER_ROW + 2)]


def test_a_workbook_has_real_numbers_choices_filters_and_a_frozen_header(tmp_path: Path) -> None:
    chances = [
        {"risk": risk, "line_no": 1, "probability": probability, "reason_1": "a reason"}
        for risk, probability in (("food_safety", 0.5), ("undervaluation", 0.25), ("prohibited_items", 0.1))
    ]
    rows = [{"chances": chances, "lines": TWO_LINES}, {"selection": "random", "total_price_cny": None}]
    write_lists(tmp_path, listed(rows), DAY, SETTINGS)
    book = openpyxl.load_workbook(tmp_path / "4601.xlsx")
    sheet = book["List"]
    header = [cell.value for cell in sheet[HEADER_ROW + 1]]
    row = dict(zip(header, [cell.value for cell in sheet[HEADER_ROW + 2]], strict=True))
    assert (row["Rank"], row["Declared CNY"], row["Parcel, gross kg"], row["Probability"]) == (
        1,
        120.25,
        1.234,
        0.25,
    )
    assert (row["HS code"], row["Waybill"], row["Goods as declared"]) == ("0103006000", "0012345", "儿童玩具")
    assert row["Chance"] == "about 1 in 4"
    assert str(row["Why"]).split("\n") == [
        "• CNY 12.0/kg declared; 143 similar lines have a median of 148",
        "• second",
        "• more likely: Food safety, about 1 in 2",
    ]
    assert sheet.cell(HEADER_ROW + 3, header.index("Declared CNY") + 1).value is None
    assert sheet.freeze_panes == f"C{HEADER_ROW + 2}"
    assert sheet.auto_filter.ref == f"A{HEADER_ROW + 1}:{get_column_letter(len(header))}{HEADER_ROW + 3}"
    assert sheet["A1"].value == "Sampling list of customs office 4601"
    assert sheet["B2"].value == datetime(2026, 11, 20)  # noqa: DTZ001 - a workbook knows no time zone
    assert book.properties.created == datetime(2026, 11, 20)  # noqa: DTZ001
    assert sheet["A3"].value is None


def test_only_fields_to_fill_in_can_be_changed_and_what_is_typed_is_checked(tmp_path: Path) -> None:
    write_lists(tmp_path, listed([{"list_id": "9f3c21ab77de"}, {}]), DAY, SETTINGS)
    sheet = openpyxl.load_workbook(tmp_path / "4601.xlsx")["List"]
    technical = [cell.value for cell in sheet[TECHNICAL_ROWS[1] + 1]]
    fields = fields_to_fill_in(SETTINGS.risks)
    assert set(technical) == {*list_headings(), *fields}
    assert sheet.protection.sheet
    assert not sheet.protection.autoFilter  # what is not forbidden
    for row in (HEADER_ROW + 2, HEADER_ROW + 3):
        cells = dict(zip(technical, sheet[row], strict=True))
        assert {name for name, cell in cells.items() if not cell.protection.locked} == set(fields)
    given = sheet.data_validations.dataValidation
    rules = {technical[next(iter(rule.sqref.ranges)).min_col - 1]: rule for rule in given}
    assert {name: rule.type for name, rule in rules.items()} == {
        **{result_field(risk): "list" for risk in SETTINGS.risks},
        "inspected_on": "date", "assessed_unit_price": "decimal", "recovered_tax_cny": "decimal",
        "opened_instead": None, "found_line": "whole", "found_how": "list", "found_quantity": "decimal",
        "not_opened": "list",
    }  # fmt: skip
    assert (
        rules["result_undervaluation"].formula1 == '"found,nothing found,not examined,sent to the laboratory"'
    )
    assert "invoice, payment record" in rules["result_undervaluation"].prompt
    assert {str(rule.sqref)[-len(str(HEADER_ROW + 3)) :] for rule in rules.values()} == {str(HEADER_ROW + 3)}
    known = [cell.value for cell in sheet[TECHNICAL_ROWS[0] + 1]][:8]
    assert known == [
        "list_id", "9f3c21ab77de", "customs_office", "4601", "shift", None, "declared_on", "2026-11-20",
    ]  # fmt: skip
    assert all(sheet.row_dimensions[row + 1].hidden for row in TECHNICAL_ROWS)


def test_the_workbook_of_a_chinese_office_has_the_same_technical_names(tmp_path: Path) -> None:
    chinese = SETTINGS.model_copy(update={"capacity": SETTINGS.capacity.speaking(("zh-CN", ()))})
    write_lists(tmp_path, listed([{}]), DAY, chinese)
    sheet = openpyxl.load_workbook(tmp_path / "4601.xlsx").worksheets[0]
    assert sheet.title == "清单"
    headings, technical = ([cell.value for cell in sheet[row + 1]] for row in (HEADER_ROW, TECHNICAL_ROWS[1]))
    for heading, field in zip(headings, technical, strict=True):
        assert field_of_heading(str(heading), SETTINGS.risks) == field
    rule = next(rule for rule in sheet.data_validations.dataValidation if rule.type == "list")
    assert [result_of(word) for word in rule.formula1.strip('"').split(",")] == list(RESULT_VALUES)


def test_hostile_names_are_text_in_the_workbook(tmp_path: Path) -> None:
    write_lists(tmp_path, hostile(), DAY, SETTINGS)
    rows = _cells(tmp_path / "4601.xlsx")
    assert [row[1] for row in rows] == [visible_text(text, CODE_CHARACTERS) for text in HOSTILE]
    shown = [visible_text(text, TEXT_CHARACTERS) for text in HOSTILE]
    goods = [str(row[3]).split("\n") for row in rows]
    assert [(lines[0], lines[-1]) for lines in goods] == list(zip(shown, shown, strict=True))
    assert all(lines[1].startswith("reads as: ") for lines in goods if len(lines) > 2)
    sheet = openpyxl.load_workbook(tmp_path / "4601.xlsx")["List"]
    cells: list[Any] = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert not any(cell.hyperlink for cell in cells)
    assert all(cell.quotePrefix for cell in cells if cell.row > HEADER_ROW + 1 and cell.data_type == "s")
    with zipfile.ZipFile(tmp_path / "4601.xlsx") as parts:
        for name in parts.namelist():
            assert b"<f>" not in parts.read(name)


def test_the_sheet_to_print_is_readable_on_paper_and_has_waybills_to_scan(tmp_path: Path) -> None:
    rows = [
        {"lines": TWO_LINES, "list_id": "9f3c21ab77de", "waybill_id": "IE7656657141"},
        {"waybill_id": None, "hs_code": None},
        {"waybill_id": "运单"},
    ]
    write_lists(tmp_path, listed(rows), DAY, SETTINGS)
    sheet = openpyxl.load_workbook(tmp_path / "4601.xlsx")["To print"]
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.protection.sheet
    # 27.7 cm of paper take the columns without making the letters smaller than 8 points.
    width = sum(7 * sheet.column_dimensions[column].width + 5 for column in "ABCDEF") * 2.54 / 96
    assert width < 27.7 * 9 / 8
    assert {cell.font.sz for row in sheet.iter_rows(min_row=6) for cell in row if cell.value} == {9.0, 12.0}
    assert "Page &P of &N" in sheet.oddFooter.right.text
    assert sheet.oddFooter.left.text.startswith("Officers: ____")
    assert "List 9f3c21ab77de" in sheet.oddHeader.right.text
    goods, boxes = (str(sheet.cell(6, column).value) for column in (3, 6))
    assert "line 1 of 2, HS 0103006000" in goods
    assert "HS –" in str(sheet.cell(7, 3).value)
    assert boxes.count("□ found  □ nothing found  □ not examined") == len(SETTINGS.risks)
    assert [image.anchor._from.row for image in sheet._images] == [5]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("word " * 4, 10, 2),
        ("口红" * 10, 10, 4),
        ("W" * 25, 10, 3),
        ("本项 7 元；口红口红", 10, 2),
        ("", 5, 1),
    ],
)
def test_a_row_is_as_high_as_its_text_wraps(text: str, width: int, lines: int) -> None:
    assert row_height([text], [width]) == lines * row_height([""], [width])


def test_a_barcode_has_patterns_of_the_standard() -> None:
    """Whatever is read from it: dark and light modules alternate, eleven a symbol and thirteen at the end."""
    for text, symbols in (("IE7656657141", 10), ("1234567", 7), ("a b~c", 7)):
        modules = modules_of(text)
        assert len(modules) == 10 + 11 * symbols + 13 + 10
        inner = modules[10:-10]
        assert inner.endswith("1100011101011")
        assert all(inner[at] == "1" and inner[at + 10] == "0" for at in range(0, 11 * symbols, 11))
        # Each symbol has an even number of dark modules.
        assert {inner[at : at + 11].count("1") % 2 for at in range(0, 11 * symbols, 11)} == {0}
    # Every symbol of both sets, as a scanner read them.
    plain = "".join(map(chr, range(32, 127)))
    pairs = "".join(f"{number:02d}" for number in range(100))
    texts = [text[at : at + 32] for text in (plain, pairs) for at in range(0, len(text), 32)]
    bars = "".join(map(modules_of, texts)).encode()
    assert hashlib.blake2b(bars, digest_size=8).hexdigest() == "449930ad43756bb1"
    assert modules_of("运单") == ""
    drawn = picture(modules_of("A1"))
    rows = zlib.decompress(drawn[drawn.index(b"IDAT") + 4 : -16])
    assert f"{int.from_bytes(rows[1:11]):080b}"[:77].translate({48: 49, 49: 48}) == modules_of("A1")
