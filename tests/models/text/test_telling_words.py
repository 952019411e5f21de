"""The word that a reason names is the one whose absence lowers the score most."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from models.text.grams import BUCKETS, clean_text, linear_score
from models.text.score import TextScore, fit_text_score
from models.text.stop_words import STOP_WORDS
from models.text.telling_words import telling_words, words_of


@pytest.fixture(scope="module")
def learned() -> TextScore:
    """Taught on 600 lines that honey and 保健 are found and nothing else is."""
    others = ["cotton shirt", "toy car", "phone case", "红色 袜子", "steel spoon", "paper lamp"]
    names = [f"{'honey' if row % 10 == 0 else 'clean'} {others[row % 6]}" for row in range(300)]
    names += [f"{'保健食品' if row % 10 == 0 else '普通食品'}{row % 7}号" for row in range(300)]
    frame = pl.DataFrame({"item_name": names, "item_model": [f"m{row % 50}" for row in range(600)]})
    found = np.array([float("honey" in name or "保健" in name) for name in names])
    fitted = fit_text_score(frame, found)
    assert fitted is not None
    return fitted[0]


def _frame(*names: str | None) -> pl.DataFrame:
    return pl.DataFrame({"item_name": list(names)}, schema={"item_name": pl.String}).with_columns(
        item_model=pl.lit(None, dtype=pl.String)
    )


def test_the_word_that_was_found_before_is_named_in_either_script(learned: TextScore) -> None:
    words, odds = learned.telling_words(_frame("Cotton HONEY shirt", "新款保健食品", "toy car", None))
    assert words[0] == "honey"
    assert "保健" in words[1]
    assert words[3] is None
    assert odds[0] > 3.0
    assert odds[1] > 2.0
    assert np.isnan(odds[3])


def test_the_odds_are_those_of_the_text_over_the_text_without_the_word(learned: TextScore) -> None:
    frame = _frame("cotton honey shirt", "cotton shirt")
    words, odds = learned.telling_words(frame)
    with_word, without = learned.score(frame)
    assert words[0] == "honey"
    assert odds[0] == pytest.approx(np.exp(with_word - without))


def test_no_other_word_would_have_lowered_the_score_more(learned: TextScore) -> None:
    text = clean_text(_frame("steel honey spoon 普通食品"))[0]
    word, odds = learned.telling_words(_frame("steel honey spoon 普通食品"))
    others = [text.replace(name, " ") for name in words_of(text) if name != word[0]]
    scores = linear_score(pl.Series([text, *others]), learned.weights, learned.intercept)
    assert (scores[0] - scores[1:]).max() <= np.log(odds[0])


def test_a_text_that_is_one_word_is_compared_with_no_text(learned: TextScore) -> None:
    frame = _frame("honey")
    words, odds = learned.telling_words(frame)
    assert words.to_list() == ["honey"]
    assert odds[0] == pytest.approx(np.exp(learned.score(frame)[0] - learned.intercept))


def test_words_inside_others_stay_and_numbers_are_none() -> None:
    assert words_of("steak tea 500")["tea"] == [(6, 9)]
    assert list(words_of("steak for tea 500 250g a1b")) == ["steak", "tea", "a1b"]
    assert list(words_of("2件装 露木 30粒")) == ["露木"]
    # No fragment: what is left of a run is nothing, or a word.
    assert list(words_of("保健食品 美妆用 护肤品")) == ["保健", "保健食品", "食品", "美妆用", "护肤品"]
    assert "款保" not in words_of("新款保健食品")
    assert next(iter(words_of("夹心巧克力"))) == "夹心巧克力"
    assert max(map(len, words_of("夹心巧克力夹心巧克力"))) == 4
    assert len(words_of(" ".join(f"word{letter}x" for letter in range(100)))) == 40


def test_where_no_word_speaks_for_a_finding_none_is_named() -> None:
    nothing = np.zeros(BUCKETS, dtype=np.float32)
    words, odds = telling_words(_frame("cotton shirt", "红色袜子"), nothing, -4.0)
    assert words.null_count() == 2
    assert np.isnan(odds).all()
    assert telling_words(_frame(), nothing, -4.0)[0].len() == 0


@given(st.lists(st.text(alphabet="ab honey蜂蜜保健食品7-", max_size=30), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_a_line_is_told_the_same_alone_and_among_others(learned: TextScore, names: list[str]) -> None:
    words, odds = learned.telling_words(_frame(*names))
    texts = clean_text(_frame(*names))
    for row, name in enumerate(names):
        word, odd = learned.telling_words(_frame(name))
        assert word[0] == words[row]
        assert odd.tobytes() == odds[row : row + 1].tobytes()
        assert words[row] is None or words[row] in texts[row]
        assert words[row] is None or odds[row] >= 1.2


def test_stop_words_are_those_of_scikit_learn() -> None:
    assert STOP_WORDS == ENGLISH_STOP_WORDS
