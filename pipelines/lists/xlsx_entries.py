"""What may be typed into the workbook's fields: choices, checks, and a word of help at the cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from configs.language import Language
from features.contract.result_words import RESULT_WORDS
from pipelines.lists.fields import EntryKind, risk_of
from pipelines.lists.office_list import Guide, OfficeList
from pipelines.lists.xlsx_columns import ENTRY_KINDS, SheetColumn

# What the file format holds of a title and of a message.
_MOST_TITLE = 32
_MOST_MESSAGE = 255

HELP: dict[EntryKind, str] = {
    "price": "Per unit, in the currency of the declaration; only where you established another price.",
    "parcel": "The number of the parcel that you opened in place of this one.",
}
"""A word at the cells of a kind of field; at a result stands what to look for."""


def allow_entries(
    sheet: Any, office_list: OfficeList, columns: Sequence[SheetColumn], first_row: int
) -> None:
    """Gives every field of the list's rows, from `first_row` (counted from 0) on, its choices and checks."""
    last = first_row + max(len(office_list.rows), 1) - 1
    guides = {guide.risk: guide for guide in office_list.results}
    for number, column in enumerate(columns):
        if column.kind not in ENTRY_KINDS:
            continue
        rule = _rule(column.kind, office_list)
        help_text = _help(column, guides, office_list.language)
        if help_text:
            rule |= {"input_title": column.heading[:_MOST_TITLE], "input_message": help_text[:_MOST_MESSAGE]}
        sheet.data_validation(first_row, number, last, number, rule)


def _rule(kind: str, office_list: OfficeList) -> dict[str, Any]:
    words = office_list.language
    if kind == "result":
        choices = [words(word) for word in RESULT_WORDS.values()]
        return _refusing(
            {"validate": "list", "source": choices},
            words("Choose one of: {choices}.", choices=", ".join(choices)),
        )
    if kind == "date":
        message = words("A date from {day} on, such as 2026-11-21.", day=office_list.day.isoformat())
        return _refusing({"validate": "date", "criteria": ">=", "minimum": office_list.day}, message)
    if kind == "price":
        return _refusing(
            {"validate": "decimal", "criteria": ">", "value": 0}, words("A number greater than 0.")
        )
    if kind == "amount":
        return _refusing({"validate": "decimal", "criteria": ">=", "value": 0}, words("A number, 0 or more."))
    return {"validate": "any"}


def _refusing(rule: dict[str, Any], message: str) -> dict[str, Any]:
    return rule | {"error_title": "parcel-risk", "error_message": message[:_MOST_MESSAGE]}


def _help(column: SheetColumn, guides: dict[str, Guide], words: Language) -> str:
    risk = risk_of(column.field)
    if risk is not None:
        return "\n".join(f"• {look_for}" for look_for in guides[risk].look_for)
    return next((words(text) for kind, text in HELP.items() if kind == column.kind), "")
