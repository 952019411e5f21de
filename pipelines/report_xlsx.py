"""An office's list as a workbook: to sort, to filter, and to write results into."""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Literal

import xlsxwriter

from pipelines.office_list import ListRow, OfficeList

RESULTS = ("finding", "nothing found", "not opened")
HEADER_ROW = 3
_PRINTED_COLUMNS = 12
_MOST_LINES = 25

Kind = Literal["text", "whole", "amount", "number", "share", "entry"]
Value = str | float | None


@dataclass(frozen=True)
class _Column:
    title: str
    width: int
    kind: Kind
    value: Callable[[ListRow], Value]


_COLUMNS = (
    # What finds the parcel and says what to do; then the details. The first ones are printed.
    _Column("Rank", 6, "whole", lambda row: row.rank),
    _Column("Parcel", 21, "text", lambda row: row.declaration_id),
    _Column("Waybill", 18, "text", lambda row: row.waybill_id),
    _Column("Goods as declared", 34, "text", lambda row: "\n".join(filter(None, (row.goods, row.model)))),
    _Column("Risk", 17, "text", lambda row: row.risk_title),
    _Column("Chance", 14, "text", lambda row: row.chance),
    _Column("Why", 62, "text", lambda row: "\n".join(f"• {reason}" for reason in row.reasons)),
    _Column("Declared CNY", 12, "amount", lambda row: row.total_price_cny),
    _Column("Usual CNY", 12, "amount", lambda row: row.expected_price_cny),
    _Column("Gross kg", 10, "number", lambda row: row.gross_weight_kg),
    _Column("Result", 15, "entry", lambda row: None),
    _Column("Note", 28, "entry", lambda row: None),
    _Column("Line", 6, "whole", lambda row: row.line_no),
    _Column("HS code", 12, "text", lambda row: row.hs_code),
    _Column("Made in", 9, "text", lambda row: row.origin_country),
    _Column("Sent from", 10, "text", lambda row: row.dispatch_country),
    _Column("Quantity", 10, "number", lambda row: row.quantity),
    _Column("Unit", 8, "text", lambda row: row.unit),
    _Column("Declared price", 14, "amount", lambda row: row.total_price),
    _Column("Currency", 9, "text", lambda row: row.currency),
    _Column("Trade mode", 11, "text", lambda row: row.trade_mode),
    _Column("Seller", 20, "text", lambda row: row.seller_id),
    _Column("Chosen", 11, "text", lambda row: "at random" if row.at_random else "by risk"),
    _Column("Probability", 11, "share", lambda row: row.probability),
    _Column("Expected value CNY", 14, "amount", lambda row: row.expected_value_cny),
)
_NUMBER_FORMATS: dict[Kind, str] = {
    "whole": "0",
    "amount": "#,##0.00",
    "number": "#,##0.###",
    "share": "0.0%",
}


def workbook_bytes(office_list: OfficeList) -> bytes:
    """The workbook as a file's content; the same list gives the same bytes, since its date is the list's day.

    Every text is written as text and marked as such, so that it does not become a formula or a link when a
    cell is edited; numbers and dates are real ones. `Result` is a choice of `RESULTS`.
    """
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        # Programs show this as the author's moment; a clock's would make two equal runs differ.
        created = datetime.combine(office_list.day, time())
        book.set_properties({"title": office_list.title, "author": "parcel-risk", "created": created})
        formats = _formats(book)
        _list_sheet(book.add_worksheet("List"), office_list, formats)
        _guide_sheet(book.add_worksheet("What to look for"), office_list, formats)
    return buffer.getvalue()


def _formats(book: Any) -> dict[str, Any]:
    cell = {"valign": "top", "border": 1, "border_color": "#B8C0CC"}
    formats = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "warning": book.add_format({"bold": True, "font_color": "#9C0006"}),
        "plain": book.add_format({"text_wrap": True, "valign": "top"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
        "head": book.add_format(cell | {"bold": True, "text_wrap": True, "bg_color": "#DCE6F1"}),
        "text": book.add_format(cell | {"text_wrap": True, "num_format": "@", "quote_prefix": True}),
        "entry": book.add_format(cell | {"text_wrap": True, "bg_color": "#FFF9E5"}),
    }
    for kind, number_format in _NUMBER_FORMATS.items():
        align = "center" if kind == "whole" else "right"
        formats[kind] = book.add_format(cell | {"num_format": number_format, "align": align})
    return formats


def _list_sheet(sheet: Any, office_list: OfficeList, formats: dict[str, Any]) -> None:
    sheet.write_string(0, 0, office_list.title, formats["title"])
    sheet.write_string(1, 0, "Day")
    sheet.write_datetime(1, 1, datetime.combine(office_list.day, time()), formats["day"])
    sheet.write_string(1, 2, office_list.summary)
    if office_list.warning:
        sheet.write_string(2, 0, office_list.warning, formats["warning"])
    for column, each in enumerate(_COLUMNS):
        sheet.set_column(column, column, each.width)
        sheet.write_string(HEADER_ROW, column, each.title, formats["head"])
    for number, row in enumerate(office_list.rows, start=HEADER_ROW + 1):
        values = [each.value(row) for each in _COLUMNS]
        sheet.set_row(number, _height(values, [each.width for each in _COLUMNS]))
        for column, each in enumerate(_COLUMNS):
            _write(sheet, number, column, values[column], formats[each.kind])
    last = HEADER_ROW + len(office_list.rows)
    entry = next(column for column, each in enumerate(_COLUMNS) if each.title == "Result")
    sheet.data_validation(
        HEADER_ROW + 1, entry, max(last, HEADER_ROW + 1), entry,
        {
            "validate": "list", "source": list(RESULTS),
            "error_title": "Result", "error_message": f"Choose one of: {', '.join(RESULTS)}.",
        },
    )  # fmt: skip
    sheet.autofilter(HEADER_ROW, 0, last, len(_COLUMNS) - 1)
    sheet.freeze_panes(HEADER_ROW + 1, 2)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)
    sheet.print_area(0, 0, last, _PRINTED_COLUMNS - 1)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer("&RPage &P of &N")


def _height(values: Sequence[Value], widths: Sequence[int]) -> float:
    """In points. Not every program fits the height of a row to its wrapped text by itself."""
    lines = [
        sum(max(1, math.ceil(_display_width(line) / width)) for line in value.split("\n"))
        for value, width in zip(values, widths, strict=True)
        if isinstance(value, str)
    ]
    return 15.0 * min(max(lines), _MOST_LINES)


def _display_width(line: str) -> int:
    """Columns that a text takes: two for each wide character, such as a Chinese one."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def _write(sheet: Any, row: int, column: int, value: Value, cell_format: Any) -> None:
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        sheet.write_blank(row, column, None, cell_format)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, cell_format)
    else:
        sheet.write_number(row, column, value, cell_format)


def _guide_sheet(sheet: Any, office_list: OfficeList, formats: dict[str, Any]) -> None:
    widths = (34, 90)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    lines = [
        (
            guide.title if guide.title_zh is None else f"{guide.title} {guide.title_zh}",
            "\n".join(guide.look_for),
        )
        for guide in office_list.guides
    ]
    lines += [
        ("Chance", "How many of such parcels have a finding, for the risk that is named."),
        ("Usual CNY", "What goods like these usually cost in all, where the model knows."),
        (
            "Chosen at random",
            "These parcels measure how good the choice is: please open them like the others.",
        ),
        ("⟦U+…⟧", "A hidden character in the declared text, spelled out."),
    ]
    sheet.write_string(0, 0, "What to look for, and how to read the list", formats["title"])
    for number, (topic, words) in enumerate(lines, start=2):
        sheet.set_row(number, _height((topic, words), widths))
        sheet.write_string(number, 0, topic, formats["head"])
        sheet.write_string(number, 1, words, formats["plain"])
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
