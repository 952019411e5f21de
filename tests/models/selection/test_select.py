from __future__ import annotations

import logging
import math
import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from configs.schema.capacity import CapacityConfig
from models.selection.census import parcel_lots
from models.selection.select import LISTED_SCHEMA, select, select_from

DAY = date(2026, 11, 20)


def _parcels(rows: Sequence[tuple[str, str, str | None, float | None]]) -> pl.DataFrame:
    """Office, trade mode, seller and expected value; the number of the declaration is the row's."""
    return pl.DataFrame(
        [
            {
                "declaration_id": f"I{number:04d}", "customs_office": office, "trade_mode": mode,
                "seller_id": seller, "buyer_id": f"B{number}", "line_no": 1,
                "risk": None if value is None else "food_safety",
                "probability": None if value is None else 0.5, "expected_value_cny": value,
            }
            for number, (office, mode, seller, value) in enumerate(rows)
        ],
        schema={
            "declaration_id": pl.String, "customs_office": pl.String, "trade_mode": pl.String,
            "seller_id": pl.String, "buyer_id": pl.String, "line_no": pl.Int32, "risk": pl.String,
            "probability": pl.Float64, "expected_value_cny": pl.Float64,
        },
    )  # fmt: skip


def _distinct(
    count: int, office: str = "0100", mode: str = "9610"
) -> list[tuple[str, str, str | None, float]]:
    return [(office, mode, f"S{number}", float(number)) for number in range(count)]


def _capacity(
    parcels: int, random_share: float = 0.1, per_seller: float | None = None, seed: int = 11
) -> CapacityConfig:
    return CapacityConfig.model_validate(
        {
            "default": {"parcels": parcels},
            "random_share": random_share,
            "exploration_share": 0.0,
            "seed": seed,
            "caps": {"per_seller": per_seller, "per_address": None, "per_goods": None},
        }
    )


PARCELS = st.lists(
    st.tuples(
        st.sampled_from(["0100", "0200", "unassigned"]),
        st.sampled_from(["9610", "mail"]),
        st.sampled_from(["S1", "S2", "S3", None]),
        # Few distinct values, so that ties are the rule.
        st.sampled_from([0.0, 1.0, 2.5, 40.0, None]),
    ),
    max_size=60,
).map(_parcels)


@settings(max_examples=40)
@given(
    PARCELS,
    st.integers(0, 25),
    st.sampled_from([0.0, 0.1, 0.35, 1.0]),
    st.sampled_from([None, 0.2, 0.5]),
    st.randoms(use_true_random=False),
)
def test_what_holds_for_every_selection(
    parcels: pl.DataFrame, places: int, share: float, per_seller: float | None, shuffler: random.Random
) -> None:
    capacity = _capacity(places, share, per_seller)
    chosen = select(parcels, capacity, DAY)
    listed = chosen.listed
    assert dict(listed.schema) == LISTED_SCHEMA
    # A parcel once, and as it was handed over.
    assert listed["declaration_id"].is_unique().all()
    same = [
        "declaration_id",
        "customs_office",
        "trade_mode",
        "line_no",
        "risk",
        "probability",
        "expected_value_cny",
    ]
    assert (
        listed.select(same)
        .sort("declaration_id")
        .equals(
            parcels.select(same)
            .filter(pl.col("declaration_id").is_in(listed["declaration_id"].to_list()))
            .sort("declaration_id")
        )
    )
    for (office,), of_office in listed.group_by("customs_office"):
        size = parcels.filter(customs_office=office).height
        assert of_office.height <= min(places, size)
        assert of_office["rank"].to_list() == list(range(1, of_office.height + 1))
        by_risk = of_office.filter(selection="risk")
        assert by_risk["expected_value_cny"].is_sorted(descending=True)
        assert (by_risk["inspection_probability"] == 1.0).all()
        if per_seller is not None:
            drawn = int(chosen.strata.filter(customs_office=office)["drawn"].sum())
            cap = max(1, math.ceil(per_seller * (min(places, size) - drawn) - 1e-9))
            sellers = by_risk.join(parcels, on="declaration_id")["seller_id"].drop_nulls().to_list()
            assert all(count <= cap for count in Counter(sellers).values())
    # Random: n of N in each stratum, and that is what is recorded.
    for stratum in chosen.strata.iter_rows(named=True):
        key = {name: stratum[name] for name in ("customs_office", "trade_mode")}
        of_stratum = listed.filter(selection="random", **key)
        assert stratum["parcels"] == parcels.filter(**key).height
        assert of_stratum.height == stratum["drawn"]
        assert stratum["inspection_probability"] == stratum["drawn"] / stratum["parcels"]
        assert (of_stratum["inspection_probability"] == stratum["inspection_probability"]).all()
    order = list(range(len(parcels)))
    shuffler.shuffle(order)
    again = select(parcels[order], capacity, DAY)
    assert again.listed.equals(listed)
    assert again.strata.equals(chosen.strata)


def test_without_caps_the_places_go_to_the_highest_values() -> None:
    listed = select(_parcels(_distinct(300)), _capacity(20, random_share=0.0), DAY).listed
    assert listed["expected_value_cny"].to_list() == [float(value) for value in range(299, 279, -1)]


def test_equal_values_are_told_apart_by_the_declaration() -> None:
    parcels = _parcels([("0100", "9610", f"S{n}", 5.0) for n in range(50)])
    listed = select(parcels.reverse(), _capacity(3, random_share=0.0), DAY).listed
    assert listed["declaration_id"].to_list() == ["I0000", "I0001", "I0002"]


def test_a_cap_is_exact_also_where_one_seller_holds_all_the_highest_values() -> None:
    parcels = _parcels(
        [("0100", "9610", "BIG", 1000.0 + n) for n in range(400)]
        + [("0100", "9610", f"S{n}", float(n)) for n in range(40)]
    )
    listed = select(parcels, _capacity(20, random_share=0.0, per_seller=0.2), DAY).listed
    assert listed["expected_value_cny"].to_list() == [
        1399.0,
        1398.0,
        1397.0,
        1396.0,
        *map(float, range(39, 23, -1)),
    ]


def test_the_random_share_knows_no_cap() -> None:
    parcels = _parcels([("0100", "9610", "BIG", 1.0)] * 100)
    chosen = select(parcels, _capacity(50, random_share=0.6, per_seller=0.01), DAY)
    assert Counter(chosen.listed["selection"].to_list()) == {"random": 30, "risk": 1}


def test_places_that_a_cap_leaves_empty_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    parcels = _parcels([("0100", "9610", "BIG", 1.0)] * 100)
    with caplog.at_level(logging.WARNING):
        select(parcels, _capacity(10, random_share=0.0, per_seller=0.2), DAY)
    assert "office 0100: 8 places stay empty: the 98 parcels left are of sellers" in caplog.text


def test_parcels_without_a_seller_do_not_count_as_one_seller() -> None:
    parcels = _parcels([("0100", "9610", None, 1.0)] * 30)
    assert select(parcels, _capacity(10, random_share=0.0, per_seller=0.2), DAY).listed.height == 10


def test_random_parcels_stand_evenly_among_the_others() -> None:
    listed = select(_parcels(_distinct(200)), _capacity(40, random_share=0.1), DAY).listed
    assert listed.filter(selection="random")["rank"].to_list() == [6, 16, 26, 36]


def test_overrides_replace_the_configured_places(caplog: pytest.LogCaptureFixture) -> None:
    parcels = _parcels(_distinct(50, "0100") + _distinct(50, "0200"))
    with caplog.at_level(logging.WARNING):
        listed = select(parcels, _capacity(5), DAY, {"0200": 12, "0101": 3}).listed
    assert Counter(listed["customs_office"].to_list()) == {"0100": 5, "0200": 12}
    assert "no parcels of office '0101' that day" in caplog.text
    assert "Did you mean '0100'?" in caplog.text


def test_an_override_beyond_the_days_parcels_lists_them_all_and_a_negative_one_none() -> None:
    parcels = _parcels(_distinct(5, "0100") + _distinct(5, "0200"))
    listed = select(parcels, _capacity(1), DAY, {"0100": 99, "0200": -1}).listed
    assert Counter(listed["customs_office"].to_list()) == {"0100": 5}


def test_seed_and_day_decide_the_draw() -> None:
    parcels = _parcels(_distinct(300))

    def drawn(seed: int, day: date) -> list[str]:
        return (
            select(parcels, _capacity(50, 0.5, seed=seed), day)
            .listed.filter(selection="random")["declaration_id"]
            .to_list()
        )

    assert drawn(1, DAY) == drawn(1, DAY)
    assert len({tuple(drawn(seed, day)) for seed in (1, 2) for day in (DAY, DAY + timedelta(1))}) == 4


def test_every_parcel_of_a_stratum_is_drawn_as_often_as_recorded() -> None:
    """10,000 drawings, chi-square; a stratum's parcels with the lowest lots are the ones drawn."""
    parcels = _parcels(_distinct(12, mode="9610") + _distinct(5, mode="mail"))
    capacity = _capacity(6, random_share=1.0)
    strata = select(parcels, capacity, DAY).strata
    assert strata["drawn"].to_list() == [4, 2]
    drawings = 10_000
    for mode, drawn, p in strata.select("trade_mode", "drawn", "inspection_probability").iter_rows():
        names = parcels.filter(trade_mode=mode)["declaration_id"]
        lowest = [np.argsort(parcel_lots(names, seed, DAY).to_numpy())[:drawn] for seed in range(drawings)]
        for seed in range(3):
            of_seed = select(parcels, capacity.model_copy(update={"seed": seed}), DAY).listed
            listed = of_seed.filter(selection="random", trade_mode=mode)["declaration_id"]
            assert set(listed) == set(names[lowest[seed]])
        counts = np.bincount(np.concatenate(lowest), minlength=len(names))
        # Drawing without replacement: the sum of squares has the scale of chi-square with size - 1 degrees.
        size = len(names)
        statistic = ((counts - drawings * p) ** 2).sum() / (drawings * p * (1 - p)) * (size - 1) / size
        assert chi2.sf(statistic, size - 1) > 0.001


def test_no_parcels_give_no_list() -> None:
    chosen = select(_parcels([]), _capacity(10), DAY)
    assert chosen.listed.is_empty()
    assert dict(chosen.listed.schema) == LISTED_SCHEMA
    assert chosen.strata.is_empty()


def test_a_parcel_that_stands_in_the_table_twice_is_refused() -> None:
    parcels = _parcels(_distinct(3))
    with pytest.raises(ValueError, match="2 rows repeat a declaration_id"):
        select(pl.concat([parcels, parcels.head(2)]), _capacity(2), DAY)


@settings(max_examples=30)
@given(
    PARCELS.filter(lambda parcels: parcels.height > 0),
    st.integers(0, 12),
    st.sampled_from([0.0, 0.1, 0.35, 1.0]),
    st.sampled_from([None, 0.2, 0.5]),
    st.lists(st.integers(0, 6), min_size=60, max_size=60),
)
def test_in_parts_as_in_one(
    parcels: pl.DataFrame, places: int, share: float, per_seller: float | None, part_of: list[int]
) -> None:
    capacity = _capacity(places, share, per_seller)
    whole = select(parcels, capacity, DAY)
    numbers = pl.Series(part_of[: parcels.height])
    parts = [parcels.filter(numbers == number) for number in range(7)]
    chosen = select_from(parts, capacity, DAY)
    assert chosen.listed.equals(whole.listed)
    assert chosen.strata.equals(whole.strata)
    where = dict(zip(parcels["declaration_id"], numbers, strict=True))
    assert chosen.origin["part"].to_list() == [where[name] for name in chosen.listed["declaration_id"]]


def test_a_parcel_that_stands_in_two_parts_is_refused() -> None:
    parcels = _parcels(_distinct(5))
    with pytest.raises(ValueError, match="2 rows repeat a declaration_id"):
        select_from([parcels, parcels[:2]], _capacity(3), DAY)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_equals_in_a_later_part_are_told_apart_by_the_declaration_too(share: float) -> None:
    parcels = _parcels([("0100", "9610", f"S{number}", 1.0) for number in range(6)])
    whole = select(parcels, _capacity(2, share), DAY)
    chosen = select_from([parcels[[number]] for number in reversed(range(6))], _capacity(2, share), DAY)
    assert chosen.listed.equals(whole.listed)
