"""The table of fields: what it says holds in documents, tables and what comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from lxml import html

from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.inspections import FOUND_COLUMNS, INSPECTION_COLUMNS
from models.selection.select import LISTED_SCHEMA
from pipelines.feedback.log import read_log
from pipelines.feedback.places import Place
from pipelines.lists import fields
from pipelines.lists.fields import Document, Field, columns_of, fields_of
from pipelines.lists.issued import LISTED_PLACE, with_list_ids
from pipelines.lists.write import write_lists
from tests.pipelines.list_examples import DAY, SETTINGS
from tests.pipelines.returned_lists import Office, the_lists

SHOWN = Document.SHEET | Document.PRINT | Document.PAGE


def test_the_table_agrees_with_what_selection_gives_and_what_was_declared() -> None:
    internal = {"must_inspect"}
    selected = columns_of(fields_of("selection"))
    assert selected == {name: dtype for name, dtype in LISTED_SCHEMA.items() if name not in internal}
    assert list(selected) == [name for name in LISTED_SCHEMA if name not in internal]
    declared = columns_of(fields_of("declaration"))
    assert declared == {name: DECLARATION_COLUMNS[name] for name in declared}
    results = columns_of(fields_of("inspector"))
    assert {name: INSPECTION_COLUMNS[name] for name in results if name in INSPECTION_COLUMNS} == {
        name: results[name]
        for name in (
            "inspected_on",
            "reported_on",
            "assessed_unit_price",
            "recovered_tax_cny",
            *FOUND_COLUMNS,
        )
    }


def test_every_field_is_there_once_and_every_shown_one_has_a_heading() -> None:
    names = [field.name for field in fields_of()]
    assert len(names) == len(set(names))
    assert all(field.heading for field in fields_of(within=Document.SHEET))
    orders = [field.order for field in fields_of(within=Document.SHEET) if field.by != "inspector"]
    assert len(orders) == len(set(orders))
    assert set(Place.__dataclass_fields__) == {*LISTED_PLACE, "declared_on"}


@pytest.fixture
def two_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields that a newcomer might add, one of the declaration and one to fill in."""
    added = (
        Field("port", pl.String(), "declaration", SHOWN, "Port"),
        Field("boxes_opened", pl.Float64(), "inspector", SHOWN, "Boxes opened", "amount"),
    )
    monkeypatch.setattr(fields, "FIELDS", (*fields.FIELDS, *added))


@pytest.mark.usefixtures("two_more")
def test_a_field_that_is_added_to_the_table_is_shown_and_read_back(office: Office, tmp_path: Path) -> None:
    rows = with_list_ids(the_lists().with_columns(port=pl.lit("Yang\u202eshan")), DAY)
    write_lists(tmp_path / "lists", rows, DAY, SETTINGS)
    book = openpyxl.load_workbook(tmp_path / "lists" / "4601.xlsx")
    sheet = book.worksheets[0]
    head, place = next(
        (cells[0].row, {cell.value: cell.column for cell in cells})
        for cells in sheet.iter_rows()
        if any(cell.value == "declaration_id" for cell in cells)
    )
    headings = {sheet.cell(head + 1, column).value for column in place.values()}
    assert {"Port", "Boxes opened"} <= headings
    assert sheet.cell(head + 2, place["port"]).value == "Yang⟦U+202E⟧shan"
    assert not sheet.cell(head + 2, place["boxes_opened"]).protection.locked

    page: Any = html.fromstring((tmp_path / "lists" / "4601.html").read_bytes())
    assert "Port Yang⟦U+202E⟧shan" in page.xpath("string(//tbody[1])")
    assert len(page.xpath("//input[@name='boxes_opened' and @type='number']")) == 8

    sheet.cell(head + 2, place["boxes_opened"]).value = 3
    book.save(tmp_path / "back.xlsx")
    from_page = office.json({2: {"boxes_opened": "2", "note": "from the page"}})
    report = office.give_back(tmp_path / "back.xlsx", from_page)
    assert report.exit_code == 0, report.lines()
    log = read_log(office.store, DAY).sort("rank")
    assert log.select("rank", "boxes_opened").rows() == [(1, 3.0), (2, 2.0)]
