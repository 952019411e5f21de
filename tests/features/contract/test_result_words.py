from __future__ import annotations

import pytest

from configs.language import language
from configs.language_codes import LANGUAGES
from features.contract.result_words import RESULT_LABELS, RESULT_VALUES, RESULT_WORDS, result_of


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_a_list_offers_is_understood_in_every_language(code: str) -> None:
    spoken = language(code)
    assert [result_of(spoken(RESULT_WORDS[value])) for value in RESULT_VALUES] == list(RESULT_VALUES)
    assert [result_of(value) for value in RESULT_VALUES] == list(RESULT_VALUES)


def test_words_that_mean_no_result_are_an_error_that_says_what_was_expected() -> None:
    with pytest.raises(ValueError, match="expected one of 'found', 'nothing found'"):
        result_of("perhaps")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("found", "查发异常 不合格 √ ✓ Found"),
        ("nothing", "无异常 未见异常 正常 合格 × ✗ ok"),
        ("not_examined", "没查 该项未查 未查验 未查"),
        ("sent", "送检 取样送检 已送检 SENT"),
    ],
)
def test_words_that_inspectors_write(value: str, words: str) -> None:
    assert {result_of(word) for word in words.split()} == {value}


def test_only_an_examined_risk_has_a_label() -> None:
    assert [RESULT_LABELS[value] for value in RESULT_VALUES] == [True, False, None, None]
