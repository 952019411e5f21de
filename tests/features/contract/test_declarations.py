"""The contract of declarations says what CONTRACT says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contract.checked import Validated
from features.contract.declarations import DECLARATION_COLUMNS, DECLARATION_REQUIRED, validate_declarations
from features.contract.rules import ContractRules

GOOD: dict[str, Any] = {
    "declaration_id": "D1",
    "line_no": "1",
    "declared_at": "2026-11-20T10:00:00Z",
    "hs_code": "0101210000",
    "total_price": "9.5",
    "currency": "CNY",
}


def check(latest: datetime | None = None, **values: Any) -> Validated:
    raw = pl.DataFrame({name: [value] for name, value in {**GOOD, **values}.items()}, strict=False)
    return validate_declarations(raw, ContractRules(latest=latest, max_text_chars=50))


def test_a_minimal_line_has_every_column_in_its_type() -> None:
    found = check()
    assert dict(found.kept.schema) == DECLARATION_COLUMNS
    assert found.rejected.is_empty()
    assert found.nulled == {}
    assert found.kept["hs_code"].to_list() == ["0101210000"]


@pytest.mark.parametrize("column", DECLARATION_REQUIRED)
def test_a_required_value_must_be_there(column: str) -> None:
    found = check(**{column: None})
    assert found.kept.is_empty()
    assert found.rejected["reasons"].to_list() == [[f"{column}:missing"]]


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("line_no", "0", "out_of_range"),
        ("line_no", "1.5", "not_a_whole_number"),
        ("declared_at", "soon", "not_a_time"),
        ("declared_at", "1700-01-01", "out_of_range"),
        ("declared_at", "2026-11-22", "future_date"),
        ("hs_code", "1234", "bad_format"),
        ("hs_code", "12345678901", "bad_format"),
        ("hs_code", "８５１７１２", "bad_format"),
        ("total_price", "-1", "out_of_range"),
        ("total_price", "nan", "not_a_number"),
        ("total_price", "inf", "not_a_number"),
        ("total_price", "free", "not_a_number"),
        ("currency", "yuan", "bad_format"),
        ("declaration_id", "x" * 51, "text_too_long"),
    ],
)
def test_an_invalid_required_value_rejects_the_row(column: str, value: str, kind: str) -> None:
    found = check(latest=datetime(2026, 11, 21, tzinfo=UTC), **{column: value})
    assert found.kept.is_empty()
    assert found.rejected["reasons"].to_list() == [[f"{column}:{kind}"]]


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("direction", "sideways", "not_in_list"),
        ("trade_mode", "9999", "not_in_list"),
        ("origin_country", "CHN", "bad_format"),
        ("unit", "kilo", "bad_format"),
        ("quantity", "0", "out_of_range"),
        ("quantity", "two", "not_a_number"),
        ("unit_price", "-0.01", "out_of_range"),
        ("gross_weight_kg", float("nan"), "not_a_number"),
        ("freight", "-1", "out_of_range"),
        ("package_count", "0", "out_of_range"),
        ("item_name", "x" * 51, "text_too_long"),
        ("item_name", [1, 2], "not_text"),
    ],
)
def test_an_invalid_optional_value_becomes_null_and_is_counted(column: str, value: Any, kind: str) -> None:
    found = check(**{column: value})
    assert found.kept[column].to_list() == [None]
    assert found.nulled == {f"{column}:{kind}": 1}


def test_values_are_brought_to_the_spelling_of_the_contract() -> None:
    found = check(currency=" usd ", origin_country="cn", direction="IMPORT", trade_mode="Express", unit=7)
    row = found.kept.row(0, named=True)
    assert (row["currency"], row["origin_country"], row["direction"]) == ("USD", "CN", "import")
    assert (row["trade_mode"], row["unit"]) == ("express", "007")


def test_every_reason_of_a_row_is_told() -> None:
    found = check(line_no="x", total_price="-1", currency=None, quantity="-1")
    assert found.rejected["reasons"].to_list() == [
        ["currency:missing", "line_no:not_a_whole_number", "total_price:out_of_range"]
    ]
    assert found.nulled == {}, "values of rejected rows are not counted as nulled"


def test_extra_columns_are_kept_and_unknown_ones_are_not() -> None:
    raw = pl.DataFrame([{**GOOD, "tax_type": "A", "tax_rate": "8", "phone": "13800138000"}])
    found = validate_declarations(
        raw, ContractRules(max_text_chars=50), extra_categories=["tax_type"], extra_numbers=["tax_rate"]
    )
    assert found.kept.columns == [*DECLARATION_COLUMNS, "tax_type", "tax_rate"]
    assert found.kept["tax_rate"].to_list() == [8.0]


def test_valid_rows_pass_a_second_time_unchanged() -> None:
    first = check(quantity="3", item_name="名")
    again = validate_declarations(first.kept, ContractRules(max_text_chars=50))
    assert again.kept.equals(first.kept)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "declaration_id": st.sampled_from(["D1", "", None]),
                "line_no": st.sampled_from(["1", "0", "x", None]),
                "declared_at": st.sampled_from(["2026-11-20", "never"]),
                "hs_code": st.sampled_from(["010121", "1"]),
                "total_price": st.sampled_from(["1", "-1", "nan"]),
                "currency": st.sampled_from(["CNY", "?"]),
                "quantity": st.sampled_from(["1", "0", None, "x"]),
            }
        ),
        max_size=12,
    )
)
def test_every_row_is_kept_or_rejected_with_a_reason(rows: list[dict[str, str | None]]) -> None:
    schema = dict.fromkeys([*DECLARATION_REQUIRED, "quantity"], pl.String())
    found = validate_declarations(pl.DataFrame(rows, schema=schema), ContractRules(max_text_chars=50))
    assert sorted([*found.kept_rows, *found.rejected["row"]]) == list(range(len(rows)))
    assert found.kept.height == len(found.kept_rows)
    assert all(found.rejected["reasons"].to_list())
    quantities = [rows[row]["quantity"] for row in found.kept_rows]
    assert sum(found.nulled.values()) == sum(value in ("0", "x") for value in quantities)
