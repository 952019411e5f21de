from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.text.visible import visible_text

ANYTHING = st.text(st.characters(), max_size=400)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("儿童益智玩具 3岁+", "儿童益智玩具 3岁+"),
        ("Ünïcödé, العربية, हिन्दी", "Ünïcödé, العربية, हिन्दी"),
        ("全角　空格", "全角　空格"),
        ("玩具👶🏽", "玩具👶🏽"),
        ("a\x00b", "a⟦U+0000⟧b"),
        ("a\tb\r\nc", "a⟦U+0009⟧b⟦U+000D⟧⟦U+000A⟧c"),
        ("toy\u202egnp.exe", "toy⟦U+202E⟧gnp.exe"),
        ("iv\u200bory", "iv⟦U+200B⟧ory"),
        ("\ufeffx", "⟦U+FEFF⟧x"),
        ("x\ud800y", "x⟦U+D800⟧y"),
        ("x\U000e0041", "x⟦U+E0041⟧"),
        ("a\u2003b", "a⟦U+2003⟧b"),
        ("a\u2028b", "a⟦U+2028⟧b"),
        ("a\u3164b", "a⟦U+3164⟧b"),
        ("e\u0301", "e\u0301"),
        ("e" + "\u0301" * 5, "e" + "\u0301" * 3 + "⟦U+0301⟧" * 2),
    ],
)
def test_what_hides_is_spelled_out_and_real_scripts_are_left_alone(text: str, shown: str) -> None:
    assert visible_text(text) == shown


@given(ANYTHING, st.integers(1, 300))
def test_nothing_hidden_is_left_and_nothing_is_endless(text: str, limit: int) -> None:
    shown = visible_text(text, limit)
    assert {unicodedata.category(c) for c in shown}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    assert len(shown) <= 10 * limit + 40
    shown.encode("utf-8")


@given(ANYTHING)
def test_showing_twice_changes_nothing_more(text: str) -> None:
    assert visible_text(visible_text(text, 10_000), 100_000) == visible_text(text, 10_000)


def test_a_shortened_text_says_how_much_is_missing() -> None:
    assert visible_text("x" * 10_000, 200) == "x" * 200 + " … [9,800 more characters]"
    assert visible_text("x" * 200, 200) == "x" * 200


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="limit must be at least 1, got 0"):
        visible_text("x", 0)
