"""The contract of inspections says what CONTRACT says."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from features.contract.checked import Validated
from features.contract.inspections import INSPECTION_COLUMNS, looks_like_inspections, validate_inspections

GOOD: dict[str, Any] = {
    "declaration_id": "D1",
    "line_no": 1,
    "inspected_on": "2026-11-20",
    "reported_on": "2026-11-21",
}


def check(**values: Any) -> Validated:
    return validate_inspections(pl.DataFrame([{**GOOD, **values}]))


def test_a_minimal_result_has_every_column_in_its_type() -> None:
    found = check()
    assert dict(found.kept.schema) == INSPECTION_COLUMNS
    assert found.kept["reported_on"].to_list() == [date(2026, 11, 21)]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("declaration_id", " ", "declaration_id:missing"),
        ("line_no", -1, "line_no:out_of_range"),
        ("inspected_on", "x", "inspected_on:not_a_date"),
        ("reported_on", None, "reported_on:missing"),
        ("reported_on", "2026-11-19", "reported_on:reported_before_inspected"),
    ],
)
def test_an_invalid_required_value_rejects_the_row(column: str, value: Any, reason: str) -> None:
    found = check(**{column: value})
    assert found.rejected["reasons"].to_list() == [[reason]]


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("selection", "whim", "not_in_list"),
        ("inspection_probability", 0.0, "out_of_range"),
        ("inspection_probability", 1.1, "out_of_range"),
        ("undervaluation", "perhaps", "not_yes_or_no"),
        ("assessed_unit_price", -1.0, "out_of_range"),
        ("recovered_tax_cny", "much", "not_a_number"),
        ("found_hs_code", "tea", "bad_format"),
        ("found_hs_code", "90", "bad_format"),
        ("found_quantity", 0.0, "out_of_range"),
        ("found_how", "magic", "not_in_list"),
    ],
)
def test_an_invalid_optional_value_becomes_null_and_is_counted(column: str, value: Any, kind: str) -> None:
    found = check(**{column: value})
    assert found.kept[column].to_list() == [None]
    assert found.nulled == {f"{column}:{kind}": 1}


def test_what_was_found_is_brought_to_the_contracts_form() -> None:
    found = check(found_hs_code="90230", found_quantity="2", found_how="Hidden")
    assert found.kept.select("found_hs_code", "found_quantity", "found_how").row(0) == (
        "090230",
        2.0,
        "hidden",
    )


def test_further_bool_columns_are_labels() -> None:
    found = check(counterfeit=True, note="seen")
    assert found.kept["counterfeit"].to_list() == [True]
    assert "note" not in found.kept.columns


def test_labels_may_be_words_or_numbers() -> None:
    found = check(undervaluation="1", food_safety=0.0, prohibited_item="False")
    assert found.kept.select("undervaluation", "food_safety", "prohibited_item").row(0) == (
        True,
        False,
        False,
    )


def test_tables_are_told_apart_by_their_columns() -> None:
    assert looks_like_inspections(list(INSPECTION_COLUMNS))
    assert not looks_like_inspections(["declaration_id", "line_no", "declared_at"])
