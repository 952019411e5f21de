"""What is chosen by risk, explored or wanted by a rule, and in which order a list is worked through."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from configs.schema.capacity import CapacityConfig
from models.selection.exploration import chances, draw, weights_of
from models.selection.select import Selection, select, select_from

DAY = date(2026, 11, 20)
RISKS = ("food_safety", "prohibited_items")
_SCHEMA: dict[str, Any] = {
    "declaration_id": pl.String, "customs_office": pl.String, "trade_mode": pl.String, "seller_id": pl.String,
    "buyer_id": pl.String, "address_id": pl.UInt64, "order_id": pl.UInt64, "goods": pl.UInt64,
    "must_inspect": pl.Int32, "line_no": pl.Int32, "risk": pl.String, "probability": pl.Float64,
    "expected_value_cny": pl.Float64, "unsureness_cny": pl.Float64,
}  # fmt: skip


def _table(count: int, **columns: Any) -> pl.DataFrame:
    """So many parcels of one office; the values fall from first to last."""
    known: dict[str, Any] = {
        "declaration_id": [f"I{number:04d}" for number in range(count)], "customs_office": "0100",
        "trade_mode": "9610", "seller_id": [f"S{number}" for number in range(count)], "line_no": 1,
        "risk": "food_safety", "probability": 0.1,
        "expected_value_cny": [float(count - number) for number in range(count)],
    }  # fmt: skip
    known |= columns
    rows = {name: values if isinstance(values, list) else [values] * count for name, values in known.items()}
    rows |= {name: [None] * count for name in _SCHEMA if name not in rows}
    return pl.DataFrame(rows, schema=_SCHEMA)


def _select(parcels: pl.DataFrame, places: int, **further: Any) -> Selection:
    return select(parcels, _capacity(places, **further), DAY)


def _capacity(places: int, **further: Any) -> CapacityConfig:
    plain = {"random_share": 0.0, "exploration_share": 0.0, "default": {"parcels": places}}
    caps = {"per_seller": None, "per_address": None, "per_goods": None} | further.pop("caps", {})
    return CapacityConfig.model_validate(plain | {"caps": caps} | further)


def _ids(selection: Selection, **filters: Any) -> list[str]:
    return [f"{name}" for name in selection.listed.filter(**filters)["declaration_id"]]


@pytest.mark.parametrize(
    ("column", "cap"), [("seller_id", "per_seller"), ("address_id", "per_address"), ("goods", "per_goods")]
)
def test_one_scheme_does_not_fill_a_list(column: str, cap: str) -> None:
    same: list[Any] = ["1" if column == "seller_id" else 1] * 30
    rest: list[Any] = [str(n) if column == "seller_id" else n for n in range(100, 130)]
    selection = _select(_table(60, **{column: same + rest}), 10, caps={cap: 0.3})
    assert _ids(selection) == [f"I{number:04d}" for number in [0, 1, 2, *range(30, 37)]]


def test_a_scheme_larger_than_what_is_held_at_first_leaves_no_place_empty() -> None:
    scheme, rest = 5_000, 40
    table = _table(scheme + rest, goods=[7] * scheme + [None] * rest)
    assert len(_ids(_select(table, 20, caps={"per_goods": 0.05}))) == 20


def test_a_risk_has_its_minimum_share_as_far_as_it_has_parcels() -> None:
    risk = ["food_safety"] * 40 + ["prohibited_items"] * 3
    listed = _select(_table(43, risk=risk), 10, minimum_shares={"prohibited_items": 0.2}).listed
    assert Counter(listed["risk"]) == {"food_safety": 8, "prohibited_items": 2}
    assert listed["expected_value_cny"].to_list() == [*map(float, range(43, 35, -1)), 3.0, 2.0]
    listed = _select(_table(43, risk=risk), 20, minimum_shares={"prohibited_items": 0.5}).listed
    assert Counter(listed["risk"]) == {"food_safety": 17, "prohibited_items": 3}


def test_what_must_be_inspected_stands_first_and_beyond_the_places(caplog: pytest.LogCaptureFixture) -> None:
    entries = [
        {"column": "seller_id", "value": "S8", "reason": "seen before", "since": DAY},
        {"column": "seller_id", "value": "S9", "reason": "a tip", "since": DAY, "kind": "referral"},
    ]
    table = _table(10, must_inspect=[None] * 8 + [0, 1])
    listed = _select(table, 4, must_inspect=entries).listed
    assert set(listed["declaration_id"][:2]) == {"I0008", "I0009"}
    assert listed["selection"].to_list()[2:] == ["risk", "risk"]
    assert Counter(listed["selection"]) == {"risk": 2, "rule": 1, "referral": 1}
    with caplog.at_level(logging.WARNING):
        assert len(_ids(_select(table, 1, must_inspect=entries))) == 2
    assert "office 0100: 2 parcels must be inspected" in caplog.text


def test_a_parcel_that_a_rule_wants_keeps_its_chance_where_it_was_drawn_at_random() -> None:
    entry = {"column": "seller_id", "value": "S", "reason": "seen before", "since": DAY}
    chosen = _select(_table(20, must_inspect=0), 20, random_share=0.25, must_inspect=[entry])
    assert Counter(chosen.listed["selection"]) == {"random": 5, "rule": 15}
    assert set(chosen.listed.filter(selection="random")["inspection_probability"]) == {0.25}


def test_an_entry_that_ends_before_it_begins_is_refused() -> None:
    entry = {"column": "seller_id", "value": "S", "reason": "x", "since": "2026-11-02", "until": "2026-11-01"}
    with pytest.raises(ValidationError, match="before since"):
        CapacityConfig.model_validate({"must_inspect": [entry]})


def test_explored_are_the_unsure_ones_that_nothing_else_lists_with_their_chances() -> None:
    unsure = [0.0] * 50 + [1.0] * 49 + [49.0]
    chosen = _select(_table(100, unsureness_cny=unsure), 10, exploration_share=0.2)
    explored = chosen.listed.filter(selection="exploration")
    assert explored.height == 2
    assert set(explored["declaration_id"]) <= {f"I{number:04d}" for number in range(50, 100)}
    assert "I0099" in set(explored["declaration_id"])
    assert explored.sort("declaration_id")["inspection_probability"].to_list() == [1 / 49, 1.0]


def test_no_parcel_is_explored_that_is_listed_anyhow() -> None:
    chosen = _select(_table(30, unsureness_cny=[1.0] * 30), 25, exploration_share=0.4)
    assert chosen.listed.filter(selection="exploration").height == 10
    assert chosen.listed["declaration_id"].is_unique().all()


def test_explored_places_average_their_share_over_days() -> None:
    table = _table(60, unsureness_cny=1.0)
    counts = [
        select(table, _capacity(10, exploration_share=0.05), date.fromordinal(DAY.toordinal() + day))
        .listed.filter(selection="exploration")
        .height
        for day in range(40)
    ]
    assert set(counts) == {0, 1}
    assert 10 <= sum(counts) <= 30


def test_explored_parcels_are_drawn_as_often_as_their_chances_say() -> None:
    """The mean of many drawings with fresh lots and starts, parcel by parcel, against the chances."""
    rng, drawings = np.random.default_rng(5), 20_000
    weights = weights_of(np.array([5.0, 1.0, 1.0, 2.0, 0.0, 3.0, 40.0, 0.5]))
    expected = chances(weights, 3)
    drawn = [
        draw(rng.integers(0, 2**63, len(weights)).astype(np.uint64), weights, 3, rng.random())
        for _ in range(drawings)
    ]
    assert all(len(set(rows)) == 3 for rows, _ in drawn)
    assert all((expected[rows] == chance).all() for rows, chance in drawn)
    share = np.bincount(np.concatenate([rows for rows, _ in drawn]), minlength=len(weights)) / drawings
    error = np.sqrt(expected * (1 - expected) / drawings)
    assert (np.abs(share - expected) <= 4 * error).all()


def test_parcels_that_travel_together_follow_each_other() -> None:
    buyers = ["A", "B", "C", "D", "B", "E"]
    orders = [None, None, 7, None, None, 7]
    listed = _select(_table(6, buyer_id=buyers, order_id=orders), 6).listed
    assert _ids(_select(_table(6, buyer_id=buyers, order_id=orders), 6)) == [
        *("I0000", "I0001", "I0004", "I0002", "I0005", "I0003")
    ]
    assert listed["together"].to_list() == [None, 1, 1, 2, 2, None]


def test_a_list_is_divided_among_the_shifts_in_their_order() -> None:
    shifts = {"early": 3, "late": 2}
    listed = _select(_table(30), 5, offices={"0100": {"shifts": shifts}}).listed
    assert listed["shift"].to_list() == ["early"] * 3 + ["late"] * 2
    doubled = select(_table(30), _capacity(1, offices={"0100": {"shifts": shifts}}), DAY, {"0100": 10}).listed
    assert Counter(doubled["shift"]) == {"early": 6, "late": 4}


PARCELS = st.lists(
    st.tuples(
        st.sampled_from(["0100", "0200"]),
        st.sampled_from(["S1", "S2", "S3", None]),
        st.sampled_from([1, 2, None]),
        st.sampled_from([10, 11, 12, None]),
        st.sampled_from(RISKS),
        st.sampled_from([0.0, 1.0, 2.5, 40.0]),
        st.sampled_from([None, None, None, 0]),
        st.sampled_from([0.0, 0.5, 3.0, None]),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=30)
@given(PARCELS, st.integers(0, 15), st.lists(st.integers(0, 4), min_size=60, max_size=60))
def test_with_everything_at_once_parts_play_no_part_and_limits_hold(
    rows: list[tuple[Any, ...]], places: int, part_of: list[int]
) -> None:
    names = ("customs_office", "seller_id", "address_id", "goods", "risk", "expected_value_cny")
    columns = dict(
        zip((*names, "must_inspect", "unsureness_cny"), map(list, zip(*rows, strict=True)), strict=True)
    )
    parcels = _table(len(rows), **columns)
    capacity = _capacity(
        places,
        random_share=0.2,
        exploration_share=0.2,
        minimum_shares={"prohibited_items": 0.4},
        caps={"per_seller": 0.4, "per_address": 0.3, "per_goods": 0.5},
        must_inspect=[{"column": "seller_id", "value": "S", "reason": "x", "since": DAY}],
        default={"parcels": places, "shifts": {"a": 1, "b": 1}},
    )
    whole = select(parcels, capacity, DAY)
    numbers = pl.Series(part_of[: parcels.height])
    chosen = select_from([parcels.filter(numbers == number) for number in range(5)], capacity, DAY)
    assert chosen.listed.equals(whole.listed)
    assert whole.listed["declaration_id"].is_unique().all()
    wanted = set(parcels.filter(pl.col("must_inspect").is_not_null())["declaration_id"])
    assert wanted <= set(whole.listed["declaration_id"])
    for (office,), of in whole.listed.group_by("customs_office"):
        count = min(places, parcels.filter(customs_office=office).height)
        must = of.filter(pl.col("selection").is_in(["rule", "random"])).height
        assert of.height <= max(count, must)
        assert of["rank"].to_list() == list(range(1, of.height + 1))
        by_risk = of.filter(selection="risk").join(parcels, on="declaration_id")
        for column, share in (("seller_id", 0.4), ("address_id", 0.3), ("goods", 0.5)):
            counted = Counter(by_risk[column].drop_nulls().to_list())
            assert not counted or max(counted.values()) <= max(1, share * count + 1)
