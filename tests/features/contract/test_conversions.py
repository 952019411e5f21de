"""Whatever a source has, a column comes out in the type of the contract; wrong is told from missing."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.contract import conversions
from features.contract.conversions import (
    NOT_TEXT,
    NOT_WHOLE,
    TOO_LONG,
    to_number,
    to_text,
    to_whole,
    yes_no_code,
)


@pytest.mark.parametrize(
    ("value", "text", "number", "whole"),
    [
        ("7", "7", 7.0, 7),
        (7, "7", 7.0, 7),
        (7.0, "7", 7.0, 7),
        (7.5, "7.5", 7.5, NOT_WHOLE),
        ("7,5", "7,5", nan, NOT_WHOLE),
        (float("inf"), None, float("inf"), 0),
        (True, "true", nan, NOT_WHOLE),
        ([1], NOT_TEXT, nan, NOT_WHOLE),
        (b"7", NOT_TEXT, nan, NOT_WHOLE),
        ("x" * 30, TOO_LONG, nan, NOT_WHOLE),
        ("1e20", "1e20", 1e20, 0),
        ("  ", None, None, None),
        (None, None, None, None),
    ],
)
def test_text_and_numbers_of_every_kind(
    value: object, text: str | None, number: float | None, whole: int | None
) -> None:
    series = pl.Series([value])
    assert to_text(series, 20).to_list() == [text]
    assert to_whole(series).to_list() == [whole]
    found = to_number(series).to_list()[0]
    assert found == number or (found is not None and number is not None and isnan(found) and isnan(number))


def test_categories_are_text() -> None:
    assert to_text(pl.Series(["a", None], dtype=pl.Categorical), 5).to_list() == ["a", None]


def test_control_characters_go_and_line_breaks_become_blanks() -> None:
    assert to_text(pl.Series(["a\x00b\tc\r\nd", "clean"]), 50).to_list() == ["ab c d", "clean"]


def test_yes_and_no() -> None:
    assert yes_no_code(pl.Series([1, 0, 2, None])).to_list() == [1, 0, -1, None]
    assert yes_no_code(pl.Series([1.0, 0.0, 0.5])).to_list() == [1, 0, -1]
    assert yes_no_code(pl.Series([True, None])).to_list() == [1, None]
    assert yes_no_code(pl.Series(["Yes", " false ", ""])).to_list() == [1, 0, None]


UNICODE_BLANKS = [chr(code) for code in range(0x3001) if chr(code).isspace()]


@given(
    st.lists(
        st.none() | st.text() | st.text(st.sampled_from([*UNICODE_BLANKS, *"a茶。\x00\x7f\x1f"]), max_size=6)
    ),
    st.integers(1, 6),
)
def test_a_text_that_is_left_alone_needs_no_cleaning(texts: list[str | None], max_chars: int) -> None:
    values = pl.Series("text", texts, dtype=pl.String)
    found = to_text(values, max_chars)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversions, "may_be_unclean", lambda text, _: np.ones(len(text), dtype=np.bool_))
        assert found.equals(to_text(values, max_chars), check_names=True)
    assert values.to_list() == texts, "the input stays as it is"


def test_every_blank_of_unicode_is_stripped() -> None:
    around = [text for blank in UNICODE_BLANKS for text in (blank + "a", "a" + blank, blank + "茶" + blank)]
    assert set(to_text(pl.Series(around), 9)) == {"a", "茶"}
