"""The columns of an office's workbook: what they show of a parcel, and which are to fill in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipelines.lists.fields import (
    ENTRY_FIELDS,
    ENTRY_HEADINGS,
    LIST_HEADINGS,
    EntryKind,
    result_field,
    result_heading,
)
from pipelines.lists.office_list import ListRow, OfficeList

ListKind = Literal["label", "whole", "decimal", "quantity", "share"]
Value = str | float | None

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


@dataclass(frozen=True)
class Column:
    """One column: its technical name, its heading for people, and what it shows (None: to fill in)."""

    field: str
    heading: str
    width: int
    kind: ListKind | EntryKind
    value: Callable[[ListRow], Value] | None
    printed: bool


_PRINTED: dict[str, tuple[int, ListKind, Callable[[ListRow], Value]]] = {
    # What finds the parcel and says what to do.
    "rank": (6, "whole", lambda row: row.rank),
    "declaration_id": (21, "label", lambda row: row.declaration_id),
    "waybill_id": (18, "label", lambda row: row.waybill_id),
    "item_name": (30, "label", lambda row: "\n".join(filter(None, (row.goods, row.reads_as, row.model)))),
    "risk": (16, "label", lambda row: row.risk_title),
    "chance": (13, "label", lambda row: row.chance),
    "reasons": (52, "label", lambda row: "\n".join(f"• {reason}" for reason in row.reasons)),
    "total_price_cny": (12, "decimal", lambda row: row.total_price_cny),
    "expected_price_cny": (12, "decimal", lambda row: row.expected_price_cny),
    "gross_weight_kg": (10, "quantity", lambda row: row.gross_weight_kg),
}
_DETAILS: dict[str, tuple[int, ListKind, Callable[[ListRow], Value]]] = {
    "line_no": (6, "whole", lambda row: row.line_no),
    "hs_code": (12, "label", lambda row: row.hs_code),
    "origin_country": (9, "label", lambda row: row.origin_country),
    "dispatch_country": (10, "label", lambda row: row.dispatch_country),
    "quantity": (10, "quantity", lambda row: row.quantity),
    "unit": (8, "label", lambda row: row.unit),
    "total_price": (14, "decimal", lambda row: row.total_price),
    "currency": (9, "label", lambda row: row.currency),
    "trade_mode": (11, "label", lambda row: row.trade_mode),
    "together": (11, "label", lambda row: row.together),
    "seller_id": (20, "label", lambda row: row.seller_id),
    "selection": (11, "label", lambda row: row.chosen),
    "probability": (11, "share", lambda row: row.probability),
    "expected_value_cny": (14, "decimal", lambda row: row.expected_value_cny),
}
_ENTRY_WIDTHS: dict[str, int] = {
    "inspected_on": 12, "assessed_unit_price": 12, "recovered_tax_cny": 12, "note": 28,
    "opened_instead": 21, "override_reason": 28,
}  # fmt: skip
_RESULT_WIDTH = 14
_NOT_PRINTED = {"opened_instead", "override_reason"}


def columns_of(office_list: OfficeList) -> list[Column]:
    """The columns of the list's sheet in their order: what is printed, first, then the details."""
    words = office_list.language
    columns = [
        Column(field, words(LIST_HEADINGS[field]), width, kind, value, True)
        for field, (width, kind, value) in _PRINTED.items()
    ]
    columns += [
        Column(
            result_field(guide.risk), result_heading(guide.title, words), _RESULT_WIDTH, "result", None, True
        )
        for guide in office_list.results
    ]
    columns += [
        Column(
            field, words(ENTRY_HEADINGS[field]), _ENTRY_WIDTHS[field], entry, None, field not in _NOT_PRINTED
        )
        for field, entry in ENTRY_FIELDS.items()
    ]
    columns += [
        Column(field, words(LIST_HEADINGS[field]), width, kind, value, False)
        for field, (width, kind, value) in _DETAILS.items()
    ]
    return columns
