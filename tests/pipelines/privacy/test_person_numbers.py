"""Numbers of documents and telephones are found however they are written, and goods keep their figures."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.privacy import identity_screen
from pipelines.privacy.identity_screen import mask_words
from pipelines.privacy.log_masking import MASK
from pipelines.privacy.own_values import OwnValues
from pipelines.privacy.person_numbers import holds_birthday, person_spans
from pipelines.privacy.text_candidates import may_hold_birthdays

NOBODY = OwnValues(pl.DataFrame())
PERSONS = (
    *(
        "13800138000",
        "１３８００１３８０００",
        "138 0013 8000",
        "138-0013-8000",
        "138—0013—8000",
        "138.0013.8000",
    ),
    *(
        "1 3 8 0 0 1 3 8 0 0 0",
        "138\u200b0013\u200b8000",
        "8613800138000",
        "0086-13800138000",
        "138·0013·8000",
    ),
    *(
        "0755-88888888",
        "(021) 6123 4567",
        "+852 9123 4567",
        "电话 91234567",
        "tel: 6123 4567",
        "+82 10-1234-5678",
    ),
    *(
        "11010519491231002X",
        "11010519491231002x",
        "110105 19491231 002X",
        "１１０１０５１９４９１２３１００２Ｘ",
    ),
    *("1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X", "110105491231002", "110105-491231-002", "810000199408230021"),
    *("A123456(3)", "A123456（3）", "A123456789", "护照 AB1234567", "passport no: L01234567", "E12345678"),
    *("H1234567890", "M12345678", "台胞证号：01234567", "CAN310066123105", "2011010519491231002X01"),
)
GOODS = (
    *("iPhone 15 128GB", "6901234567892", "2026-11-20 10:00:00", "310120261120000001", "13,800,138,000"),
    *("S 155 160 165 170", "1500*1600*180", "SM-G9980", "13800mAh 5V", "A123456788", "0.13800138000"),
    *(
        "UPC 036000291452",
        "LEGO 75192 1500-2000",
        "SPF50+ 50ml 3.5oz",
        "0281002937",
        "order20160321116420545",
    ),
    *(
        "12-14-16 18-20-22 24",
        "手机壳 12345678",
        "passport cover 12x9",
        "L20160384156465231",
        "100 110 120 130",
    ),
)


@pytest.mark.parametrize("number", PERSONS)
def test_a_persons_number_is_masked_and_the_rest_of_the_name_stays(number: str) -> None:
    texts = pl.Series("item_name", [f"红茶杯 {number} 2 个装", "红茶杯", None])
    masked, count = mask_words(texts, NOBODY)
    assert count == 1
    assert masked[0].startswith("红茶杯 ")
    assert masked[0].endswith(" 2 个装")
    assert MASK in masked[0]
    assert not any(part in masked[0] for part in number.split() if len(part) > 4 and part.isdigit())
    assert masked.to_list()[1:] == ["红茶杯", None]


@pytest.mark.parametrize("text", GOODS)
def test_figures_of_goods_stay(text: str) -> None:
    assert person_spans(text) == []
    assert mask_words(pl.Series([text]), NOBODY)[0].to_list() == [text]


@pytest.mark.parametrize(
    ("number", "old_form", "personal"),
    [
        ("11010519491231002X", False, True),
        ("DD-110105199003072233", False, True),
        ("１１０１０５１９４９１２３１００２Ｘ", False, True),
        ("11010519491231002X01", False, True),
        ("110105491231002", True, True),
        ("110105491231002", False, False),
        # The day of the sale where a resident's number has that of the birth.
        ("110105202611202234", False, False),
        ("310120261120000001", False, False),
        ("150032133004001110", False, False),
        # A firm's code: 91, the county, and figures that a day of birth could be among.
        ("913101200511234567", False, False),
        ("order20160321116420545", False, False),
    ],
)
def test_an_official_number_is_a_persons_by_its_day_of_birth_only(
    number: str, old_form: bool, personal: bool
) -> None:
    assert holds_birthday(number, old_form=old_form) is personal
    if personal:
        assert may_hold_birthdays(pl.Series([number]), old_form=old_form).all()


@pytest.mark.parametrize(
    ("own", "text", "masked"),
    [
        ("王小明", "送王小明的茶", "送[masked]的茶"),
        ("王小明", "送 王 小 明 的茶", "送 [masked] 的茶"),
        ("Wang Xiaoming", "for WANG  XIAOMING, tea", "for [masked], tea"),
        ("Li", "linen of Li", "linen of Li"),
        ("Tom", "tomato for tom", "tomato for [masked]"),
        ("+86 138-0013-8000", "tea 13800138000x", "tea [masked]x"),
        ("6123 4567", "tea ６１２３４５６７", "tea [masked]"),
        ("浙江省_杭州市_西湖区_文三路90号", "茶 浙江省杭州市西湖区文三路９０号 收", "茶 [masked] 收"),
        ("浙江省杭州市西湖区文三路90号", "茶 文三路90号 收", "茶 [masked] 收"),
        ("12 High Street, Leeds", "tea to 12 high street leeds", "tea to [masked]"),
    ],
)
def test_what_a_message_says_of_its_persons_is_masked_where_it_is_repeated(
    own: str, text: str, masked: str
) -> None:
    persons = OwnValues(pl.DataFrame({"own": [own]}))
    assert mask_words(pl.Series([text]), persons)[0].to_list() == [masked]


def test_model_numbers_are_not_searched_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row may have one, and so ingest took half as long again."""
    searched = list[str]()
    monkeypatch.setattr(identity_screen, "person_spans", lambda text: searched.append(text) or [])
    models = ["型号17603-7829|650g", "SM-17603-7829|650g", "款号 61565-9033|487g"]
    mask_words(pl.Series([*models, *["茶 138 0013 8000"] * 2, "护照号码: 123456"]), OwnValues(pl.DataFrame()))
    assert searched == ["茶 138 0013 8000", "护照号码: 123456"]
