"""The columns of an office's workbook: what they show of a parcel, and which are to fill in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.lists.fields import (
    Document,
    EntryKind,
    Field,
    ListKind,
    entry_fields,
    fields_of,
    result_field,
    result_heading,
)
from pipelines.lists.office_list import ListRow, OfficeList, Value

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
}
"""Number formats of the columns to fill in; what is typed into a cell of text never becomes a formula."""
_RESULT_WIDTH = 14
_COMPOSED: dict[str, Callable[[ListRow], Value]] = {
    "item_name": lambda row: "\n".join(
        str(text) for text in (row.values["item_name"], row.reads_as, row.values["item_model"]) if text
    ),
    "reasons": lambda row: "\n".join(f"• {reason}" for reason in row.reasons),
}


@dataclass(frozen=True)
class SheetColumn:
    """One column: its technical name, its heading for people, and its format."""

    field: str
    heading: str
    width: int
    kind: ListKind | EntryKind
    printed: bool

    def value(self, row: ListRow) -> Value:
        """Return what the column shows of a parcel, None where it is to fill in."""
        if self.field in _COMPOSED:
            return _COMPOSED[self.field](row)
        return row.values.get(self.field)


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
