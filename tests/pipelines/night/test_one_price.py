"""A row of a list has one truth about the price of its line."""

from __future__ import annotations

import polars as pl
import pytest

from configs.language import ENGLISH, language
from features.words.reasons import NOTHING_STANDS_OUT, PRICE_PLACE, PRICE_SOURCE
from features.words.reference_price import price_source, reference_prices
from pipelines.lists.fields import REASON_COLUMNS
from pipelines.night.one_price import BASIS, PRICE, agreeing, one_price, untold, with_price

GOODS, CODE = "price__peer_median_goods_unit_cny", "price__peer_median_cny_per_kg"
LISTED = pl.DataFrame({"declaration_id": ["A"], "line_no": [1], "risk": ["price"]})


@pytest.mark.parametrize(
    ("columns", "source"),
    [
        # A median of the heading beside that of the goods: the goods are nearer.
        (["price__peer_median_unit_cny", GOODS], GOODS),
        (["price__unit_price_cny", "model__low_unit_price_cny"], "model__expected_unit_price_cny"),
        (["hit_rate__hs6_findings"], None),
    ],
)
def test_a_sentence_speaks_of_one_usual_price(columns: list[str], source: str | None) -> None:
    assert price_source(columns) == source


def test_the_reference_says_what_it_rests_on_in_the_language_of_the_list() -> None:
    frame = pl.DataFrame(
        {
            "price__total_cny": [24.0] * 5, "price__unit_price_cny": [12.0, 12.0, None, 12.0, 12.0],
            GOODS: [148.0] * 5, "price__peers_goods_unit": [1430] * 5,
            "price__peer_level_goods_unit": [2, 2, 2, 2, 3],
            "goods__unit": ["007", "007", "007", None, "007"],
            "price__cny_per_kg": [6.0] * 5, CODE: [9.0] * 5, "price__peers_kg": [20] * 5,
            "price__peer_level_kg": [3] * 5, "goods__hs4": ["9503"] * 5,
        }
    )  # fmt: skip
    sources = pl.Series([None, CODE, None, None, None], dtype=pl.String)
    assert reference_prices(frame, sources).rows() == [
        (296.0, "1,430 lines of the same name"),
        (36.0, "20 lines of heading 9503"),
        (None, None),
        # A median of goods without a unit may be of whatever they count.
        (None, None),
        # A level that only the user's configuration has: there are no words for what it rests on.
        (None, None),
    ]
    chinese = reference_prices(frame, sources, language("zh-CN"))
    assert chinese["basis"].to_list()[:2] == ["1,430 项同名商品", "20 项品目 9503 的商品"]


def test_what_the_listed_risk_speaks_of_is_the_price_of_its_row() -> None:
    told = pl.DataFrame(
        {
            "declaration_id": "A", "line_no": [1, 1, 2], "risk": ["food", "price", "food"],
            "reason_1": ["goods cost 9", "code costs 5", "goods cost 7"],
            "reason_2": ["new seller", None, None],
            "reason_3": None, PRICE_SOURCE: [GOODS, CODE, GOODS], PRICE_PLACE: [1, 1, 1],
            PRICE: [9.0, 5.0, 7.0], BASIS: ["goods", "code", "goods"],
        }
    )  # fmt: skip
    prices = one_price(told, LISTED)
    assert prices.select("line_no", PRICE, BASIS).rows() == [(1, 5.0, "code"), (2, 7.0, "goods")]
    rest = agreeing(told, prices, {"en": REASON_COLUMNS}, {"en": ENGLISH})
    assert rest["reason_1"].to_list() == ["new seller", "code costs 5", "goods cost 7"]
    alone = told.with_columns(pl.lit(None, pl.String).alias("reason_2"))
    silent = agreeing(alone, prices, {"en": REASON_COLUMNS}, {"en": ENGLISH})
    assert silent["reason_1"].to_list() == [NOTHING_STANDS_OUT, "code costs 5", "goods cost 7"]
    other = one_price(told.with_columns(pl.lit(None, pl.String).alias(PRICE_SOURCE)), LISTED)
    assert other[PRICE].to_list() == [5.0, 7.0]


def test_where_nothing_is_told_the_estimate_stays_and_says_so() -> None:
    spoken = {"en": ENGLISH}
    nothing = untold(LISTED, {"en": REASON_COLUMNS}, spoken)
    shown = LISTED.drop("risk").with_columns(pl.Series(PRICE, [12.5]))
    priced = with_price(shown, one_price(nothing, LISTED), spoken)
    assert priced.select(PRICE, BASIS).rows() == [(12.5, "what such goods cost, as estimated")]
