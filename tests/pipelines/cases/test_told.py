"""What checks find is told on a case's page in sentences, in every language."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from configs.language import language
from configs.language_codes import LANGUAGES
from features.verdicts import found_checks
from features.words.finding_teller import FINDINGS, NOTES
from pipelines.cases.case import CASE_TYPE
from pipelines.cases.told import CaseTeller, ToldFinding

# The data contract's checks.
CHECKS = (
    *("order_missing", "payment_missing", "waybill_missing", "amount", "goods", "buyer", "consignee"),
    *("weight", "payment_reused", "waybill_reused", "paid_late", "mode_not_open", "order_limit"),
    *("yearly_allowance", "articles_limit", "not_listed", "quantity_limit", "banned_goods"),
    *("prohibited_article", "return_unknown", "return_exceeds", "return_late"),
)


def _told(
    check: str, code: Any, outcome: str = "failed", line_no: int | None = None, **rule: Any
) -> ToldFinding:
    texts = {"found": "9", "expected": "at most 3: 3 bought, 0 returned before", "basis": "order 1 of P"}
    finding = {"check": check, "outcome": outcome, "line_no": line_no, "valid_from": None} | texts | rule
    case = dict.fromkeys(field.name for field in CASE_TYPE.fields) | {"findings": [finding]}
    told = CaseTeller(language(code), {}, str).case(case)
    assert told is not None
    return told.findings[0]


def test_every_check_of_contract_and_code_has_a_sentence() -> None:
    assert set(FINDINGS) == set(CHECKS)
    assert {check for family in found_checks().values() for check in family.checks} <= set(FINDINGS)


@pytest.mark.parametrize("check", CHECKS)
def test_a_finding_is_a_sentence_in_every_language(check: str) -> None:
    said = [_told(check, code).text for code in LANGUAGES]
    assert len(set(said)) == len(LANGUAGES)
    assert check.replace("_", " ") not in said
    assert not [text for text in said if len(text) < 6 or re.search("[_{}]", text)]


def test_what_is_allowed_is_not_told_as_an_offence() -> None:
    for check in NOTES:
        assert (
            len({_told(check, code, outcome).text for code in LANGUAGES for outcome in ("note", "failed")})
            == 4
        )
    assert _told("amount", "en", "note").text == _told("amount", "en").text


def test_figures_stand_beside_the_sentence_and_its_line_in_both() -> None:
    assert _told("return_exceeds", "en", line_no=2) == ToldFinding(
        "more of these goods is to go back than was bought and not returned before",
        "line 2",
        "9; expected: at most 3: 3 bought, 0 returned before",
        "",
    )
    assert _told("return_exceeds", "zh-CN", line_no=2) == ToldFinding(
        "申请退货数量超过原申报数量扣减此前退货后的数量",
        "第 2 项",
        "9；应为：至多 3：原申报 3，此前已退 0",
        "",
    )


def test_a_rule_stands_with_its_notice_and_since_when_in_both() -> None:
    rule = {"basis": "GACC notice 2010-43", "valid_from": date(2010, 9, 1)}
    assert [_told("articles_limit", code, **rule).source for code in LANGUAGES] == [
        "GACC notice 2010-43, in force from 2010-09-01",
        "海关总署公告2010年第43号，自 2010-09-01 起施行",
    ]


def test_one_day_is_told_as_one_and_a_rare_seller_as_rare() -> None:
    day = date(2026, 11, 14)
    seller = {"party": "seller", "lines": 1, "first_day": day, "last_day": day, "value_cny": 52.27}
    price = {
        "line_no": 1, "level": "barcode", "lines": 1, "first_day": day, "last_day": day, "low": 1.0,
        "median": 1.0, "high": 1.0, "unit_price_cny": None,
    }  # fmt: skip
    case = dict.fromkeys(field.name for field in CASE_TYPE.fields) | {
        "parties": [seller | {"lines_today": 3, "usual_lines": 0.04, "results": None}],
        "prices": [price],
    }
    told = CaseTeller(language("en"), {}, str).case(case)
    assert told is not None
    party = told.parties[0]
    assert (party.before, party.today) == (
        "Lines: 1, on Nov 14, 2026, worth CN¥52.27",
        "Lines: 3, lately hardly any",
    )
    assert told.prices[0].when == "Nov 14, 2026"


def test_a_check_of_a_users_own_has_its_name() -> None:
    assert _told("my_check", "zh-CN").text == "my check"
