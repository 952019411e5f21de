"""What checks found is told in every language, with its figures, its notice and since when it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from configs.language import ENGLISH, language, placeholders
from configs.reference.facts import load_table
from configs.reference.table_names import table_names
from configs.schema.checks import LAW_CHECKS
from features.words.finding_figures import FORMS, figures_in_words
from features.words.finding_teller import FINDINGS, FindingTeller

CHINESE, NAMES = language("zh-CN"), table_names("zh-CN")
IN_ENGLISH, IN_CHINESE = FindingTeller(ENGLISH), FindingTeller(CHINESE, NAMES)
ORDER = {
    "check": "order_limit", "outcome": "failed", "line_no": None,
    "found": "CNY 5400.00 with freight and insurance", "expected": "at most CNY 5000.00 an order",
    "basis": "MOF, GACC and STA notice 2018-49", "valid_from": date(2019, 1, 1),
}  # fmt: skip
BANNED = {
    "check": "banned_goods", "outcome": "failed", "line_no": 2,
    "found": "0203120000 from DE", "expected": "no pigs and their products from DE: African swine fever",
    "basis": "GACC notice 2020-93", "valid_from": date(2020, 9, 10),
}  # fmt: skip
SMUGGLED = "x\u202ey"


def test_a_verdict_names_notice_day_and_figures() -> None:
    assert IN_ENGLISH.verdicts([ORDER]) == [
        "law: worth more than a parcel of retail imports may be on that day "
        "(MOF, GACC and STA notice 2018-49, in force from 2019-01-01): "
        "CNY 5400.00 with freight and insurance; expected: at most CNY 5000.00 an order"
    ]
    assert IN_CHINESE.verdicts([BANNED]) == [
        "法规：该税号、该原产国（地区）的商品当日禁止进口或禁止邮寄进境"
        "（海关总署公告2020年第93号，自 2020-09-10 起施行）："
        "第 2 项，税号 0203120000，原产于德国；应为：不得为德国的猪及其产品（非洲猪瘟）"
    ]


def test_what_failed_is_told_before_notes_and_each_check_once() -> None:
    note = ORDER | {"outcome": "note"}
    lines = [BANNED | {"line_no": line} for line in (9, 3, *range(10, 16))]
    goods = {"check": "goods", "outcome": "failed", "line_no": 1, "found": "quantity 2"}
    told = IN_ENGLISH.verdicts([note, goods, *lines])
    assert [each.split(" (")[0] for each in told] == [
        f"law: {FINDINGS['banned_goods']}",
        "law: worth more than a parcel of retail imports may be: a single article, at full tax",
    ]
    assert "line 3, 0203120000 from DE" in told[0]
    assert told[0].endswith("(also line 9, 10, 11, 12, 13 and 2 more)")
    assert IN_ENGLISH.verdicts([goods]) == []


def test_a_rule_without_a_day_names_its_notice_and_a_document_none() -> None:
    assert IN_ENGLISH.source(ORDER | {"valid_from": None}) == "MOF, GACC and STA notice 2018-49"
    document = {"check": "weight", "basis": "waybill 1 of C", "valid_from": None}
    assert IN_ENGLISH.source(document) == ""
    # Cases of earlier lists lack the day.
    kept = {name: value for name, value in ORDER.items() if name != "valid_from"}
    assert IN_ENGLISH.verdicts([kept])[0].count("2018-49)") == 1


def test_declared_text_within_figures_is_made_harmless() -> None:
    found: Mapping[str, Any] = BANNED | {"found": SMUGGLED, "basis": SMUGGLED}
    for teller in (IN_ENGLISH, IN_CHINESE):
        (told,) = teller.verdicts([found])
        assert "\u202e" not in told
        assert told.count("⟦U+202E⟧") == 2


@pytest.mark.parametrize("check", FINDINGS)
def test_every_form_of_a_check_has_chinese_words(check: str) -> None:
    for form in FORMS[check]:
        said = CHINESE.words(form)
        assert re.search("[\u3400-\u9fff]", said), form
        assert placeholders(said) == placeholders(form)


def test_goods_causes_units_and_items_of_the_packaged_tables_have_chinese_names() -> None:
    bans = load_table("banned_origins")
    for goods, origin, cause in bans.select("goods", "origin", "cause").unique().iter_rows():
        text = f"no {goods} from {origin}: {cause}"
        assert not re.search("[A-Za-z]", figures_in_words("banned_goods", text, CHINESE, NAMES)), text
    for item in load_table("prohibited_items")["name_en"].unique():
        assert not re.search("[A-Za-z]", figures_in_words("prohibited_article", f"no {item}", CHINESE, NAMES))
    for unit in load_table("units")["name_en"]:
        text = f"at most 3 {unit} a person and year"
        assert NAMES.units[unit] in figures_in_words("quantity_limit", text, CHINESE, NAMES)


def test_what_fits_no_form_stays_and_english_is_not_touched() -> None:
    assert figures_in_words("order_limit", "our words; at most CNY 1.00 an order", CHINESE) == (
        "our words；每次交易不超过 ¥1.00"
    )
    assert figures_in_words("a_check", "at most 3", CHINESE) == "at most 3"
    assert figures_in_words("order_limit", ORDER["found"], ENGLISH) == ORDER["found"]  # type: ignore[arg-type]
    assert set(LAW_CHECKS) < set(FORMS) == set(FINDINGS)
