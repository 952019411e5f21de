"""The data contract of documents: what came with a declaration, and what customs and time made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final

import pandera.polars as pa
import polars as pl

from features.contract.checked import Validated, apply_contract
from features.contract.conversions import to_code, to_number, to_text, to_whole
from features.contract.declarations import (
    ABOVE_ZERO,
    CODE_CHECKS,
    COUNT_CHECKS,
    COUNTRY_COLUMNS,
    DIRECTIONS,
    EARLIEST,
    KNOWN_NUMBER,
    NOT_NEGATIVE,
    TEXT_CHECKS,
    TEXT_COLUMNS,
    TIME_CHECKS,
    UNIT_COLUMNS,
    code_of,
    date_checks,
    format_check,
    list_check,
)
from features.contract.moments import to_moment
from features.contract.rules import ContractRules

_TEXT: Final = pl.String()
_NUMBER: Final = pl.Float64()
_COUNT: Final = pl.Int32()
_MOMENT: Final = pl.Datetime("us", "UTC")
NAMED_BY_NAME: Final = "name"  # In `buyer_named_by`: the pseudonym is that of name and telephone.
PERSON_COLUMNS: Final = ("buyer_id", "payer_id", "address_id", "telephone_id")
"""Keyed hashes of persons; `payer_id` is made like `buyer_id`, so that the two can be compared."""
_POSITIVE: Final = ("quantity", "legal_quantity", "gross_weight_kg")
_COUNTS: Final = ("line_no", "package_count")
# Beside those of declarations, names in which a word that means nothing is none.
_FURTHER_NAMES: Final = (
    "payer_id",
    "telephone_id",
    "own_number",
    "payment_company_id",
    "transaction_id",
    "item_no",
    "tax_bill_id",
)


@dataclass(frozen=True)
class DocumentTable:
    """One kind of document.

    Attributes:
        name: the table's folder in the store.
        columns: a row's columns and types. `sent_at` is when the message was sent, `action` whether it was
            `new` or a `change`, `declaration_id` the inventory that it names.
        key: what tells documents apart; a column of it that is null is a value of its own.
        line: the column that tells the lines of a document apart; empty where it has none.
        required: columns without which a row is no such document.
        together: columns of the key: documents that share them are merged and stored together. Empty: each by
            itself.
    """

    name: str
    columns: dict[str, pl.DataType]
    key: tuple[str, ...]
    line: str = ""
    required: tuple[str, ...] = ()
    together: tuple[str, ...] = ()

    @property
    def stated(self) -> list[str]:
        """The columns that a message states in its fields: all but what it does."""
        return [name for name in self.columns if name != "action"]

    @cached_property
    def row_key(self) -> tuple[str, ...]:
        """What tells the rows of the table apart."""
        return (*self.key, self.line) if self.line else self.key


def _columns(**kinds: str) -> dict[str, pl.DataType]:
    """Columns by the names of their type, in this order, and when the message was sent."""
    types: dict[str, pl.DataType] = {"text": _TEXT, "number": _NUMBER, "count": _COUNT, "moment": _MOMENT}
    named = {name: types[kind] for kind, names in kinds.items() for name in names.split()}
    return named | {"sent_at": _MOMENT, "action": _TEXT}


ORDERS: Final = DocumentTable(
    "orders",
    _columns(
        text="platform_id order_id direction seller_id buyer_id telephone_id address_id payment_company_id "
        "transaction_id paid_currency currency item_no item_name item_model barcode unit origin_country "
        "buyer_named_by",
        count="line_no",
        number="goods_value freight discount tax_total paid_total quantity unit_price total_price",
    ),
    ("platform_id", "order_id"),
    "line_no",
    ("platform_id", "order_id", "line_no", "sent_at"),
)
"""Import (311) and export (303): one row a line of an order, with what its head says on each.

`goods_value`, `freight`, `discount`, `tax_total` and `paid_total` are of the order, in `paid_currency`;
`quantity`, `unit_price` and `total_price` of the line, in `currency`.
"""
PAYMENTS: Final = DocumentTable(
    "payments",
    _columns(
        text="platform_id order_id payment_company_id transaction_id direction seller_id payer_id "
        "telephone_id currency",
        number="amount",
        moment="paid_at",
    ),
    ("platform_id", "order_id", "payment_company_id", "transaction_id"),
    required=("platform_id", "order_id", "sent_at"),
)
"""A payment (411), or the receipt of money for an export (403)."""
WAYBILLS: Final = DocumentTable(
    "waybills",
    _columns(
        text="carrier_id waybill_id direction order_id seller_id master_bill_id telephone_id address_id "
        "item_name currency status",
        count="package_count",
        number="gross_weight_kg freight insurance",
        moment="status_at status_sent_at",
    ),
    ("carrier_id", "waybill_id"),
    required=("carrier_id", "waybill_id", "sent_at"),
)
"""A waybill (511, 505) with its last status (513); of a status that came without a waybill, that alone."""
CANCELLATIONS: Final = DocumentTable(
    "cancellations",
    _columns(
        text="declaration_id own_number direction customs_office platform_id seller_id agent_id carrier_id "
        "order_id waybill_id buyer_id telephone_id"
    ),
    ("declaration_id", "own_number"),
    required=("declaration_id", "sent_at"),
    together=("declaration_id",),
)
"""An application to withdraw an inventory (623, 605); as long as one of them holds, it is withdrawn."""
RETURNS: Final = DocumentTable(
    "returns",
    _columns(
        text="declaration_id own_number direction trade_mode customs_office platform_id seller_id agent_id "
        "carrier_id order_id waybill_id buyer_id telephone_id hs_code item_name item_model unit legal_unit",
        count="line_no",
        number="quantity legal_quantity",
        moment="tallied_at",
    ),
    ("declaration_id", "own_number"),
    "line_no",
    ("declaration_id", "line_no", "sent_at"),
    together=("own_number",),
)
"""A line of an application to take goods back (625, 213), and when they were tallied (215)."""
RECEIPTS: Final = DocumentTable(
    "receipts",
    _columns(
        text="declaration_id own_number direction customs_office platform_id seller_id agent_id order_id",
        count="status",
    ),
    ("declaration_id", "seller_id", "own_number", "status", "sent_at"),
    required=("status", "sent_at"),
)
"""What customs answered to an inventory (622, 604); without its number, by seller and own number."""
TAXES: Final = DocumentTable(
    "taxes",
    _columns(
        text="declaration_id tax_bill_id customs_office seller_id agent_id carrier_id hs_code",
        count="line_no status",
        number="taxable_price customs_duty value_added_tax consumption_tax",
    ),
    ("tax_bill_id",),
    "line_no",
    ("declaration_id", "tax_bill_id", "line_no", "sent_at"),
)
"""A line of an electronic tax bill (816), in CNY; `taxable_price` is its whole taxable price."""


@dataclass(frozen=True)
class DocumentPart:
    """What other messages say of documents of a table.

    Attributes:
        name: what it is called.
        table: the table.
        key: columns that tell of which documents it speaks.
        sent: the column that says when it was sent.
        told: the columns that it fills beside.
    """

    name: str
    table: DocumentTable
    key: tuple[str, ...]
    sent: str
    told: tuple[str, ...] = ()


STATUS: Final = DocumentPart(
    "status", WAYBILLS, ("carrier_id", "waybill_id"), "status_sent_at", ("status", "status_at")
)
"""The last status of a waybill (513)."""
TALLY: Final = DocumentPart("tally", RETURNS, ("carrier_id", "waybill_id", "own_number"), "tallied_at")
"""That goods which came back were counted (215)."""
ACTION_RANKS: Final = {"new": 0, "change": 1, "delete": 2}
"""What a message does; of two that were sent at the same time, the one of higher rank counts."""
DOCUMENT_PARTS: Final = {part.table.name: part for part in (STATUS, TALLY)}
DOCUMENT_TABLES: Final[dict[str, DocumentTable]] = {
    table.name: table for table in (ORDERS, PAYMENTS, WAYBILLS, CANCELLATIONS, RETURNS, RECEIPTS, TAXES)
}


def hashed_as(column: str) -> str:
    """Return the name under which a column of persons is hashed: a payer can be compared with a buyer."""
    return "buyer_id" if column == "payer_id" else column


def validate_documents(
    raw: pl.DataFrame, table: DocumentTable, rules: ContractRules, required: tuple[str, ...] = ()
) -> Validated:
    """Bring rows of documents to the table's types and tell apart what breaks the contract.

    Args:
        raw: one row a document or line, columns of any type; missing ones are taken as null.
        table: whose rows they are.
        rules: how strict the contract is; a document may be older than its first day.
        required: columns without which a row is none, where these are others than the table's.

    >>> raw = pl.DataFrame({"platform_id": ["P", None], "order_id": "7", "amount": ["x", "1"],
    ...     "sent_at": "20261120093000"})
    >>> validated = validate_documents(raw, PAYMENTS, ContractRules(zone="Asia/Shanghai"))
    >>> validated.nulled, validated.rejected["reasons"].to_list()
    ({'amount:not_a_number': 1}, [['platform_id:missing']])
    """
    nothing = pl.Series([None], dtype=pl.Null).new_from_index(0, raw.height)
    given = {name: raw[name] for name in raw.columns}
    columns = [
        _convert(given.get(name, nothing), name, dtype, rules).alias(name)
        for name, dtype in table.columns.items()
    ]
    required = required or table.required
    return apply_contract(pl.DataFrame(columns), _schema(table.name, required, rules.latest), required)


@lru_cache(64)
def _schema(name: str, required: tuple[str, ...], latest: datetime | None) -> pa.DataFrameSchema:
    columns = {}
    for column, dtype in DOCUMENT_TABLES[name].columns.items():
        checks = _checks(column, dtype)
        if column in required and dtype == _MOMENT:
            checks = [*checks, *date_checks(None, latest, EARLIEST)]
        columns[column] = pa.Column(dtype, checks, nullable=column not in required)
    return pa.DataFrameSchema(columns, name=name)


def _checks(name: str, dtype: pl.DataType) -> list[pa.Check]:
    if name in _COUNTS:
        return COUNT_CHECKS
    if dtype == _COUNT:
        return [COUNT_CHECKS[0]]
    if dtype == _NUMBER:
        return [KNOWN_NUMBER, ABOVE_ZERO if name in _POSITIVE else NOT_NEGATIVE]
    if dtype == _MOMENT:
        return TIME_CHECKS
    special = {
        "hs_code": format_check("^[0-9]{4,10}$"),
        "direction": list_check(DIRECTIONS),
        **dict.fromkeys(UNIT_COLUMNS, format_check("^[0-9]{3}$")),
        **dict.fromkeys(("currency", "paid_currency"), format_check("^[A-Z]{3}$")),
        **dict.fromkeys(COUNTRY_COLUMNS, format_check("^[A-Z]{2}$")),
    }
    checks = TEXT_CHECKS if name in TEXT_COLUMNS else CODE_CHECKS
    return [*checks, special[name]] if name in special else checks


def _convert(values: pl.Series, name: str, dtype: pl.DataType, rules: ContractRules) -> pl.Series:
    if values.null_count() == len(values):
        return values.cast(pl.Null).cast(dtype)
    if dtype == _MOMENT:
        return values if values.dtype == _MOMENT else to_moment(values, rules.zone)
    if dtype == _COUNT:
        return to_whole(values)
    if dtype == _NUMBER:
        return to_number(values)
    if name in TEXT_COLUMNS:
        return to_text(values, rules.max_text_chars)
    code = to_code(values, rules.max_text_chars)
    if name in _FURTHER_NAMES:
        code = rules.null_words.without(code)
    return code_of(code, "currency" if name == "paid_currency" else name, rules)
