"""One contract over every risk file, and what a risk file may not say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from configs.loader import load_settings
from configs.parcel_ways import WAY_WORDS
from configs.schema.risk import RiskConfig

BLOCKS = ("price", "weight", "text", "route", "party", "same_day", "hit_rate", "goods", "calendar", "extra")
MODEL_BLOCKS = ("fair_value", "goods_model", "text_score")


def _risk(**changes: Any) -> RiskConfig:
    content = {
        "name": "counterfeit",
        "label": "counterfeit",
        "title": {"en": "Counterfeit"},
        "finding_value": {"kind": "constant", "cny": 500},
    }
    return RiskConfig.model_validate(content | changes)


@pytest.mark.parametrize("name", list(load_settings().risks))
def test_every_packaged_risk_is_complete(name: str) -> None:
    risk = load_settings().risks[name]
    assert risk.name == name
    assert risk.title.zh
    assert risk.description.strip()
    assert risk.look_for
    for block in (*BLOCKS, *MODEL_BLOCKS):
        templates = risk.reasons[block]
        assert risk.uses_block(block)
        assert set(risk.reasons_for(block)) <= set(templates)
        for template in templates:
            for parties in WAY_WORDS.values():
                words = template.text.format_map(parties | dict.fromkeys(template.columns, 7.0))
                assert "__" not in words, "an inspector never reads the name of a feature"
                assert len(words) <= 160


def test_labels_of_the_packaged_risks() -> None:
    labels = {name: risk.label for name, risk in load_settings().risks.items()}
    assert labels == {
        "undervaluation": "undervaluation",
        "prohibited_items": "prohibited_item",
        "food_safety": "food_safety",
    }


def test_a_risk_needs_little() -> None:
    risk = _risk()
    assert risk.blocks == "all"
    assert risk.extra_columns == "auto"
    assert risk.uses_block("anything")


def test_a_block_without_words_gets_the_general_sentence() -> None:
    (template,) = _risk().reasons_for("cold_chain")
    assert template.text == "the cold chain of this line resembles that of earlier findings"


def test_only_a_block_that_nobody_wrote_words_for_gets_the_general_sentence() -> None:
    dear = {"text": "dear", "except_for": ["prohibited_items", "demo"]}
    risk = _risk(name="demo", reasons={"price": [{"text": "CNY {price__total_cny:,.0f}"}, dear], "extra": []})
    assert [template.columns for template in risk.reasons_for("price")] == [("price__total_cny",)]
    assert risk.reasons_for("extra") == ()
    assert [template.text for template in risk.reasons_for("cold_chain")] == [
        "the cold chain of this line resembles that of earlier findings"
    ]


def test_only_the_named_blocks_are_used() -> None:
    risk = _risk(blocks=["price", "text"])
    assert risk.uses_block("price")
    assert not risk.uses_block("route")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"num_leafs": 31}}, "Did you mean 'num_leaves'"),
        ({"model": {"objective": "regression"}}, "not a model parameter that a risk sets"),
        ({"model": {"num_threads": 8}}, "not a model parameter that a risk sets"),
        ({"model": {"num_leaves": 255}}, "num_leaves from 2 to 64, came 255"),
        ({"model": {"num_leaves": 31.5}}, "num_leaves from 2 to 64"),
        ({"name": "line_no"}, "column of every score table"),
        ({"name": "Counter-feit"}, "should match pattern"),
        ({"finding_value": {"kind": "tax_shortfall"}}, "set fair_value: true"),
        ({"finding_value": {"kind": "constant", "cny": 0}}, "greater than 0"),
        ({"finding_value": {"kind": "guess"}}, "does not match any of the expected tags"),
        ({"rounds": 0}, "greater than or equal to 1"),
        ({"blocks": "some"}, "blocks"),
    ],
)
def test_what_a_risk_may_not_say(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        _risk(**changes)
