from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from configs.errors import ConfigurationError
from configs.language import language
from configs.schema.risk import ConstantValue, RiskConfig, Title
from configs.schema.settings import Settings
from features.assemble import FeatureSet
from features.history.state import History
from features.words.reasons import (
    MAX_REASON_CHARACTERS,
    NOTHING_STANDS_OUT,
    PRICE_PLACE,
    PRICE_SOURCE,
    check_reasons,
    random_check_reason,
    reasons,
)
from features.words.telling import Telling

WORDS = {
    "price": [
        {"when": "price__ratio < 0.5", "text": "CNY {price__kg:,.1f}/kg, a fraction of the usual"},
        {"text": "CNY {price__kg:,.1f}/kg declared"},
        {"text": "the price cannot be compared"},
    ],
    "party": [
        {"when": "party__age <= 30", "text": "seller new since {party__age:,.0f} days"},
    ],
    "route": [{"text": "by way of {route__dispatch}"}],
    "extra": [{"text": "further details resemble earlier findings"}],
}


def _risk(words: object = WORDS) -> RiskConfig:
    return RiskConfig.model_validate(
        {
            "name": "demo",
            "label": "demo",
            "title": Title(en="Demo"),
            "finding_value": ConstantValue(kind="constant", cny=100.0),
            "reasons": words,
        }
    )


def _frame(**columns: object) -> pl.DataFrame:
    defaults = {"price__kg": 12.0, "price__ratio": 0.1, "party__age": 9.0, "route__dispatch": "HK"}
    schema = {
        "price__kg": pl.Float64,
        "price__ratio": pl.Float64,
        "party__age": pl.Float64,
        "route__dispatch": pl.String,
    }
    return pl.DataFrame({name: [value] for name, value in (defaults | columns).items()}, schema=schema)


def _said(
    frame: pl.DataFrame, pushes: dict[str, float], risk: RiskConfig | None = None, count: int = 3
) -> list[str | None]:
    contributions = pl.DataFrame(
        {block: [push] for block, push in pushes.items()}, schema=dict.fromkeys(pushes, pl.Float64)
    )
    return list(reasons(frame, contributions, risk or _risk(), count).row(0)[:count])


def test_blocks_speak_in_the_order_of_what_they_contributed() -> None:
    assert _said(_frame(), {"price": 0.2, "party": 0.9, "route": 0.5}) == [
        "seller new since 9 days",
        "by way of HK",
        "CNY 12.0/kg, a fraction of the usual",
    ]


def test_equal_contributions_are_told_apart_by_name() -> None:
    assert _said(_frame(), {"route": 0.5, "party": 0.5}, count=1) == ["seller new since 9 days"]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_template_speaks_only_if_it_knows_its_columns(missing: float | None) -> None:
    assert _said(_frame(price__kg=missing), {"price": 0.2}, count=1) == ["the price cannot be compared"]


def test_a_condition_on_an_unknown_column_does_not_hold() -> None:
    assert _said(_frame(price__ratio=None), {"price": 0.2}, count=1) == ["CNY 12.0/kg declared"]


def test_a_column_that_the_source_does_not_bring_is_as_good_as_null() -> None:
    frame = _frame().drop("price__ratio", "price__kg")
    assert _said(frame, {"price": 0.2}, count=1) == ["the price cannot be compared"]


def test_only_blocks_that_raised_the_score_are_heard() -> None:
    assert _said(_frame(), {"extra": -0.1, "party": -0.2, "price": 0.3, "route": 0.0}) == [
        "CNY 12.0/kg, a fraction of the usual",
        None,
        None,
    ]
    assert _said(_frame(), {"party": -0.1}) == [NOTHING_STANDS_OUT, None, None]


def test_a_row_has_one_sentence_of_a_topic() -> None:
    words = {
        "a": [{"text": "CNY {price__kg:,.0f} declared", "topic": "price"}],
        "b": [{"text": "cheap", "topic": "price"}, {"text": "by {route__dispatch}"}],
    }
    assert _said(_frame(), {"a": 0.2, "b": 0.1}, _risk(words), 2) == ["CNY 12 declared", "by HK"]


def test_the_strongest_rate_that_is_surely_above_all_is_said() -> None:
    rates = [
        {"text": name, "rate": [f"{name}__findings", f"{name}__inspected"]} for name in ("few", "many", "all")
    ]
    figures = {"few": (2.0, 3.0), "many": (30.0, 60.0), "all": (10.0, 100.0)}
    frame = pl.DataFrame(
        {f"{name}__findings": [found] for name, (found, _) in figures.items()}
        | {f"{name}__inspected": [lines] for name, (_, lines) in figures.items()}
        | {"model__found_share": [0.10]}
    )
    risk = _risk({"hit": rates})
    assert _said(frame, {"hit": 0.4}, risk, 1) == ["many"]
    nobody = frame.with_columns(many__findings=pl.lit(0.0), many__inspected=pl.lit(0.0))
    assert _said(nobody, {"hit": 0.4}, risk, 1) == ["few"]
    # Wilson's interval of 2 in 3 begins at 0.21.
    usual = nobody.with_columns(model__found_share=pl.lit(0.25))
    assert _said(usual, {"hit": 0.4}, risk, 1) == [NOTHING_STANDS_OUT]


def test_a_block_without_words_of_its_own_is_named_in_plain_words() -> None:
    said = _said(_frame(), {"cold_chain": 0.1}, count=1)
    assert said == ["the cold chain of this line resembles that of earlier findings"]


def test_parties_and_countries_go_by_the_names_that_the_office_uses() -> None:
    risk = _risk({"route": [{"text": "{seller} never seen before"}], "a": [{"text": "by {route__dispatch}"}]})
    pushes = pl.DataFrame({"route": [0.2, 0.2], "a": [0.1, 0.1]})
    told = Telling(language("zh-CN"), ["mail", "retail"], {"HK": "中国香港"}, 5000.0)
    said = reasons(pl.concat([_frame(), _frame(route__dispatch="XX")]), pushes, risk, 2, told)
    assert said.select("reason_1", "reason_2").rows() == [
        ("寄件人此前无申报记录", "by 中国香港"), ("电商企业此前无申报记录", "by XX"),
    ]  # fmt: skip


def test_no_reason_is_said_twice() -> None:
    risk = _risk({"a": [{"text": "the same"}], "b": [{"text": "the same"}, {"text": "by {route__dispatch}"}]})
    assert _said(_frame(), {"a": 0.2, "b": 0.1}, risk) == ["the same", "by HK", None]


def test_each_row_has_its_own_reasons() -> None:
    frame = pl.concat([_frame(party__age=5.0), _frame(party__age=4000.0)])
    contributions = pl.DataFrame({"party": [0.4, 0.4], "price": [0.1, float("nan")]})
    said = reasons(frame, contributions, _risk())
    assert said["reason_1"].to_list()[0] == "seller new since 5 days"
    assert said["reason_1"].to_list()[1] == NOTHING_STANDS_OUT
    assert said["reason_2"].to_list() == ["CNY 12.0/kg, a fraction of the usual", None]


def test_hostile_values_are_shown_and_bounded() -> None:
    assert _said(_frame(route__dispatch="H\u202eK"), {"route": 0.1}, count=1) == ["by way of H⟦U+202E⟧K"]
    endless = _said(_frame(route__dispatch="\u200b" * 10_000), {"route": 0.1}, count=1)[0]
    assert endless is not None
    assert len(endless) <= MAX_REASON_CHARACTERS
    assert _said(_frame(route__dispatch="{price__kg}"), {"route": 0.1}, count=1) == ["by way of {price__kg}"]


def test_no_lines_give_an_empty_table() -> None:
    said = reasons(_frame().clear(), pl.DataFrame(schema={"price": pl.Float64}), _risk())
    texts = ("reason_1", "reason_2", "reason_3", PRICE_SOURCE)
    assert said.schema == dict.fromkeys(texts, pl.String) | {PRICE_PLACE: pl.Int32}
    assert said.is_empty()


def test_frames_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="1 lines, but contributions of 2"):
        reasons(_frame(), pl.DataFrame({"price": [0.1, 0.2]}), _risk())


def test_a_random_check_says_out_of_how_many() -> None:
    assert (
        random_check_reason(12, 4500)
        == "random check: 12 of the 4,500 parcels of this office and trade mode were drawn; "
        "check everything"
    )


def test_shared_words_may_speak_of_a_combination_that_is_not_counted_and_a_risks_own_may_not() -> None:
    words = [{"text": "{party__gone:,.0f} lines"}, {"text": "seller of {party__age:,.0f} days"}]
    risk = _risk({"party": words})
    with pytest.raises(ConfigurationError, match="party__gone"):
        check_reasons(risk, _frame().schema)
    shared = risk.model_copy(update={"shared_reasons": frozenset({"party"})})
    check_reasons(shared, _frame().schema)
    assert _said(_frame(), {"party": 1.0}, shared, count=1) == ["seller of 9 days"]


def test_templates_that_fit_the_features_pass_the_check() -> None:
    check_reasons(_risk(), _frame().schema)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            {"text": "{price__kgs:,.1f}"},
            r"demo.yaml: reasons.price, entry 2: .* came 'price__kgs'. Did you mean 'price__kg'",
        ),
        ({"when": "price__ratios < 1", "text": "x"}, r"reasons.price, entry 2: .* came 'price__ratios'"),
        ({"text": "{route__dispatch:,.1f}"}, r"reasons.price, entry 2: does not fit the type of its columns"),
        ({"when": "route__dispatch < 3", "text": "x"}, r"reasons.price, entry 2: does not fit the type"),
        ({"when": "price__ratio + 1", "text": "x"}, r"reasons.price, entry 2: "),
    ],
)
def test_a_template_that_does_not_fit_is_named(template: dict[str, str], message: str) -> None:
    risk = _risk({"price": [{"text": "fine"}, template]})
    with pytest.raises(ConfigurationError, match=message):
        check_reasons(risk, _frame().schema)


RISKS = ("undervaluation", "prohibited_items", "food_safety")
LEARNED = dict.fromkeys(
    (
        "model__found_share",
        "model__text_score",
        "model__telling_word_odds",
        "model__expected_unit_price_cny",
        "model__shortfall_cny",
    ),
    pl.Float64(),
) | {"model__telling_word": pl.String()}


@pytest.mark.parametrize("name", RISKS)
def test_the_shipped_words_fit_the_features(
    name: str, settings: Settings, replay_steps: list[tuple[date, FeatureSet, History]]
) -> None:
    risk = settings.risks[name]
    features = replay_steps[-1][1].for_risk(risk)
    check_reasons(risk, dict(features.schema) | LEARNED)


@pytest.mark.parametrize("name", RISKS)
def test_real_lines_get_different_sentences_without_the_name_of_a_feature(
    name: str, settings: Settings, replay_steps: list[tuple[date, FeatureSet, History]]
) -> None:
    risk = settings.risks[name]
    features = replay_steps[-1][1].for_risk(risk)
    blocks = sorted({column.split("__")[0] for column in features.columns if "__" in column})
    pushes = np.random.default_rng(5).normal(size=(features.height, len(blocks)))
    said = reasons(features, pl.DataFrame(pushes, schema=dict.fromkeys(blocks, pl.Float64)), risk)
    for row in said.drop(PRICE_SOURCE, PRICE_PLACE).iter_rows():
        told = [sentence for sentence in row if sentence is not None]
        assert told
        assert len(set(told)) == len(told)
        assert not any("__" in sentence or "{" in sentence or "nan" in sentence.split() for sentence in told)


def test_past_findings_are_named_where_they_lie_above_all_inspected_lines(settings: Settings) -> None:
    frame = pl.DataFrame(
        {
            "hit_rate__item_key_inspected": [76.0, 81.0, 0.0],
            "hit_rate__item_key_findings": [4.0, 1.0, 0.0],
            "hit_rate__hs4_inspected": [200.0, 200.0, 0.0],
            "hit_rate__hs4_findings": [2.0, 2.0, 0.0],
            "model__found_share": [0.019] * 3,
        }
    )
    said = reasons(frame, pl.DataFrame({"hit_rate": [1.0] * 3}), settings.risks["food_safety"], count=1)
    assert said["reason_1"].to_list() == [
        "4 of 76 inspected lines with this name had a finding; of all inspected lines 1.9%",
        NOTHING_STANDS_OUT,
        NOTHING_STANDS_OUT,
    ]


def test_the_telling_word_is_named(settings: Settings) -> None:
    frame = pl.DataFrame(
        {
            "model__telling_word": ["保健", None],
            "model__telling_word_odds": [2.44, None],
            "model__text_score": [0.04, 0.02],
        }
    )
    said = reasons(frame, pl.DataFrame({"text_score": [1.0, 1.0]}), settings.risks["food_safety"], count=1)
    assert said["reason_1"].to_list() == [
        "“保健” in the description: going by the wording of earlier results, a finding is 2.4 times as "
        "likely as without it",
        NOTHING_STANDS_OUT,
    ]
