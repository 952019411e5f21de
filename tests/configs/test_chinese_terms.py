"""Chinese as customs writes it: which terms the catalogue has, and which it must not have."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from configs.loader import load_settings
from tests.places import ROOT

_CHINESE = r"[\u3400-\u9fff]"
# Old term (a pattern), and what stands in its place.
TERMS = (
    (r"(?<!布控)查验清单", "布控查验清单（关区代码"),
    (r"清单 ?(?:id|ID)", "本表编号"),
    (r"选取方式", "布控方式"),
    (r"按风险", "风险布控"),
    (r"随机抽取", "随机布控"),
    (r"探索(?!性布控)", "探索性布控"),
    (r"按规则", "规则布控"),
    (r"经移交", "线索布控"),
    (r"发现问题", "查发异常"),
    (r"未发现问题", "未见异常"),
    (r"件中有", "约每 {among} {counted} {count} {counted}"),
    (r"可能性", "查发概率"),
    (r"查获", "查发率"),
    (r"通常(?:总|单)?价", "参考总价"),
    (r"核定", "审定单价"),
    (r"追缴", "追补税款"),
    (r"改查(?:的)?包裹", "实际查验包裹"),
    (r"(?<!项)同名商品项", "项同名商品"),
    (r"全部查验商品项", "平均查发率"),
    (r"买家|卖家", "订购人"),
    (r"(?<!电商)平台(?!售价)", "电商平台"),
    (r"代理企业", "申报企业"),
    (r"(?<!单)项号", "商品序号"),
    (r"运单号(?!码)", "物流运单编号"),
    (r"原产国(?!（地区）)", "原产国（地区）"),
    (r"启运国(?!（地区）)", "启运国（地区）"),
    (r"\b(?:mail|express)\b", "邮递物品"),
    (r"同行", "关联包裹"),
    (r"查看要点", "查验要点"),
    (r"套盒", "盒中盒、夹层"),
    (r"有无活动", "有无活体"),
    (r"X ?光", "机检图像"),
    (r"实验室", "取样送检"),
    (r"较便宜", "税号疑似申报不实（低价品目）"),
    (r"含糊", "品名笼统"),
    (r"每个都低于", "均低于单次交易限值"),
    (r"年度限额", "年度交易限值"),
)
FURTHER = (
    *(
        "该项未查",
        "快件",
        "电商企业",
        "收件人",
        "寄件人",
        "收货人",
        "发货人",
        "疑似拆单",
        "查发异常",
        "清单编号",
    ),
    "约 {count}/{among} 至 {count_above}/{among_above}",
)


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """The Chinese messages by their English ones, and the titles of the risks."""
    with (ROOT / "configs" / "locale" / "zh-CN.po").open(encoding="utf-8") as file:
        messages = {f"{each.context or ''}{each.id}": str(each.string) for each in read_po(file) if each.id}
    return messages | {name: risk.title.zh or "" for name, risk in load_settings().risks.items()}


@pytest.mark.parametrize(("old", "new"), TERMS)
def test_a_term_of_customs_stands_for_the_old_one(said: dict[str, str], old: str, new: str) -> None:
    assert not [text for text in said.values() if re.search(old, _bare(text))]
    assert any(new in text for text in said.values())


def test_further_terms_are_there(said: dict[str, str]) -> None:
    whole = "\n".join(said.values())
    assert not [term for term in FURTHER if term not in whole]


def test_the_number_of_an_inventory_is_never_the_id_of_a_list(said: dict[str, str]) -> None:
    of_lists = [text for meant, text in said.items() if re.search(r"\{(?:list_id|number)\}", meant)]
    assert of_lists
    assert not [text for text in of_lists if "清单编号" in text]
    assert (said["List {number}"], said["list"]) == ("本表编号 {number}", "本表编号")


def test_punctuation_beside_chinese_is_of_full_width(said: dict[str, str]) -> None:
    half = re.compile(rf"{_CHINESE}[,;:?!()]|[,;:?!()]{_CHINESE}")
    assert not [text for text in said.values() if half.search(_bare(text))]


def _bare(text: str) -> str:
    """Without placeholders, whose format may have a colon."""
    return re.sub(r"\{[^}]*\}", "{}", text)
