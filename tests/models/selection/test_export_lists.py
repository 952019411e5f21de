"""Exports on a list of their own: places, draws and ranks apart from those of the office's other parcels."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import date

import polars as pl
import pytest

from configs.schema.capacity import CapacityConfig
from models.selection.planner import PLAN_SCHEMA, plan
from models.selection.select import LISTED_SCHEMA, select, select_from

DAY = date(2026, 11, 20)
OWN = {"parcels": 8}


def _parcels(imports: int = 100, exports: int = 60, office: str = "0100") -> pl.DataFrame:
    """Parcels of one office by 9610, which is a mode of both directions; exports are worth less."""
    rows = [
        {
            "declaration_id": f"{office}-{number:04d}", "customs_office": office, "trade_mode": "9610",
            "seller_id": f"S{number}", "buyer_id": f"B{number // 2}", "line_no": 1, "risk": "food_safety",
            "probability": 0.5, "expected_value_cny": float(number if number < imports else number - imports),
            "expected_findings": 0.5, "expected_tax_cny": 0.0, "unsureness_cny": 1.0,
            "is_export": number >= imports,
        }
        for number in range(imports + exports)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"line_no": pl.Int32})


def _capacity(**given: object) -> CapacityConfig:
    return CapacityConfig.model_validate(
        {
            "default": {"parcels": 10}, "random_share": 0.2, "exploration_share": 0.0,
            "caps": {"per_seller": None, "per_address": None, "per_goods": None}, **given,
        }
    )  # fmt: skip


ONE_OFFICE = _capacity(offices={"0100": {"exports": OWN}})
BOTH_OFFICES = pl.concat([_parcels(), _parcels(office="0200")])


def test_exports_have_places_beside_those_of_the_office() -> None:
    chosen = select(BOTH_OFFICES, ONE_OFFICE, DAY)
    directions = BOTH_OFFICES.select("declaration_id", "is_export")
    listed = chosen.listed.join(directions, on="declaration_id", maintain_order="left")
    assert dict(chosen.listed.schema) == LISTED_SCHEMA
    own = listed.filter(customs_office="0100")
    assert own["shift"].to_list() == [None] * 10 + ["exports"] * 8
    assert own["is_export"].to_list() == [False] * 10 + [True] * 8
    assert own["rank"].to_list() == list(range(1, 19))
    # Each list has its own random share and its own highest values.
    ways = own.group_by("shift", "selection").len().rows()
    assert set(ways) == {
        (None, "random", 2),
        (None, "risk", 8),
        ("exports", "random", 2),
        ("exports", "risk", 6),
    }
    assert (
        own.filter(pl.col("is_export") & (pl.col("selection") == "risk"))["expected_value_cny"].min() >= 52.0
    )
    # The other office has one list, as before.
    other = listed.filter(customs_office="0200")
    assert other.height == 10
    assert other["shift"].null_count() == 10
    assert listed["declaration_id"].is_unique().all()


def test_a_chance_is_that_of_the_draw_from_the_list() -> None:
    chosen = select(BOTH_OFFICES, ONE_OFFICE, DAY)
    strata = chosen.strata.select("customs_office", "trade_mode", "exports", "parcels", "drawn").rows()
    assert strata == [
        ("0100", "9610", False, 100, 2), ("0100", "9610", True, 60, 2), ("0200", "9610", False, 160, 2)
    ]  # fmt: skip
    drawn = chosen.listed.filter(selection="random", customs_office="0100")
    of_exports = drawn["shift"].eq_missing("exports")
    assert set(drawn.filter(of_exports)["inspection_probability"]) == {2 / 60}
    assert set(drawn.filter(~of_exports)["inspection_probability"]) == {2 / 100}


def test_parcels_that_travel_together_have_one_number_in_an_office() -> None:
    listed = select(_parcels(), ONE_OFFICE, DAY).listed.drop_nulls("together")
    sizes = listed.group_by("together").agg(pl.col("shift").n_unique(), pl.len())
    assert sizes.height >= 4
    assert (sizes["shift"] == 1).all()
    assert (sizes["len"] == 2).all()


def test_without_places_of_their_own_nothing_changes() -> None:
    plain, unmarked = _capacity(), BOTH_OFFICES.drop("is_export")
    assert select(BOTH_OFFICES, plain, DAY).listed.equals(select(unmarked, plain, DAY).listed)
    # A source that tells no direction has one list, whatever is configured.
    assert select(unmarked, ONE_OFFICE, DAY).listed.equals(select(unmarked, plain, DAY).listed)
    # And the list of the other office is drawn as if there were none.
    other = pl.col("customs_office") == "0200"
    apart, together = (select(BOTH_OFFICES, each, DAY).listed.filter(other) for each in (ONE_OFFICE, plain))
    assert apart.equals(together)


def test_lists_are_the_same_however_the_table_is_cut_and_ordered() -> None:
    whole = select(BOTH_OFFICES, ONE_OFFICE, DAY)
    mixed = BOTH_OFFICES.sample(fraction=1.0, shuffle=True, seed=4)
    cut = select_from([mixed[:90], mixed[90:91], mixed[91:]], ONE_OFFICE, DAY)
    assert cut.listed.equals(whole.listed)
    assert cut.strata.equals(whole.strata)


def test_shifts_divide_the_rest() -> None:
    capacity = _capacity(
        default={"exports": {"share": 0.1, "minimum": 1}},
        offices={"0100": {"shifts": {"early": 6, "late": 4}}},
    )
    listed = select(_parcels(), capacity, DAY).listed
    assert Counter(listed["shift"]) == {"early": 6, "late": 4, "exports": 6}
    assert listed["rank"].to_list() == list(range(1, 17))
    assert listed["shift"].to_list() == ["early"] * 6 + ["late"] * 4 + ["exports"] * 6


def test_an_office_of_exports_alone_has_only_their_list() -> None:
    listed = select(_parcels(imports=0, exports=30), ONE_OFFICE, DAY).listed
    assert (set(listed["shift"]), listed["rank"].to_list()) == ({"exports"}, list(range(1, 9)))
    none = select(_parcels(), _capacity(default={"parcels": 10, "exports": {"parcels": 0}}), DAY).listed
    assert (none.height, none["shift"].null_count()) == (10, 10)


def test_the_log_names_the_list(caplog: pytest.LogCaptureFixture) -> None:
    watched = _parcels().with_columns(
        must_inspect=pl.when("is_export").then(0).otherwise(None).cast(pl.Int32)
    )
    entry = {"column": "seller_id", "value": "S1", "since": "2026-01-01", "reason": "try"}
    capacity = _capacity(offices={"0100": {"exports": OWN}}, must_inspect=[entry])
    with caplog.at_level(logging.WARNING):
        listed = select(watched, capacity, DAY).listed
    assert "office 0100 (exports): 60 parcels must be inspected" in caplog.text
    assert Counter(listed["shift"]) == {None: 10, "exports": 60}


def test_a_plan_has_rows_of_the_list() -> None:
    table = plan([BOTH_OFFICES], ONE_OFFICE, 5)
    assert dict(table.schema) == PLAN_SCHEMA
    now = table.filter(pl.col("places") == pl.col("places_now"))
    assert now.select("customs_office", "exports", "parcels", "places_now").rows() == [
        ("0100", False, 100, 10), ("0100", True, 60, 8), ("0200", False, 160, 10)
    ]  # fmt: skip
