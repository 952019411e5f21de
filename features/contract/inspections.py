"""The data contract of inspections: one row an inspected line and report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Final

import pandera.polars as pa
import polars as pl

from features.contract.bounds import Bounds
from features.contract.checked import Validated, apply_contract, column_check
from features.contract.china_time import china_date
from features.contract.codes import with_even_digits
from features.contract.conversions import (
    to_code,
    to_number,
    to_text,
    to_whole,
    yes_no_code,
)
from features.contract.declarations import (
    ABOVE_ZERO,
    CODE_CHECKS,
    COUNT_CHECKS,
    EARLIEST,
    KNOWN_NUMBER,
    LINE_KEY,
    NOT_NEGATIVE,
    TEXT_CHECKS,
    bound_checks,
    date_checks,
    format_check,
    list_check,
)
from features.contract.moments import NOT_A_DATE, to_day
from features.contract.reject_reasons import RejectReason
from features.contract.result_words import FOUND_HOW
from features.contract.rules import ANY_VALUES, ContractRules

INSPECTION_KEY: Final = (*LINE_KEY, "reported_on")
INSPECTION_REQUIRED: Final = (*LINE_KEY, "inspected_on", "reported_on")
SELECTIONS: Final = ("risk", "random", "exploration", "rule", "referral", "override", "officer")
CONTRACT_LABELS: Final = ("undervaluation", "prohibited_item", "food_safety")

INSPECTION_COLUMNS: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "inspected_on": pl.Date(),
    "reported_on": pl.Date(),
    "selection": pl.String(),
    "inspection_probability": pl.Float64(),
    "undervaluation": pl.Boolean(),
    "prohibited_item": pl.Boolean(),
    "food_safety": pl.Boolean(),
    "assessed_unit_price": pl.Float64(),
    "recovered_tax_cny": pl.Float64(),
    "found_hs_code": pl.String(),
    "found_item": pl.String(),
    "found_quantity": pl.Float64(),
    "found_how": pl.String(),
}
FOUND_COLUMNS: Final = ("found_hs_code", "found_item", "found_quantity", "found_how")
"""What was really there, and how it was hidden or misdeclared; stored where somebody filled it in."""
_NUMBERS: Final = ("line_no", "assessed_unit_price", "recovered_tax_cny")
_EARLIEST: Final = EARLIEST.date()

_R = RejectReason
_DATE = [
    column_check(_R.NOT_A_DATE, lambda value: value != NOT_A_DATE),
    column_check(_R.OUT_OF_RANGE, lambda value: (value >= _EARLIEST) | (value == NOT_A_DATE)),
]
_AFTER_INSPECTION = column_check(
    _R.REPORTED_BEFORE_INSPECTED,
    lambda value: (value >= pl.col("inspected_on")) | (value == NOT_A_DATE),
)
_REPORTED = [*_DATE, _AFTER_INSPECTION]
_PROBABILITY = column_check(_R.OUT_OF_RANGE, lambda value: ((value > 0) & (value <= 1)) | ~value.is_finite())
_LABEL = [column_check(_R.NOT_YES_OR_NO, lambda value: value >= 0)]

# While a label is checked it is a code, 1 yes, 0 no, -1 neither: a Boolean has no room for "neither".
INSPECTION_SCHEMA: Final = pa.DataFrameSchema(
    {
        "declaration_id": pa.Column(pl.String, CODE_CHECKS),
        "line_no": pa.Column(pl.Int32, COUNT_CHECKS),
        "inspected_on": pa.Column(pl.Date, _DATE),
        "reported_on": pa.Column(pl.Date, _REPORTED),
        "selection": pa.Column(pl.String, [*TEXT_CHECKS, list_check(SELECTIONS)], nullable=True),
        "inspection_probability": pa.Column(pl.Float64, [KNOWN_NUMBER, _PROBABILITY], nullable=True),
        **{label: pa.Column(pl.Int8, _LABEL, nullable=True) for label in CONTRACT_LABELS},
        "assessed_unit_price": pa.Column(pl.Float64, [KNOWN_NUMBER, NOT_NEGATIVE], nullable=True),
        "recovered_tax_cny": pa.Column(pl.Float64, [KNOWN_NUMBER, NOT_NEGATIVE], nullable=True),
        "found_hs_code": pa.Column(pl.String, [*CODE_CHECKS, format_check("^[0-9]{4,10}$")], nullable=True),
        "found_item": pa.Column(pl.String, TEXT_CHECKS, nullable=True),
        "found_quantity": pa.Column(pl.Float64, [KNOWN_NUMBER, ABOVE_ZERO], nullable=True),
        "found_how": pa.Column(pl.String, [*TEXT_CHECKS, list_check(FOUND_HOW)], nullable=True),
    },
    name="inspections",
)


def looks_like_inspections(columns: Collection[str]) -> bool:
    """Whether a table in the contract's own columns holds inspections.

    >>> looks_like_inspections(["declaration_id", "line_no", "reported_on", "undervaluation"])
    True
    >>> looks_like_inspections(["declaration_id", "line_no", "hs_code"])
    False
    """
    return "reported_on" in columns or "inspected_on" in columns


def validate_inspections(
    raw: pl.DataFrame, rules: ContractRules = ANY_VALUES, *, labels: Sequence[str] | None = None
) -> Validated:
    """Bring inspections to the contract's types and tell apart what breaks it.

    Args:
        raw: one row an inspected line and report, columns of any type; missing ones are taken as null.
        rules: how strict the contract is.
        labels: further label columns to keep; None takes every column of `raw` of Boolean type.

    >>> raw = pl.DataFrame({"declaration_id": ["D1", "D2"], "line_no": [1, 1], "inspected_on": "2026-11-20",
    ...     "reported_on": ["2026-11-21", "2026-11-19"], "counterfeit": ["yes", "?"]})
    >>> validated = validate_inspections(raw, labels=["counterfeit"])
    >>> validated.kept["counterfeit"].to_list(), validated.rejected["reasons"].to_list()
    ([True], [['reported_on:reported_before_inspected']])
    """
    if labels is None:
        labels = [name for name, dtype in raw.schema.items() if dtype == pl.Boolean]
    further = sorted(name for name in labels if name not in INSPECTION_COLUMNS)
    given = {name: raw[name] for name in raw.columns}
    nothing = pl.Series([None], dtype=pl.Null).new_from_index(0, raw.height)
    columns = [_convert(given.get(name, nothing).alias(name), name, rules) for name in INSPECTION_COLUMNS]
    columns += [yes_no_code(given.get(name, nothing).alias(name)) for name in further]
    schema = _schema(rules.bounds, rules.oldest, None if rules.latest is None else china_date(rules.latest))
    if further:
        schema = schema.add_columns({name: pa.Column(pl.Int8, _LABEL, nullable=True) for name in further})
    validated = apply_contract(pl.DataFrame(columns), schema, INSPECTION_REQUIRED)
    all_labels = [*CONTRACT_LABELS, *further]
    return replace(validated, kept=validated.kept.with_columns(pl.col(all_labels).cast(pl.Boolean)))


@lru_cache(4)
def _schema(bounds: Bounds, oldest: date | None, latest: date | None) -> pa.DataFrameSchema:
    reported = [*_REPORTED, *date_checks(oldest, latest, _EARLIEST)]
    schema = INSPECTION_SCHEMA.update_column("reported_on", checks=reported)
    for name in _NUMBERS:
        checks = [*schema.columns[name].checks, *bound_checks(bounds, name, pl.col("reported_on"))]
        schema = schema.update_column(name, checks=checks)
    return schema


def _convert(values: pl.Series, name: str, rules: ContractRules) -> pl.Series:
    dtype = INSPECTION_COLUMNS[name]
    if dtype == pl.Date():
        return to_day(values, rules.zone)
    if dtype == pl.Int32():
        return to_whole(values)
    if dtype == pl.Float64():
        return to_number(values)
    if dtype == pl.Boolean():
        return yes_no_code(values)
    if name == "declaration_id":
        return rules.null_words.without(to_code(values, rules.max_text_chars))
    if name == "found_hs_code":
        return with_even_digits(to_code(values, rules.max_text_chars))
    text = to_text(values, rules.max_text_chars)
    return text.str.to_lowercase() if name in ("selection", "found_how") else text
