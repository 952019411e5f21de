from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.words.chance import chance_between, chance_in_words


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "less than 1 in 10,000"),
        (0.0001, "about 1 in 10,000"),
        (0.000123, "about 1 in 8,100"),
        (0.0079, "about 1 in 130"),
        (0.01, "about 1 in 100"),
        (0.05, "about 1 in 20"),
        (1 / 6, "about 1 in 6"),
        (0.25, "about 1 in 4"),
        (0.3, "about 1 in 3"),
        (0.4, "about 2 in 5"),
        (0.5, "about 1 in 2"),
        (0.77, "about 3 in 4"),
        (0.96, "about 19 in 20"),
        (1.0, "almost certain"),
    ],
)
def test_people_say(probability: float, words: str) -> None:
    assert chance_in_words(probability) == words


@given(st.floats(0.0001, 0.99))
def test_the_words_are_near_the_number(probability: float) -> None:
    found = re.fullmatch(r"about (\d+) in ([\d,]+)", chance_in_words(probability))
    assert found is not None
    said = int(found[1]) / int(found[2].replace(",", ""))
    assert said == pytest.approx(probability, rel=0.22)


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match=r"a probability lies in \[0, 1\]"):
        chance_in_words(probability)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.05, 0.2, "about 1 in 20 to 1 in 5"),
        (0.3, 0.77, "about 1 in 3 to 3 in 4"),
        (0.9, 0.999, "about 9 in 10 or more"),
        (0.00001, 0.01, "at most about 1 in 100"),
        (0.049, 0.051, "about 1 in 20"),
        (0.0, 0.00002, "less than 1 in 10,000"),
    ],
)
def test_both_ends_are_said_where_only_they_are_known(low: float, high: float, words: str) -> None:
    assert chance_between(low, high) == words
