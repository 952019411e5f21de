"""Names that were written so that a search does not find them."""

from __future__ import annotations

import polars as pl
import pytest

from features.text.disguise import is_disguised, undisguised
from features.text.terms import compact, contains_any, latin_words

TERMS = pl.Series(["ant", "beetle larva", "蚂蚁"])


@pytest.mark.parametrize(
    "name",
    [
        "live \u0430nts",  # Cyrillic a
        "live αnt",  # Greek alpha
        "toy a.n.t",
        "toy, A N T S, gift",
        "a\u200bn\u200bt farm",
        "an\u00adt",
        "a\u0336n\u0336t",
        "ａｎｔ",
        "b\u0435etl\u0435 l\u0430rv\u0430",
        "玩具 蚂\u200b蚁",
        "蚂 . 蚁",
    ],
)
def test_a_disguised_name_holds_its_watch_term(name: str) -> None:
    text = undisguised(pl.Series([name]))
    assert contains_any(latin_words(text), compact(text), TERMS).to_list() == [True]


@pytest.mark.parametrize(
    "name",
    [
        *("elegant plant", "10 μm filter", "Ω 5k", "сорт A", "vitamin β-carotene", "роза", "蚂", "A B"),
        # Two letters are no word. Between emoji, and as a mark at the start, format characters hide nothing.
        *("t-s", "toy 👨\u200d👩\u200d👧", "\ufefftoy"),
    ],
)
def test_an_honest_name_stays_what_it_is(name: str) -> None:
    text = undisguised(pl.Series([name]))
    assert contains_any(latin_words(text), compact(text), TERMS).to_list() == [False]
    assert is_disguised(pl.Series([name])).to_list() == [False]


def test_what_was_undone_is_said() -> None:
    names = pl.Series(["live \u0430nts", "a\u200bnt", "x.y.z", "a\u0336nt", "café", "Ångström", "crème"])
    assert is_disguised(names).to_list() == [True, True, True, True, False, False, False]


def test_a_spelled_word_is_added_and_nothing_taken_away() -> None:
    assert undisguised(pl.Series(["T O Y car 3", None, ""])).to_list() == ["t o y car 3 toy", None, ""]
