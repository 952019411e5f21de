"""An office's list as a workbook: to sort, to filter, and to write results into."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

import xlsxwriter

from pipelines.lists.fields import GUIDE_TITLE
from pipelines.lists.office_list import OfficeList
from pipelines.lists.parcel import Value
from pipelines.lists.xlsx_columns import (
    ENTRY_KINDS,
    NUMBER_FORMATS,
    SheetColumn,
    allow_entries,
    columns_of_sheet,
    row_height,
)
from pipelines.lists.xlsx_print import write_print_sheet

TECHNICAL_ROWS = (3, 4)
"""Hidden rows, counted from 0: what list this is, in pairs of name and value; and the columns' names."""
HEADER_ROW = 5
_PROTECTION = {
    "autofilter": True, "sort": True, "format_columns": True, "format_rows": True,
    "select_locked_cells": True, "select_unlocked_cells": True,
}  # fmt: skip
_GUIDE_WIDTHS = (34, 90)
HOW_TO_READ: dict[str, str] = {
    "Chance": "How many of such parcels have a finding, for the risk that is named.",
    "Reference CNY": "What the line would cost in all at the price that it is compared with.",
    "at random": "These parcels measure how good the choice is: please open them like the others.",
    "Result": "One for each risk. Unless you looked for it, leave a risk empty or say that it was not "
    "examined: nothing found is something else.",
    "Opened instead": "If you opened another parcel in place of the listed one: its number, and why.",
    "⟦U+…⟧": "A hidden character in the declared text, spelled out.",
    "Sorting": "Filters work as it is. Some programs sort only an unprotected sheet: there is no password.",
}
"""Topics and what there is to say of them."""


def workbook_bytes(office_list: OfficeList) -> bytes:
    """The workbook as a file's content; the same list gives the same bytes, since its date is the list's day.

    Every text is written as text and marked as such, so that it does not become a formula or a link when a
    cell is edited; numbers and dates are real ones. Only the fields to fill in can be changed; a result is a
    choice of words, a date and an amount are checked. Hidden rows hold technical names, which are the same
    in every language (`pipelines.lists.fields`).
    """
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    words = office_list.language
    with xlsxwriter.Workbook(buffer, options) as book:
        # Programs show this as the author's moment; a clock's would make two equal runs differ.
        created = datetime.combine(office_list.day, time())
        book.set_properties({"title": office_list.title, "author": "parcel-risk", "created": created})
        formats = _formats(book)
        columns = columns_of_sheet(office_list)
        sheet = book.add_worksheet(words("List"))
        _write_head(sheet, office_list, columns, formats)
        _write_rows(sheet, office_list, columns, formats)
        allow_entries(sheet, office_list, columns, HEADER_ROW + 1)
        _lay_out(sheet, office_list, columns)
        write_print_sheet(book, office_list)
        _write_guide(book.add_worksheet(words("What to look for")), office_list, formats)
    return buffer.getvalue()


def _formats(book: Any) -> dict[str, Any]:
    cell = {"valign": "top", "border": 1, "border_color": "#B8C0CC"}
    formats = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "warning": book.add_format({"bold": True, "font_color": "#9C0006"}),
        "plain": book.add_format({"text_wrap": True, "valign": "top"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
        "head": book.add_format(cell | {"bold": True, "text_wrap": True, "bg_color": "#DCE6F1"}),
        "entry_head": book.add_format(cell | {"bold": True, "text_wrap": True, "bg_color": "#FFE9A8"}),
        "label": book.add_format(cell | {"text_wrap": True, "num_format": "@", "quote_prefix": True}),
    }
    entry = cell | {"text_wrap": True, "bg_color": "#FFF9E5", "locked": False}
    for field, number_format in ENTRY_KINDS.items():
        formats[field] = book.add_format(entry | {"num_format": number_format})
    for kind, number_format in NUMBER_FORMATS.items():
        align = "center" if kind == "whole" else "right"
        formats[kind] = book.add_format(cell | {"num_format": number_format, "align": align})
    return formats


def _write_head(
    sheet: Any, office_list: OfficeList, columns: Sequence[SheetColumn], formats: dict[str, Any]
) -> None:
    words = office_list.language
    sheet.write_string(0, 0, office_list.title, formats["title"])
    sheet.write_string(1, 0, words("Day"))
    sheet.write_datetime(1, 1, datetime.combine(office_list.day, time()), formats["day"])
    about = [office_list.summary, words("Fill in the yellow cells; everything else is locked.")]
    if office_list.list_id:
        about.insert(0, words("List {number}", number=office_list.list_id))
    sheet.write_string(1, 2, "   ".join(about))
    if office_list.warning:
        sheet.write_string(2, 0, office_list.warning, formats["warning"])
    known = {
        "list_id": office_list.list_id,
        "customs_office": office_list.shown_office,
        "shift": office_list.shown_shift,
        "declared_on": office_list.day.isoformat(),
    }
    for column, text in enumerate(part for pair in known.items() for part in pair):
        _write(sheet, TECHNICAL_ROWS[0], column, text, formats["label"])
    for column, each in enumerate(columns):
        sheet.set_column(column, column, each.width)
        sheet.write_string(TECHNICAL_ROWS[1], column, each.field)
        sheet.write_string(
            HEADER_ROW, column, each.heading, formats["entry_head" if each.kind in ENTRY_KINDS else "head"]
        )
    headings = [each.heading for each in columns]
    # The arrows of the filter take room from the words.
    sheet.set_row(HEADER_ROW, row_height(headings, [max(each.width - 3, 4) for each in columns]))
    for row in TECHNICAL_ROWS:
        sheet.set_row(row, None, None, {"hidden": True})


def _write_rows(
    sheet: Any, office_list: OfficeList, columns: Sequence[SheetColumn], formats: dict[str, Any]
) -> None:
    widths = [each.width for each in columns]
    for number, row in enumerate(office_list.rows, start=HEADER_ROW + 1):
        values = [each.value(row, office_list.language) for each in columns]
        sheet.set_row(number, row_height(values, widths))
        for column, each in enumerate(columns):
            _write(sheet, number, column, values[column], formats[each.kind])


def _lay_out(sheet: Any, office_list: OfficeList, columns: Sequence[SheetColumn]) -> None:
    last = HEADER_ROW + len(office_list.rows)
    sheet.autofilter(HEADER_ROW, 0, last, len(columns) - 1)
    sheet.freeze_panes(HEADER_ROW + 1, 2)
    sheet.protect("", _PROTECTION)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)
    sheet.print_area(0, 0, last, sum(each.printed for each in columns) - 1)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    # Everything of a row fits on a page's width only in small letters.
    sheet.set_header("&L&9" + office_list.language("The next sheet is the one to print.").replace("&", "&&"))
    sheet.set_footer("&R" + office_list.language("Page {page} of {pages}", page="&P", pages="&N"))


def _write_guide(sheet: Any, office_list: OfficeList, formats: dict[str, Any]) -> None:
    """Write what to look for, risk by risk, and a word on every column that needs one."""
    words = office_list.language
    for column, width in enumerate(_GUIDE_WIDTHS):
        sheet.set_column(column, column, width)
    lines = [(guide.title, "\n".join(guide.look_for)) for guide in office_list.guides]
    lines += [(words(topic), words(text)) for topic, text in HOW_TO_READ.items()]
    sheet.write_string(0, 0, words(GUIDE_TITLE), formats["title"])
    for number, (topic, text) in enumerate(lines, start=2):
        sheet.set_row(number, row_height((topic, text), _GUIDE_WIDTHS))
        sheet.write_string(number, 0, topic, formats["head"])
        sheet.write_string(number, 1, text, formats["plain"])
    sheet.protect()
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def _write(sheet: Any, row: int, column: int, value: Value, cell_format: Any) -> None:
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        sheet.write_blank(row, column, None, cell_format)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, cell_format)
    else:
        sheet.write_number(row, column, value, cell_format)
