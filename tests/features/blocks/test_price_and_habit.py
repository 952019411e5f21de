"""Prices against goods of the same name, price levels and habits of parties, and what a day adds up to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from configs.schema.settings import Settings
from features.arrays.hashing import drawn_lines
from features.assemble import FeatureSet
from features.history.state import History
from tests.features.small_world import SmallWorld, replay

FIRST = date(2026, 3, 1)


def _lines(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Lines of one piece each, in CNY, with what the rows say; days count from the first one."""
    complete = []
    for number, row in enumerate(rows):
        day = FIRST + timedelta(days=int(str(row.get("day", 0))))
        complete.append(
            {
                "declaration_id": f"d{number}", "line_no": 1, "direction": "import", "trade_mode": "9610",
                "declared_at": datetime(day.year, day.month, day.day, 3, tzinfo=UTC), "declared_on": day,
                "customs_office": "0100", "seller_id": "s", "buyer_id": "b", "address_id": "a",
                "origin_country": "DE", "dispatch_country": "DE", "hs_code": "9503003100",
                "item_name": "wooden train", "quantity": 1.0, "unit": "007", "currency": "CNY",
                **{name: value for name, value in row.items() if name not in ("day", "price")},
                "unit_price": float(str(row["price"])), "total_price": float(str(row["price"])),
            }
        )  # fmt: skip
    return pl.DataFrame(complete)


def _features(rows: list[dict[str, object]], settings: Settings) -> list[pl.DataFrame]:
    """The features of each day, in the order of the rows."""
    lines = _lines(rows)
    empty = pl.DataFrame(
        schema={"declaration_id": pl.String, "line_no": pl.Int64, "inspected_on": pl.Date,
                "reported_on": pl.Date, "undervaluation": pl.Boolean, "prohibited_item": pl.Boolean,
                "food_safety": pl.Boolean}
    )  # fmt: skip
    days = sorted(lines["declared_on"].unique())
    steps: list[tuple[date, FeatureSet, History]] = replay(SmallWorld(lines, empty, days), settings)
    return [features.for_risk(settings.risk("undervaluation")) for _, features, _ in steps]


def test_goods_are_compared_with_goods_of_the_same_name_under_any_heading(settings: Settings) -> None:
    dear = [{"price": 100.0, "seller_id": f"s{n}", "hs_code": "9503003100"} for n in range(30)]
    cheap = [{"price": 10.0, "item_name": "paper bag", "hs_code": "4819200000"} for _ in range(30)]
    asked: dict[str, object] = {"day": 1, "price": 10.0, "hs_code": "4819200000"}
    last = _features([*dear, *cheap, asked], settings)[-1].row(0, named=True)
    # Bins of the sketches are a tenth of a natural logarithm wide.
    assert last["price__ratio_unit"] == pytest.approx(1.0, rel=0.06)
    assert last["price__ratio_goods_unit"] == pytest.approx(0.1, rel=0.06)
    assert last["price__peers_goods_unit"] == 30.0
    assert last["price__goods_above_heading"] == pytest.approx(np.log(10.0), abs=0.06)


def test_the_price_level_of_a_party_is_the_mean_of_its_lines_today_and_of_earlier_days(
    settings: Settings,
) -> None:
    usual = [{"price": 100.0, "seller_id": "usual"} for _ in range(30)]
    low: list[dict[str, object]] = [{"day": 1, "price": 50.0, "seller_id": "low"} for _ in range(2)]
    later: dict[str, object] = {"day": 2, "price": 100.0, "seller_id": "low"}
    _, second, third = _features([*usual, *low, later], settings)
    half = np.log(0.5)
    assert second["same_day__seller_price_level"].to_list() == pytest.approx([half, half], abs=0.06)
    assert second["party__seller_price_level"].null_count() == 2
    assert third["party__seller_price_level"].item() == pytest.approx(half, abs=0.06)
    assert third["same_day__seller_price_level"].item() == pytest.approx(0.0, abs=0.06)


def test_parcels_within_the_limit_of_an_order_may_exceed_it_together(settings: Settings) -> None:
    split = [{"price": 3000.0, "buyer_id": f"b{n}"} for n in range(2)]
    within = [{"price": 2000.0, "address_id": "other", "seller_id": f"t{n}"} for n in range(2)]
    above = [{"price": 6000.0, "address_id": "third"}]
    frame = _features([*split, *within, *above], settings)[0]
    assert frame["same_day__address_seller_together_over_limit"].to_list() == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert frame["same_day__address_seller_parcels"].to_list() == [2.0, 2.0, 1.0, 1.0, 1.0]
    assert frame["same_day__address_seller_total_cny"].to_list() == [6000.0] * 2 + [2000.0] * 2 + [6000.0]
    assert frame["same_day__buyer_seller_together_over_limit"][0] == 0.0


def test_a_habit_is_the_share_of_the_partys_earlier_lines(settings: Settings) -> None:
    toys = [{"price": 10.0} for _ in range(3)]
    shoes: dict[str, object] = {"price": 10.0, "hs_code": "6403990090", "item_name": "boots"}
    asked: list[dict[str, object]] = [
        {"day": 1, "price": 10.0},
        {"day": 1, "price": 10.0, "hs_code": "6403990090", "seller_id": "new"},
    ]
    last = _features([*toys, shoes, *asked], settings)[-1]
    assert last["habit__seller_hs4_lines"].to_list() == [3.0, 0.0]
    assert last["habit__seller_hs4_share"].to_list() == [0.75, None]
    assert last["habit__address_hs4_share"].to_list() == [0.75, 0.25]


def test_an_age_ends_where_it_says_no_more(settings: Settings) -> None:
    asked: list[dict[str, object]] = [{"price": 10.0, "day": day} for day in (0, 59, 90)]
    first, second, third = _features(asked, settings)
    assert first["party__seller_age_days"].to_list() == [None]
    assert (second["party__seller_age_days"].item(), third["party__seller_age_days"].item()) == (59.0, 60.0)


def test_lines_are_drawn_by_parcel_whatever_their_order() -> None:
    lines = pl.DataFrame({"declaration_id": [f"d{n // 2}" for n in range(400)], "line_no": [1, 2] * 200})
    drawn = drawn_lines(lines, 100)
    assert drawn.height == 100
    assert drawn["declaration_id"].n_unique() == 50
    assert drawn.equals(drawn_lines(lines.reverse(), 100))
    assert drawn_lines(lines, 400).equals(lines)
