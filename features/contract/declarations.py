"""The data contract of declarations: one row a goods line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final

import pandera.polars as pa
import polars as pl

from features.contract.bounds import Bounds
from features.contract.checked import Validated, apply_contract, column_check
from features.contract.china_time import CHINA, china_day
from features.contract.codes import with_even_digits, with_office_zero, with_zero
from features.contract.conversions import (
    NOT_TEXT,
    NOT_WHOLE,
    ROUNDED,
    TOO_LONG,
    to_code,
    to_number,
    to_text,
    to_whole,
)
from features.contract.moments import NOT_A_TIME, to_moment
from features.contract.reject_reasons import RejectReason
from features.contract.rules import ANY_VALUES, ContractRules

LINE_KEY: Final = ("declaration_id", "line_no")
TEXT_COLUMNS: Final = ("item_name", "item_model")
PARTIES: Final = ("platform_id", "seller_id", "agent_id", "carrier_id", "buyer_id", "address_id")
# Where a word that means nothing is no value. Not where such a word is a code: `NA` is Namibia, `0` a mode of
# transport.
NAMING_COLUMNS: Final = (
    "declaration_id",
    *PARTIES,
    "order_id",
    "waybill_id",
    "barcode",
    "customs_office",
    "port",
)
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
COUNTRY_COLUMNS: Final = ("origin_country", "dispatch_country", "destination_country")
UNIT_COLUMNS: Final = ("unit", "legal_unit")
_OFFICES: Final = ("customs_office", "port")
# What every marker begins with; they are in small letters.
_MARK: Final = "\x00"
_UNCONVERTED: Final = (NOT_TEXT, TOO_LONG, ROUNDED)
_UPPER: Final = (*COUNTRY_COLUMNS, "currency")
_LOWER: Final = ("direction", "trade_mode")
_R = RejectReason
KNOWN_NUMBER = column_check(_R.NOT_A_NUMBER, lambda value: value.is_finite())
ABOVE_ZERO = column_check(_R.OUT_OF_RANGE, lambda value: (value > 0) | ~value.is_finite())
NOT_NEGATIVE = column_check(_R.OUT_OF_RANGE, lambda value: (value >= 0) | ~value.is_finite())
COUNT_CHECKS = [
    column_check(_R.NOT_A_WHOLE_NUMBER, lambda value: value != NOT_WHOLE),
    column_check(_R.OUT_OF_RANGE, lambda value: (value >= 1) | (value == NOT_WHOLE)),
]
TEXT_CHECKS = [
    column_check(_R.NOT_TEXT, lambda value: value != NOT_TEXT),
    column_check(_R.TEXT_TOO_LONG, lambda value: value != TOO_LONG),
]
CODE_CHECKS = [*TEXT_CHECKS, column_check(_R.ROUNDED_NUMBER, lambda value: value != ROUNDED)]
TIME_CHECKS = [
    column_check(_R.NOT_A_TIME, lambda value: value != pl.lit(NOT_A_TIME).dt.replace_time_zone("UTC")),
    column_check(_R.OUT_OF_RANGE, lambda value: (value >= EARLIEST) | (value.dt.year() == NOT_A_TIME.year)),
]


def format_check(expression: str) -> pa.Check:
    """The check that a code has a format; what could not be converted has another reason."""
    unconverted = pl.Series(_UNCONVERTED).implode()
    return column_check(
        _R.BAD_FORMAT, lambda value: value.str.contains(expression) | value.is_in(unconverted)
    )


def list_check(words: Iterable[str]) -> pa.Check:
    """The check that a word is one of some; what could not be converted has another reason."""
    known = pl.Series([*words, *_UNCONVERTED]).implode()
    return column_check(_R.NOT_IN_LIST, lambda value: value.is_in(known))


def _checks(name: str) -> list[pa.Check]:
    """The contract's checks of one column, beside its type and whether it must be there."""
    if name in ("line_no", "package_count"):
        return COUNT_CHECKS
    if DECLARATION_COLUMNS[name] == pl.Float64():
        return [KNOWN_NUMBER, ABOVE_ZERO if name in _POSITIVE else NOT_NEGATIVE]
    if name == "declared_at":
        return TIME_CHECKS
    special = {
        "hs_code": format_check("^[0-9]{6,10}$"),
        "currency": format_check("^[A-Z]{3}$"),
        "direction": list_check(DIRECTIONS),
        "trade_mode": list_check(TRADE_MODES),
        **dict.fromkeys(COUNTRY_COLUMNS, format_check("^[A-Z]{2}$")),
        **dict.fromkeys(UNIT_COLUMNS, format_check("^[0-9]{3}$")),
    }
    checks = TEXT_CHECKS if name in TEXT_COLUMNS else CODE_CHECKS
    return [*checks, special[name]] if name in special else checks


def validate_declarations(
    raw: pl.DataFrame,
    rules: ContractRules = ANY_VALUES,
    *,
    extra_categories: Sequence[str] = (),
    extra_numbers: Sequence[str] = (),
) -> Validated:
    """Bring declaration lines to the contract's types and tell apart what breaks it.

    Duplicate keys are not looked for: they can lie in another frame or in the store.

    Args:
        raw: one row a line, columns of any type; missing ones are taken as null, unknown ones left out.
        rules: how strict the contract is.
        extra_categories: further columns to keep as text.
        extra_numbers: further columns to keep as numbers.

    >>> raw = pl.DataFrame({"declaration_id": ["D1", "D2"], "line_no": ["1", "0"], "quantity": ["0", "1"],
    ...     "declared_at": "2026-11-20", "hs_code": "851712", "total_price": ["9.9", "-1"],
    ...     "currency": "cny"})
    >>> validated = validate_declarations(raw)
    >>> validated.kept["currency"].to_list(), validated.nulled
    (['CNY'], {'quantity:out_of_range': 1})
    >>> validated.rejected["reasons"].to_list()
    [['line_no:out_of_range', 'total_price:out_of_range']]
    """
    given = {name: raw[name] for name in raw.columns}
    nothing = pl.Series([None], dtype=pl.Null).new_from_index(0, raw.height)
    columns = [_convert(given.get(name, nothing), name, rules).alias(name) for name in DECLARATION_COLUMNS]
    columns += [
        to_text(given.get(name, nothing).alias(name), rules.max_text_chars) for name in extra_categories
    ]
    columns += [to_number(given.get(name, nothing).alias(name)) for name in extra_numbers]
    schema = _schema(
        (rules.oldest, rules.latest), rules.bounds, tuple(extra_categories), tuple(extra_numbers)
    )
    return apply_contract(pl.DataFrame(columns), schema, DECLARATION_REQUIRED)


def bound_checks(bounds: Bounds, name: str, day: pl.Expr) -> list[pa.Check]:
    """The check that the numbers of a column are within the bounds of their day, where it has any.

    Of a number that must not be negative and is, the check of that speaks.
    """
    if not bounds.of(name):
        return []
    may_be_negative = name not in DECLARATION_COLUMNS

    def passes(value: pl.Expr) -> pl.Expr:
        within = bounds.within(name, value, day)
        return within if may_be_negative else (value < 0) | within

    return [column_check(_R.BEYOND_BOUNDS, passes)]


@lru_cache(16)
def _schema(
    dates: tuple[date | None, datetime | None],
    bounds: Bounds,
    extra_categories: tuple[str, ...],
    extra_numbers: tuple[str, ...],
) -> pa.DataFrameSchema:
    (oldest, latest), day = dates, china_day(pl.col("declared_at"))
    first = None if oldest is None else datetime.combine(oldest, time(), CHINA)
    columns: dict[str, pa.Column] = {}
    for name, dtype in DECLARATION_COLUMNS.items():
        checks = _checks(name)
        if dtype in (pl.Float64(), pl.Int32()):
            checks = [*checks, *bound_checks(bounds, name, day)]
        if name == "declared_at":
            checks = [*checks, *date_checks(first, latest, EARLIEST)]
        columns[name] = pa.Column(dtype, checks, nullable=name not in DECLARATION_REQUIRED)
    columns |= {name: pa.Column(pl.String, TEXT_CHECKS, nullable=True) for name in extra_categories}
    for name in extra_numbers:
        checks = [KNOWN_NUMBER, *bound_checks(bounds, name, day)]
        columns[name] = pa.Column(pl.Float64, checks, nullable=True)
    return pa.DataFrameSchema(columns, name="declarations")


def date_checks(first: date | None, latest: date | None, earliest: date) -> list[pa.Check]:
    """The checks that days, or moments, are not before the first nor after the latest; None is no limit.

    What is before `earliest`, or cannot be read, has another reason.
    """
    checks = []
    if first is not None:
        checks.append(column_check(_R.TOO_OLD, lambda value: (value >= first) | (value < earliest)))
    if latest is not None:
        checks.append(column_check(_R.FUTURE_DATE, lambda value: value <= latest))
    return checks


DECLARATION_SCHEMA: Final = _schema((None, None), Bounds(), (), ())


def _convert(values: pl.Series, name: str, rules: ContractRules) -> pl.Series:
    dtype = DECLARATION_COLUMNS[name]
    if values.null_count() == len(values):
        return values.cast(pl.Null).cast(dtype)
    if name == "declared_at":
        return to_moment(values, rules.zone)
    if dtype == pl.Int32():
        return to_whole(values)
    if dtype == pl.Float64():
        return to_number(values)
    if name in TEXT_COLUMNS:
        return to_text(values, rules.max_text_chars)
    return code_of(to_code(values, rules.max_text_chars), name, rules)


def code_of(code: pl.Series, name: str, rules: ContractRules) -> pl.Series:
    """A code as the column of this name spells it: lost digits, the case of letters, words for nothing."""
    if name in NAMING_COLUMNS:
        code = rules.null_words.without(code)
    if name == "hs_code":
        return with_even_digits(code)
    if name in UNIT_COLUMNS:
        return with_zero(code, 3)
    if name in _OFFICES:
        return with_office_zero(code) if rules.china_offices else code
    if name in _LOWER:
        return code.str.to_lowercase()
    if name in _UPPER:
        marked = code.str.starts_with(_MARK).fill_null(False)
        cased = code.str.to_uppercase()
        return code.zip_with(marked, cased) if marked.any() else cased
    return code
