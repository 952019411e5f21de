from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from configs.errors import ConfigurationError
from configs.language import language, placeholders
from configs.language_codes import LANGUAGES
from configs.parcel_ways import MORE_PLACEHOLDERS, PARCEL_WAYS
from tests.configs.catalogue import ROOT, messages, names


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_message_is_translated_with_the_same_placeholders_and_no_other(code: str) -> None:
    with (ROOT / "configs" / "locale" / f"{code}.po").open(encoding="utf-8") as file:
        entries = [each for each in read_po(file) if each.id]
    catalogue = {str(each.id): each for each in entries if each.context is None}
    assert set(catalogue) == messages()
    contexts = {kind: {str(each.id) for each in entries if each.context == kind} for kind in names()}
    assert contexts == names()
    assert {each.context for each in entries} == {None, *contexts}
    for said in entries:
        assert said.string, said.id
        assert not said.fuzzy, said.id
        # A language may say more of the parcel's way than English does, and never less.
        translated, meant = (set(placeholders(str(each)) or ()) for each in (said.string, said.id))
        assert meant <= translated, said.id
        assert {name for name, _ in translated - meant} <= MORE_PLACEHOLDERS, said.id


def test_messages_of_code_page_and_configuration_are_all_gathered() -> None:
    assert {
        "not scored", "List", "Export results", "about {count} in {among}", "{shown} of {all} shown",
        "a sample for the laboratory", "{seller} never seen before", "Choose one of: {choices}.",
    } <= messages()  # fmt: skip


def test_numbers_that_are_none_do_not_stop_a_document() -> None:
    for code in LANGUAGES:
        words = language(code)
        assert (words.number(math.inf), words.money(math.nan, "CNY")) == ("inf", "CNY nan")
        assert words.money(2.0, "<b>") == "<b> 2.00"


def test_parties_and_what_is_counted_go_by_the_way_of_the_parcel() -> None:
    said = [
        [language(code).of(way).words(text) for way in PARCEL_WAYS]
        for code in LANGUAGES
        for text in ("{seller} never seen before", "Whole parcel")
    ]
    assert said == [
        [f"{seller} never seen before" for seller in ("seller", "sender", "consignor", "seller or sender")],
        ["Whole parcel"] * 4,
        [f"{seller}此前无申报记录" for seller in ("电商企业", "寄件人", "发货人", "电商企业/寄件人")],
        ["整票", "整件", "整票", "整票"],
    ]


def test_a_catalogue_of_the_user_comes_first_and_may_be_short(tmp_path: Path) -> None:
    _write(tmp_path, 'msgid "Rank"\nmsgstr "顺序"\n')
    words = language("zh-CN", tmp_path)
    assert (words("Rank"), words("Why"), words("no such message")) == ("顺序", "布控理由", "no such message")
    assert words.day(date(2026, 11, 20)) == "2026年11月20日"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('msgid "{shown} of {all} shown"\nmsgstr "显示 {shown}"\n', "line 5: expected the placeholders of"),
        ('msgid "{shown} of {all} shown"\nmsgstr "{shown} {all"\n', "line 5: expected the placeholders of"),
        ('msgid "Rank"\nmsgstr "{order_limit}"\n', "line 5: expected the placeholders of"),
        ("this is no catalogue\n", "expected a gettext catalogue"),
        ("\x00\xff", "expected a gettext catalogue"),
    ],
)
def test_a_catalogue_that_would_break_a_document_is_refused(tmp_path: Path, content: str, told: str) -> None:
    _write(tmp_path, content)
    with pytest.raises(ConfigurationError, match=told):
        language("zh-CN", tmp_path)


def _write(overlay: Path, content: str) -> None:
    (overlay / "locale").mkdir()
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n\n'
    encoding = "latin-1" if "\xff" in content else "utf-8"
    (overlay / "locale" / "zh-CN.po").write_bytes((header + content).encode(encoding))
