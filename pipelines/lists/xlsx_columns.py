"""The columns of an office's workbook: what they show of a parcel, and what may be typed into them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from configs.language import Language
from features.contract.result_words import RESULT_WORDS
from pipelines.lists.fields import (
    Document,
    EntryKind,
    Field,
    ListKind,
    entry_fields,
    field_named,
    fields_of,
    result_field,
    result_heading,
    risk_of,
)
from pipelines.lists.office_list import Guide, OfficeList
from pipelines.lists.parcel import ListRow, Value

NUMBER_FORMATS: dict[ListKind, str] = {
    "whole": "0",
    "decimal": "#,##0.00",
    "quantity": "#,##0.###",
    "share": "0.0%",
}
"""Of the columns that hold numbers."""
ENTRY_KINDS: dict[EntryKind, str] = {
    "result": "@",
    "date": "yyyy-mm-dd",
    "price": "#,##0.00##",
    "amount": "#,##0.00",
    "text": "@",
    "parcel": "@",
    "line": "0",
    "choice": "@",
    "heading": "@",
    "count": "#,##0.###",
}
"""Number formats of the columns to fill in; what is typed into a cell of text never becomes a formula."""
_RESULT_WIDTH = 14
_COMPOSED: dict[str, Callable[[ListRow, Language], Value]] = {
    "item_name": lambda row, _: "\n".join(
        str(text) for text in (row.values["item_name"], row.reads_as, row.values["item_model"]) if text
    ),
    "parcel_lines": lambda row, words: "\n".join(lines_in_words(row, words, _MOST_LINES)),
    "reasons": lambda row, _: "\n".join(
        f"• {each}" for each in (*row.reasons, *row.verdicts, *(other.sentence for other in row.likelier))
    ),
}
_MOST_LINES = 12
_FONT = 11
# More the file format does not hold.
_MOST_POINTS = 409.0
# A word with the blanks behind it, or one character of a script that breaks anywhere.
_WIDE = r"\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef"
_PIECES = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]+\s*|\s+")
# What the file format holds of a title and of a message.
_MOST_TITLE = 32
_MOST_MESSAGE = 255

HELP: dict[EntryKind, str] = {
    "price": "Per unit, in the currency of the declaration; only where you established another price.",
    "parcel": "The number of the parcel that you opened in place of this one.",
    "line": "Where it was found in another line of the parcel than the listed one: its number.",
}
"""A word at the cells of a kind of field; at a result stands what to look for."""


@dataclass(frozen=True)
class SheetColumn:
    """One column: its technical name, its heading for people, and its format."""

    field: str
    heading: str
    width: int
    kind: ListKind | EntryKind
    printed: bool

    def value(self, row: ListRow, words: Language) -> Value:
        """Return what the column shows of a parcel, None where it is to fill in."""
        if self.field in _COMPOSED:
            return _COMPOSED[self.field](row, words)
        return row.values.get(self.field)


def lines_in_words(row: ListRow, words: Language, most: int) -> Iterator[str]:
    """The lines of a parcel, one each, and how many there are where that is more than `most`."""
    for line in row.lines[:most]:
        quantity = "" if line.quantity is None else f"{line.quantity:,.6g} {line.unit}".strip()
        value = (
            ""
            if line.total_price_cny is None
            else words("CNY {amount}", amount=f"{line.total_price_cny:,.2f}")
        )
        parts = (f"{line.line_no}. {line.name}", line.hs_code, quantity, value)
        yield words(", ").join(filter(None, parts))
    if len(row.lines) > most:
        yield f"… {len(row.lines)}"


def columns_of_sheet(office_list: OfficeList) -> list[SheetColumn]:
    """Return the columns of the list's sheet in their order: what is printed, first, then the details."""
    words = office_list.language

    def column(field: Field) -> SheetColumn:
        to_print = Document.PRINT in field.documents
        return SheetColumn(field.name, words(field.heading), field.width, field.kind, to_print)

    shown = fields_of("selection", "declaration", "night", "document", within=Document.SHEET)
    locked = [column(field) for field in sorted(shown, key=lambda field: field.order)]
    results = [
        SheetColumn(
            result_field(guide.risk), result_heading(guide.title, words), _RESULT_WIDTH, "result", True
        )
        for guide in office_list.results
    ]
    entries = sorted(map(column, entry_fields()), key=lambda each: not each.printed)
    printed = [each for each in locked if each.printed]
    details = [each for each in locked if not each.printed]
    return [*printed, *results, *entries, *details]


def allow_entries(
    sheet: Any, office_list: OfficeList, columns: Sequence[SheetColumn], first_row: int
) -> None:
    """Gives every field of the list's rows, from `first_row` (counted from 0) on, its choices and checks."""
    last = first_row + max(len(office_list.rows), 1) - 1
    guides = {guide.risk: guide for guide in office_list.results}
    for number, column in enumerate(columns):
        if column.kind not in ENTRY_KINDS:
            continue
        rule = _rule(column, office_list)
        help_text = _help(column, guides, office_list.language)
        if help_text:
            rule |= {"input_title": column.heading[:_MOST_TITLE], "input_message": help_text[:_MOST_MESSAGE]}
        sheet.data_validation(first_row, number, last, number, rule)


def _rule(column: SheetColumn, office_list: OfficeList) -> dict[str, Any]:
    words, kind = office_list.language, column.kind
    rule: dict[str, Any]
    if kind in ("result", "choice"):
        offered = RESULT_WORDS.values() if kind == "result" else field_named(column.field).choices.values()
        choices = [words(word) for word in offered]
        rule = {"validate": "list", "source": choices}
        message = words("Choose one of: {choices}.", choices=words.listed(choices))
    elif kind == "date":
        rule = {"validate": "date", "criteria": ">=", "minimum": office_list.day}
        message = words("A date from {day} on, such as 2026-11-21.", day=office_list.day.isoformat())
    elif kind in ("price", "count"):
        rule = {"validate": "decimal", "criteria": ">", "value": 0}
        message = words("A number greater than 0.")
    elif kind == "line":
        rule = {"validate": "integer", "criteria": ">=", "value": 1}
        message = words("The number of one of the parcel's lines.")
    elif kind == "amount":
        rule = {"validate": "decimal", "criteria": ">=", "value": 0}
        message = words("A number, 0 or more.")
    else:
        return {"validate": "any"}
    return rule | {"error_title": "parcel-risk", "error_message": message[:_MOST_MESSAGE]}


def _help(column: SheetColumn, guides: dict[str, Guide], words: Language) -> str:
    risk = risk_of(column.field)
    if risk is not None:
        return "\n".join(f"• {look_for}" for look_for in guides[risk].look_for)
    return next((words(text) for kind, text in HELP.items() if kind == column.kind), "")


def row_height(values: Sequence[Value], widths: Sequence[int], font_size: int = _FONT) -> float:
    """In points. Not every program fits the height of a row to its wrapped text by itself."""
    lines = [
        sum(_wrapped(line, math.floor(width * _FONT / font_size)) for line in value.split("\n"))
        for value, width in zip(values, widths, strict=True)
        if isinstance(value, str)
    ]
    return min(math.ceil(font_size * 4 / 3 + 0.4) * max(lines), _MOST_POINTS)


@cache
def _cells(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _wrapped(line: str, width: int) -> int:
    """How many lines a text takes where it breaks at blanks and at wide characters."""
    if len(line) * (1 if line.isascii() else 2) <= width:
        return 1
    lines, at = 1, 0
    for piece in _PIECES.findall(line):
        wide = len(piece) if piece.isascii() else sum(map(_cells, piece))
        if at and at + len(piece.rstrip()) + (wide - len(piece)) > width:
            lines, at = lines + 1, 0
        at += wide
        if at > width:
            lines, at = lines + (at - 1) // width, at % width or width
    return lines
