"""Reason templates: which are refused when loaded, and when one applies."""

from __future__ import annotations

import polars as pl
import pytest
from pydantic import ValidationError

from configs.schema.reasons import ReasonsConfig, ReasonTemplate


def test_a_template_applies_where_its_columns_are_known_and_its_condition_is_true() -> None:
    template = ReasonTemplate(
        text="CNY {price__cny_per_kg:,.1f}/kg; {price__peers_kg:,.0f} similar",
        when="price__deviation_kg < -1 AND route__origin = 'JP'",
    )
    frame = pl.DataFrame(
        {
            "price__cny_per_kg": [12.0, None, 12.0, 12.0, 12.0],
            "price__peers_kg": [143.0, 143.0, 143.0, 143.0, 143.0],
            "price__deviation_kg": [-2.0, -2.0, 0.0, None, -2.0],
            "route__origin": ["JP", "JP", "JP", "JP", None],
        }
    )
    assert frame.select(template.condition.alias("on"))["on"].to_list() == [True, False, False, False, False]
    assert template.text.format_map(frame.row(0, named=True)) == "CNY 12.0/kg; 143 similar"


def test_a_template_without_columns_always_applies() -> None:
    frame = pl.DataFrame({"x": [1.0, None]})
    holds = frame.select(pl.col("x").is_null().alias("x"), ReasonTemplate(text="words").condition.alias("on"))
    assert holds["on"].to_list() == [True, True]


def test_columns_are_named_once_in_the_order_of_the_words() -> None:
    template = ReasonTemplate(text="{b__y} {a__x:.0f} {b__y} and {{braces}}")
    assert template.columns == ("b__y", "a__x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{price__cny_per_kg", "braces do not match"),
        ("price} a", "braces do not match"),
        ("{}", "expected a feature column"),
        ("{0}", "expected a feature column"),
        ("{cny_per_kg}", "expected a feature column"),
        ("{price__x.__class__}", "expected a feature column"),
        ("{price__x[0]}", "expected a feature column"),
        ("{price__x:,.1q}", "no format for a number"),
        ("  ", "at least 1 character"),
    ],
)
def test_texts_that_cannot_be_filled_in(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ReasonTemplate(text=text)


@pytest.mark.parametrize("when", ["price__x <", "1 = 1", "x > 3", "SELECT price__x", ""])
def test_conditions_that_cannot_be_decided(when: str) -> None:
    with pytest.raises(ValidationError, match="condition"):
        ReasonTemplate(text="words", when=when)


@pytest.mark.parametrize("fallback", ["no block", "{blok}", "{block} {price__x}"])
def test_the_fallback_names_the_block_and_nothing_else(fallback: str) -> None:
    with pytest.raises(ValidationError, match=r"one placeholder, \{block\}"):
        ReasonsConfig(fallback=fallback)
