"""A mapping makes the contract's columns of a foreign table's, or says what does not fit."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from configs.errors import ConfigurationError, DataError
from configs.schema.source import SourceMapping
from pipelines.ingest.reading.table_mapping import MappedTable, require_columns

LINES: dict[str, Any] = {
    "name": "shop",
    "constants": {"line_no": 1, "currency": "EUR"},
    "rename": {"declaration_id": "No", "declared_at": "Time", "hs_code": "Code", "direction": "Way"},
    "values": {"direction": {"1": "import", "2": "export", "9": None}},
    "numbers": {"net_weight_kg": {"column": "Grams", "factor": 0.001}, "total_price": {"column": "Price"}},
    "derived": {"unit_price": {"ratio": ["Price", "Pieces"]}},
    "extra": {"categories": {"tax_type": "Tax"}, "numbers": {"tax_rate": "Rate"}},
}
RAW = pl.DataFrame(
    {
        "No": ["D1", "D2", "D3"],
        "Time": ["2026-11-20", "2026-11-21", "2026-11-21"],
        "Code": "010121",
        "Way": ["1", "2", "9"],
        "Grams": ["1500", "x", ""],
        "Price": ["10", "20", "30"],
        "Pieces": ["4", "0", ""],
        "Tax": "A",
        "Rate": "8",
        "Fraud": ["2", "0", ""],
    }
)


CHOICE = {"selection": "random", "inspection_probability": 1.0}
FRAUD: dict[str, Any] = {
    "labels": {"undervaluation": {"column": "Fraud", "true_when": ["2"]}}, "inspection": CHOICE,
}  # fmt: skip


def fitted(raw: pl.DataFrame = RAW, **further: Any) -> MappedTable:
    return MappedTable.of(SourceMapping.model_validate({**LINES, **further}), raw.columns, "a.csv")


def test_columns_are_renamed_converted_and_derived() -> None:
    found = fitted().declarations(RAW, None)
    assert found["direction"].to_list() == ["import", "export", None]
    assert found["unit_price"].to_list() == [2.5, None, None]
    assert found["net_weight_kg"][0] == 1.5
    assert found["net_weight_kg"].is_nan().to_list() == [False, True, None], (
        "the contract counts what is wrong"
    )
    assert found["line_no"].to_list() == [1, 1, 1]
    assert found["tax_type"].to_list() == ["A"] * 3
    assert not fitted().has_inspections


def test_labels_make_inspections_where_they_are_filled() -> None:
    found = fitted(**FRAUD).inspections(RAW, None).frame
    assert found["undervaluation"].to_list() == [True, False]
    assert found["_row"].to_list() == [0, 1]
    assert found["reported_on"].to_list() == [date(2026, 11, 20), date(2026, 11, 21)]


@pytest.mark.parametrize("raw", [RAW.drop("Fraud"), RAW.with_columns(pl.lit(None, pl.String).alias("Fraud"))])
def test_labels_that_are_missing_or_empty_make_declarations_only(raw: pl.DataFrame) -> None:
    mapped = fitted(raw, **FRAUD)
    assert mapped.has_declarations
    assert not mapped.has_inspections or mapped.inspections(raw, None).frame.is_empty()


def test_a_table_of_results_alone() -> None:
    mapping = SourceMapping.model_validate(
        {
            "name": "laboratory",
            "constants": {"line_no": 1},
            "rename": {
                "declaration_id": "No",
                "reported_on": "Time",
                "inspected_on": "Time",
                "selection": "Why",
            },
            "labels": {"food_safety": {"column": "Fraud", "true_when": ["2"]}},
            "inspection": {"inspection_probability": None},
        }
    )
    raw = RAW.with_columns(pl.lit("rule").alias("Why"))
    mapped = MappedTable.of(mapping, raw.columns, "a.csv")
    assert (mapped.has_declarations, mapped.has_inspections) == (False, True)
    assert mapped.inspections(raw, None).frame["selection"].to_list() == ["rule", "rule"]


def test_a_missing_required_column_is_told_with_what_there_is() -> None:
    raw = RAW.rename({"Code": "Codes"})
    with pytest.raises(DataError, match=r"expected the column\(s\) Code, found 'No', .*'Codes'"):
        fitted(raw)


def test_a_missing_optional_column_is_noted() -> None:
    assert fitted(RAW.drop("Tax", "Grams")).absent == ["Grams", "Tax"]


@pytest.mark.parametrize(
    ("further", "message"),
    [
        ({"constants": {"line_no": 1, "currency": "EUR", "weight": 1}}, "fills 'weight', which no column"),
        ({"extra": {"categories": {"port": "Tax"}}}, "port under `extra`: it is a column of the contract"),
        ({"constants": {"line_no": 1}}, "no rule fills currency, which the contract requires"),
    ],
)
def test_a_mapping_that_does_not_fit_the_contract(further: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        fitted(**further)


def test_a_missing_column_is_not_offered_one_that_is_there_for_itself() -> None:
    with pytest.raises(DataError, match=r"found 'declaration_id', 'lineno'\. Did you mean 'lineno'\?$"):
        require_columns(["declaration_id", "lineno"], ("declaration_id", "declared_at", "line_no"), "t.csv")
