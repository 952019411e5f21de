from __future__ import annotations

import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from features.contract.result_words import result_of
from pipelines.lists.fields import fields_to_fill_in, result_field
from pipelines.lists.write import write_lists
from pipelines.lists.xlsx import HEADER_ROW, TECHNICAL_ROWS
from tests.pipelines.list_examples import DAY, HOSTILE, SETTINGS, TWO_LINES, hostile, listed

RISKS = list(SETTINGS.risks)


def _converted(document: Path, folder: Path, kind: str) -> Path:
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("needs LibreOffice Calc (Debian: libreoffice-calc), which is not installed")
    folder.mkdir(exist_ok=True)
    subprocess.run(
        [
            program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
            "--convert-to", kind, "--outdir", str(folder), str(document),
        ],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return folder / f"{document.stem}.{kind.partition(':')[0]}"


def _saved_by_libreoffice(workbook: Path, folder: Path) -> Any:
    return openpyxl.load_workbook(_converted(workbook, folder, "xlsx:Calc MS Excel 2007 XML"))


def test_a_filled_in_workbook_is_whole_after_libreoffice_saved_it(tmp_path: Path) -> None:
    chinese = SETTINGS.model_copy(update={"capacity": SETTINGS.capacity.speaking(("zh-CN", ()))})
    write_lists(tmp_path, hostile(), DAY, chinese)
    book = openpyxl.load_workbook(tmp_path / "4601.xlsx")
    technical = [cell.value for cell in book.worksheets[0][TECHNICAL_ROWS[1] + 1]]
    place = {str(name): number for number, name in enumerate(technical, start=1)}
    first, last = HEADER_ROW + 2, HEADER_ROW + 1 + len(HOSTILE)
    before = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows(min_row=first)]
    entries = {
        result_field(RISKS[0]): "查发异常", "inspected_on": datetime(2026, 11, 21),  # noqa: DTZ001
        "assessed_unit_price": 12.5, "recovered_tax_cny": 30, "note": "=1+1", "override_reason": "已清关",
    }  # fmt: skip
    for field, value in entries.items():
        book.worksheets[0].cell(first, place[field]).value = value
    # What a person types into a cell of text stays text; a library has to be told.
    book.worksheets[0].cell(first, place["note"]).data_type = "s"
    book.save(tmp_path / "4601.xlsx")

    sheet = _saved_by_libreoffice(tmp_path / "4601.xlsx", tmp_path / "saved").worksheets[0]

    assert [cell.value for cell in sheet[TECHNICAL_ROWS[1] + 1]] == technical
    assert {field: sheet.cell(first, place[field]).value for field in entries} == entries
    after = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=first, max_row=last)]
    assert after[1:] == before[1:]
    assert sheet.auto_filter.ref.endswith(str(last))
    assert sheet.protection.sheet
    fields = set(fields_to_fill_in(SETTINGS.risks))
    unlocked = {name for name, number in place.items() if not sheet.cell(last, number).protection.locked}
    assert unlocked == fields
    choices = [rule for rule in sheet.data_validations.dataValidation if rule.type == "list"]
    reached = {
        technical[column - 1]
        for rule in choices
        for area in rule.sqref.ranges
        for column in range(area.min_col, area.max_col + 1)
        if (area.min_row, area.max_row) == (first, last)
    }
    assert reached == {*(result_field(risk) for risk in RISKS), "found_how", "not_opened"}
    for rule in choices[: len(RISKS)]:
        assert [result_of(word) for word in rule.formula1.strip('"').split(",")] == [
            "found", "nothing", "not_examined", "sent",
        ]  # fmt: skip


def test_no_row_is_lower_than_what_libreoffice_needs_for_its_text(tmp_path: Path) -> None:
    """Rows of both sheets, above all the third reason of a Chinese list."""
    chinese = SETTINGS.model_copy(update={"capacity": SETTINGS.capacity.speaking(("zh-CN", ()))})
    reasons = [
        "该申报企业此类商品以往查验 3 项，查发异常 1 项；平均查发率 0.3%",
        "一日内同一电商企业发往该地址 2 票，合计 8,328 元，单票均低于单次交易限值（5,000 元），疑似拆单",
        "同名商品单价中位数为 1,617.51 元，本品目为 297.59 元：税号疑似申报不实（低价品目）",
    ]
    rows = [
        dict(zip(("reason_1", "reason_2", "reason_3"), reasons[turn:] + reasons[:turn], strict=True))
        | {
            "item_name": "【官方正品】美贝 红茶 206g Yudo KV-492 206g 三合一礼盒装 特价包邮",
            "lines": TWO_LINES,
        }
        for turn in range(3)
    ]
    write_lists(tmp_path, listed(rows), DAY, chinese)
    given = openpyxl.load_workbook(tmp_path / "4601.xlsx")
    # A document in which each row is as high as LibreOffice makes it.
    flat = _converted(tmp_path / "4601.xlsx", tmp_path / "saved", "fods")
    free = re.sub(r' style:row-height="[^"]*"', "", flat.read_text(encoding="utf-8"))
    free = free.replace('style:use-optimal-row-height="false"', 'style:use-optimal-row-height="true"')
    flat.write_text(free, encoding="utf-8")
    needed = _saved_by_libreoffice(flat, tmp_path / "saved")
    for title, first in (("清单", HEADER_ROW + 2), ("打印页", 6)):
        for row in range(first, first + len(rows)):
            least = needed[title].row_dimensions[row].height
            assert least > 40.0
            assert given[title].row_dimensions[row].height > least - 1.0, (title, row)
