"""Mappings of foreign tables."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from configs.schema.source import SourceMapping


def _mapping(**parts: Any) -> SourceMapping:
    return SourceMapping.model_validate({"name": "foreign", **parts})


def test_all_parts() -> None:
    mapping = _mapping(
        description="a table",
        constants={"currency": "KRW", "line_no": 1},
        rename={"declaration_id": "Declaration ID"},
        values={"transport_mode": {10: "sea", "40": "air", "99": None}},
        numbers={"net_weight_kg": {"column": "Grams", "factor": 0.001}},
        derived={"unit_price": {"ratio": ["Item Price", "Net Mass"]}},
        extra={"categories": {"tax_type": "Tax Type"}, "numbers": {"tax_rate": "Tax Rate"}},
        labels={"undervaluation": {"column": "Fraud", "true_when": [1]}},
        inspection={"selection": "random", "inspection_probability": 1.0},
        pseudonymise=["buyer_id"],
    )
    assert mapping.values["transport_mode"] == {"10": "sea", "40": "air", "99": None}
    assert mapping.labels["undervaluation"].true_when == ("1",)
    assert mapping.derived["unit_price"].ratio == ("Item Price", "Net Mass")
    assert mapping.inspection.reported_on == "declared_at"


def test_a_column_has_one_origin() -> None:
    with pytest.raises(ValidationError, match="more than one rule fills quantity, unit_price"):
        _mapping(
            constants={"unit_price": 1.0},
            rename={"quantity": "Q"},
            numbers={"quantity": {"column": "Q"}},
            extra={"numbers": {"unit_price": "P"}},
        )


@pytest.mark.parametrize(
    "parts",
    [
        {"numbers": {"net_weight_kg": {"column": "Grams", "factor": 0}}},
        {"derived": {"unit_price": {"ratio": ["a"]}}},
        {"labels": {"undervaluation": {"column": "Fraud", "true_when": []}}},
        {"inspection": {"inspection_probability": 0}},
        {"rename": {"Declaration ID": "declaration_id"}},
        {"values": {"origin_country": {"NO": True}}},
        {"columns": {}},
    ],
)
def test_what_a_mapping_may_not_say(parts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="validation error"):
        _mapping(**parts)
