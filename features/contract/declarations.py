"""The data contract of declarations: one row a goods line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import pandera.polars as pa
import polars as pl

from features.contract.checked import Validated, apply_contract, column_check
from features.contract.conversions import (
    NOT_A_TIME,
    NOT_TEXT,
    NOT_WHOLE,
    TOO_LONG,
    to_digits,
    to_moment,
    to_number,
    to_text,
    to_whole,
)
from features.contract.reject_reasons import RejectReason

LINE_KEY: Final = ("declaration_id", "line_no")
TEXT_COLUMNS: Final = ("item_name", "item_model")
DECLARATION_REQUIRED: Final = (
    "declaration_id",
    "line_no",
    "declared_at",
    "hs_code",
    "total_price",
    "currency",
)
DIRECTIONS: Final = ("import", "export")
TRADE_MODES: Final = ("9610", "1210", "1239", "9710", "9810", "mail", "express", "other")
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)

DECLARATION_COLUMNS: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "declared_at": pl.Datetime("us", "UTC"),
    "direction": pl.String(),
    "trade_mode": pl.String(),
    "customs_office": pl.String(),
    "port": pl.String(),
    "transport_mode": pl.String(),
    "platform_id": pl.String(),
    "seller_id": pl.String(),
    "agent_id": pl.String(),
    "carrier_id": pl.String(),
    "order_id": pl.String(),
    "waybill_id": pl.String(),
    "buyer_id": pl.String(),
    "address_id": pl.String(),
    "origin_country": pl.String(),
    "dispatch_country": pl.String(),
    "destination_country": pl.String(),
    "hs_code": pl.String(),
    "item_name": pl.String(),
    "item_model": pl.String(),
    "barcode": pl.String(),
    "quantity": pl.Float64(),
    "unit": pl.String(),
    "legal_quantity": pl.Float64(),
    "legal_unit": pl.String(),
    "unit_price": pl.Float64(),
    "total_price": pl.Float64(),
    "currency": pl.String(),
    "gross_weight_kg": pl.Float64(),
    "net_weight_kg": pl.Float64(),
    "freight": pl.Float64(),
    "insurance": pl.Float64(),
    "package_count": pl.Int32(),
}

_POSITIVE: Final = ("quantity", "legal_quantity", "gross_weight_kg", "net_weight_kg")
_COUNTRIES: Final = ("origin_country", "dispatch_country", "destination_country")
_UNITS: Final = ("unit", "legal_unit")
_UPPER: Final = (*_COUNTRIES, "currency")
_LOWER: Final = ("direction", "trade_mode")
_R = RejectReason
KNOWN_NUMBER = column_check(_R.NOT_A_NUMBER, lambda value: value.is_finite())
_ABOVE_ZERO = column_check(_R.OUT_OF_RANGE, lambda value: (value > 0) | ~value.is_finite())
NOT_NEGATIVE = column_check(_R.OUT_OF_RANGE, lambda value: (value >= 0) | ~value.is_finite())
COUNT_CHECKS = [
    column_check(_R.NOT_A_WHOLE_NUMBER, lambda value: value != NOT_WHOLE),
    column_check(_R.OUT_OF_RANGE, lambda value: (value >= 1) | (value == NOT_WHOLE)),
]
TEXT_CHECKS = [
    column_check(_R.NOT_TEXT, lambda value: value != NOT_TEXT),
    column_check(_R.TEXT_TOO_LONG, lambda value: value != TOO_LONG),
]
_TIME_CHECKS = [
    column_check(_R.NOT_A_TIME, lambda value: value != pl.lit(NOT_A_TIME).dt.replace_time_zone("UTC")),
    column_check(_R.OUT_OF_RANGE, lambda value: (value >= EARLIEST) | (value.dt.year() == NOT_A_TIME.year)),
]


def _pattern(expression: str) -> pa.Check:
    unconverted = pl.Series([NOT_TEXT, TOO_LONG]).implode()
    return column_check(
        _R.BAD_FORMAT, lambda value: value.str.contains(expression) | value.is_in(unconverted)
    )


def _one_of(words: Sequence[str]) -> pa.Check:
    known = pl.Series([*words, NOT_TEXT, TOO_LONG]).implode()
    return column_check(_R.NOT_IN_LIST, lambda value: value.is_in(known))


def _checks(name: str) -> list[pa.Check]:
    """The contract's checks of one column, beside its type and whether it must be there."""
    if name in ("line_no", "package_count"):
        return COUNT_CHECKS
    if DECLARATION_COLUMNS[name] == pl.Float64():
        return [KNOWN_NUMBER, _ABOVE_ZERO if name in _POSITIVE else NOT_NEGATIVE]
    if name == "declared_at":
        return _TIME_CHECKS
    special = {
        "hs_code": _pattern("^[0-9]{6,10}$"),
        "currency": _pattern("^[A-Z]{3}$"),
        "direction": _one_of(DIRECTIONS),
        "trade_mode": _one_of(TRADE_MODES),
        **dict.fromkeys(_COUNTRIES, _pattern("^[A-Z]{2}$")),
        **dict.fromkeys(_UNITS, _pattern("^[0-9]{3}$")),
    }
    return [*TEXT_CHECKS, special[name]] if name in special else TEXT_CHECKS


DECLARATION_SCHEMA: Final = pa.DataFrameSchema(
    {
        name: pa.Column(dtype, _checks(name), nullable=name not in DECLARATION_REQUIRED)
        for name, dtype in DECLARATION_COLUMNS.items()
    },
    name="declarations",
)


def validate_declarations(
    raw: pl.DataFrame,
    *,
    latest: datetime | None,
    max_text_chars: int,
    extra_categories: Sequence[str] = (),
    extra_numbers: Sequence[str] = (),
) -> Validated:
    """Bring declaration lines to the contract's types and tell apart what breaks it.

    Duplicate keys are not looked for: they can lie in another frame or in the store.

    Args:
        raw: one row a line, columns of any type; missing ones are taken as null, unknown ones left out.
        latest: moments after it are rejected; None accepts any.
        max_text_chars: longer text becomes null.
        extra_categories: further columns to keep as text.
        extra_numbers: further columns to keep as numbers.

    >>> raw = pl.DataFrame({"declaration_id": ["D1", "D2"], "line_no": ["1", "0"], "quantity": ["0", "1"],
    ...     "declared_at": "2026-11-20", "hs_code": "851712", "total_price": ["9.9", "-1"],
    ...     "currency": "cny"})
    >>> validated = validate_declarations(raw, latest=None, max_text_chars=2000)
    >>> validated.kept["currency"].to_list(), validated.nulled
    (['CNY'], {'quantity:out_of_range': 1})
    >>> validated.rejected["reasons"].to_list()
    [['line_no:out_of_range', 'total_price:out_of_range']]
    """
    given = {name: raw[name] for name in raw.columns}
    nothing = pl.Series([None], dtype=pl.Null).new_from_index(0, raw.height)
    columns = [
        _convert(given.get(name, nothing), name, max_text_chars).alias(name) for name in DECLARATION_COLUMNS
    ]
    columns += [to_text(given.get(name, nothing).alias(name), max_text_chars) for name in extra_categories]
    columns += [to_number(given.get(name, nothing).alias(name)) for name in extra_numbers]
    return apply_contract(
        pl.DataFrame(columns), _schema(latest, extra_categories, extra_numbers), DECLARATION_REQUIRED
    )


def _schema(
    latest: datetime | None, extra_categories: Sequence[str], extra_numbers: Sequence[str]
) -> pa.DataFrameSchema:
    schema = DECLARATION_SCHEMA
    further = {name: pa.Column(pl.String, TEXT_CHECKS, nullable=True) for name in extra_categories}
    further |= {name: pa.Column(pl.Float64, [KNOWN_NUMBER], nullable=True) for name in extra_numbers}
    if further:
        schema = schema.add_columns(further)
    if latest is not None:
        not_future = column_check(_R.FUTURE_DATE, lambda value: value <= latest)
        schema = schema.update_column("declared_at", checks=[*_TIME_CHECKS, not_future])
    return schema


def _convert(values: pl.Series, name: str, max_text_chars: int) -> pl.Series:
    dtype = DECLARATION_COLUMNS[name]
    if values.null_count() == len(values):
        return values.cast(pl.Null).cast(dtype)
    if name == "declared_at":
        return to_moment(values)
    if dtype == pl.Int32():
        return to_whole(values)
    if dtype == pl.Float64():
        return to_number(values)
    if name == "hs_code":
        return to_digits(values, max_text_chars, even=True)
    if name in _UNITS:
        return to_digits(values, max_text_chars, width=3)
    text = to_text(values, max_text_chars)
    unconverted = text.is_in([NOT_TEXT, TOO_LONG]).fill_null(False)
    if name in _UPPER:
        return text.zip_with(unconverted, text.str.to_uppercase())
    if name in _LOWER:
        return text.zip_with(unconverted, text.str.to_lowercase())
    return text
