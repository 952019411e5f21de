"""Every part of a location leads to the keys that are allowed there."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from configs.messages import configuration_error, nearest, quoted
from configs.schema.reasons import ReasonsConfig
from configs.schema.risk import RiskConfig


@pytest.mark.parametrize(
    ("model", "content", "words"),
    [
        (ReasonsConfig, {"blocks": {"price": [{"text": "a", "if": "b"}]}},
         "blocks.price[0].if: unknown key; came 'b'. Allowed keys: except_for, rate, text, topic, when"),
        (RiskConfig, {"name": "x", "label": "x", "title": {"en": "X", "fr": "Y"},
                      "finding_value": {"kind": "constant", "cny": 1}},
         "title.fr: unknown key; came 'Y'. Allowed keys: en, zh"),
        (RiskConfig, {"name": "x", "label": "x", "title": {"en": "X"},
                      "finding_value": {"kind": "tax_shortfall", "flor_cny": 1}},
         "Did you mean 'floor_cny'?"),
    ],
)  # fmt: skip
def test_unknown_keys(model: type[BaseModel], content: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match="Extra inputs") as caught:
        model.model_validate(content)
    error = configuration_error(Path("some.yaml"), caught.value, model)
    assert str(error).startswith("some.yaml:\n  ")
    assert words in str(error)


def test_nearest_offers_nothing_far_away() -> None:
    assert nearest("zebra", ["tolerance", "folds"]) == ""


def test_a_shown_value_is_bounded() -> None:
    assert len(quoted("x" * 10_000)) == 80
