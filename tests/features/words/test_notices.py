"""Notices have names in Chinese, those of all tables whose rules stand on lists."""

from __future__ import annotations

import re

import pytest

from configs.language import ENGLISH, language
from configs.reference.facts import load_table
from features.words.notices import notice_in_words

CHINESE = language("zh-CN")


@pytest.mark.parametrize(
    ("basis", "said"),
    [
        ("GACC notice 2010-43", "海关总署公告2010年第43号"),
        ("MOF, GACC and STA notice 2023-4", "财政部、海关总署、税务总局公告2023年第4号"),
        # It goes by the number of a letter, which the catalogue knows.
        ("MOF, GACC and STA notice 2018-49", "财政部、海关总署、税务总局通知（财关税〔2018〕49号）"),
        ("MOF and others notice 2019-96", "财政部等部门公告2019年第96号"),
        ("MOA and AQSIQ notice 1712 of 2012", "农业部、国家质检总局公告第1712号（2012年）"),
        (
            "AQSIQ and MOA notices 2009-15, 2009-122 and 2015-150",
            "国家质检总局、农业部公告2009年第15号、2009年第122号、2015年第150号",
        ),
        ("AQSIQ letter 2018-107", "国家质检总局函〔2018〕107号"),
        ("AQSIQ warning 2016-17", "国家质检总局警示通报2016年第17号"),
        ("plant and animal quarantine letter 1996-30", "国家动植物检疫局函〔1996〕30号"),
        ("GACC notice, its number is not known", "海关总署公告（文号不详）"),
        ("table mode_places", "参考表 mode_places"),
    ],
)
def test_a_notice_is_named_as_customs_does(basis: str, said: str) -> None:
    assert notice_in_words(basis, CHINESE) == said
    assert notice_in_words(basis, ENGLISH) == basis


@pytest.mark.parametrize(
    "basis",
    [
        "our own rule 7",
        "GACC notice of last week",
        "Harbour Board notice 2018-49",
        "GACC and Harbour Board notice 2018-49",
        "GACC notice 2018-49 or so",
        "",
    ],
)
def test_what_is_written_in_another_way_stays_as_it_is(basis: str) -> None:
    assert notice_in_words(basis, CHINESE) == basis


@pytest.mark.parametrize("table", ["limits", "modes", "return_periods", "banned_origins", "prohibited_items"])
def test_every_notice_of_the_packaged_tables_has_a_name(table: str) -> None:
    notices = load_table(table)["notice"].drop_nulls().unique().sort()
    assert len(notices) > 1
    assert not [each for each in notices if re.search("[A-Za-z]", notice_in_words(each, CHINESE))]
