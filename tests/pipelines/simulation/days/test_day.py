"""Simulated days: repeatable, within the contract, at their base rates, with goods that hang together."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from features.contract.bounds import load_bounds
from features.contract.declarations import DECLARATION_COLUMNS, validate_declarations
from features.contract.rules import ContractRules
from pipelines.simulation.days.day import SimulatedDay, simulate_days
from pipelines.simulation.world.parameters import WorldParameters
from pipelines.simulation.world.places import CNY_PER_UNIT, CURRENCIES
from pipelines.simulation.world.state import World

END = date(2026, 11, 20)
KEY = ["declaration_id", "line_no"]
TRUTH_COLUMNS: dict[str, pl.DataType] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "undervaluation": pl.Boolean(),
    "prohibited_item": pl.Boolean(),
    "food_safety": pl.Boolean(),
    "true_unit_price": pl.Float64(),
    "tax_shortfall_cny": pl.Float64(),
    "mechanism": pl.String(),
}


def days_of(seed: int, days: int, volume: int, drift: bool = False) -> list[SimulatedDay]:
    world = World.make(seed, WorldParameters.for_volume(volume))
    return list(simulate_days(world, days, volume, END, drift=drift))


@cache
def month() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Thirty days of one world: declarations with what they are worth in CNY, and the truth."""
    days = days_of(7, 30, 2500)
    rates = pl.DataFrame({"currency": list(CURRENCIES), "rate": CNY_PER_UNIT})
    lines = pl.concat([day.declarations for day in days]).join(rates, on="currency", maintain_order="left")
    return lines.with_columns(cny=pl.col("total_price") * pl.col("rate")), pl.concat(
        [day.truth for day in days]
    )


def test_the_same_seed_gives_the_same_frames() -> None:
    for first, second in zip(days_of(3, 3, 300), days_of(3, 3, 300), strict=True):
        assert first.declarations.equals(second.declarations)
        assert first.truth.equals(second.truth)


def test_another_seed_gives_another_world() -> None:
    one, other = days_of(3, 1, 300)[0].declarations, days_of(4, 1, 300)[0].declarations
    assert not set(one["seller_id"].drop_nulls()) & set(other["seller_id"].drop_nulls())
    assert not set(one["buyer_id"].drop_nulls()) & set(other["buyer_id"].drop_nulls())


def test_a_day_does_not_depend_on_the_days_simulated_before_it() -> None:
    # Ordinary weeks weigh the same: the volume of the last day is equal in both.
    world = World.make(5, WorldParameters.for_volume(300))
    long, short = (list(simulate_days(world, days, 300, date(2026, 3, 20)))[-1] for days in (3, 3))
    assert long.declarations.equals(short.declarations)
    again = next(iter(simulate_days(world, 3, 300, date(2026, 3, 20))))
    assert again.day == date(2026, 3, 18)


def test_every_line_is_within_the_contract() -> None:
    for day in days_of(11, 4, 1200):
        checked = validate_declarations(day.declarations, ContractRules(bounds=load_bounds()))
        assert checked.rejected.is_empty()
        assert not checked.nulled
        assert checked.kept.equals(day.declarations)


def test_declarations_have_the_contract_s_columns_and_no_truth() -> None:
    lines, truth = month()
    day = days_of(7, 1, 200)[0]
    assert day.declarations.schema == pl.Schema(DECLARATION_COLUMNS)
    assert day.truth.schema == pl.Schema(TRUTH_COLUMNS)
    assert not (set(TRUTH_COLUMNS) - set(KEY)) & set(day.declarations.columns)
    assert lines.select(KEY).equals(truth.select(KEY))


def test_keys_are_unique_and_declared_on_their_day_in_china() -> None:
    lines, _ = month()
    assert lines.select(KEY).is_unique().all()
    for day in days_of(7, 2, 400):
        moments = day.declarations["declared_at"] + timedelta(hours=8)
        assert (moments.dt.date() == day.day).all()
        assert moments.is_sorted()


def test_nothing_in_a_number_or_a_place_says_what_a_line_hides() -> None:
    lines, truth = month()
    table = lines.select(KEY).with_columns(
        risk=truth["undervaluation"] | truth["prohibited_item"],
        serial=pl.col("declaration_id").str.slice(-4).cast(pl.Int64) % 10,
    )
    by_digit = table.group_by("serial").agg(pl.col("risk").mean())["risk"]
    assert by_digit.max() < 1.6 * by_digit.min()  # type: ignore[operator]
    many = truth.filter(pl.len().over("declaration_id") > 1)
    assert 0.2 < (many.filter(pl.col("prohibited_item"))["line_no"] > 1).mean() < 0.8  # type: ignore[operator]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_base_rates(seed: int) -> None:
    days = days_of(seed, 24, 2500)
    truth, lines = pl.concat([day.truth for day in days]), pl.concat([day.declarations for day in days])
    assert 0.015 < truth["undervaluation"].mean() < 0.035  # type: ignore[operator]
    assert 0.0003 < truth["prohibited_item"].mean() < 0.001  # type: ignore[operator]
    chapter = lines["hs_code"].str.slice(0, 2).cast(pl.Int32)
    food = chapter.is_between(2, 22) & (lines["direction"] == "import")
    assert 0.005 < truth.filter(food)["food_safety"].mean() < 0.025  # type: ignore[operator]
    assert lines.height / lines["declaration_id"].n_unique() == pytest.approx(1.6, abs=0.1)


def test_each_mechanism_is_there() -> None:
    _, truth = month()
    kinds = set(truth["mechanism"])
    assert {
        "under_invoicing",
        "flat_price",
        "cheaper_heading",
        "quantity_understated",
        "order_splitting",
    } <= kinds
    assert {"bad_lot", "poor_hygiene"} <= kinds
    assert any(kind.startswith("smuggling_ring") for kind in kinds)
    assert any(kind.startswith("lone_smuggler") for kind in kinds)


def test_truth_agrees_with_itself() -> None:
    lines, truth = month()
    honest = truth["mechanism"] == "honest"
    any_risk = truth["undervaluation"] | truth["prohibited_item"] | truth["food_safety"]
    assert (honest == ~any_risk).all()
    assert (truth["tax_shortfall_cny"] >= 0).all()
    assert truth.filter(~pl.col("undervaluation"))["tax_shortfall_cny"].sum() == 0
    assert truth.filter(pl.col("undervaluation"))["tax_shortfall_cny"].mean() > 5  # type: ignore[operator]
    price = lines["total_price"] / lines["quantity"]
    lower = truth.filter(pl.col("mechanism").is_in(["under_invoicing", "flat_price"]))
    declared = lines.with_columns(price=price).join(lower, on=KEY, maintain_order="left")
    ratio = (declared["true_unit_price"] / declared["price"]).drop_nulls()
    assert 1.3 < ratio.median() < 3.0  # type: ignore[operator]


def test_split_orders_stay_under_the_limit_together_above_it() -> None:
    lines, truth = month()
    split = lines.filter(truth["mechanism"].str.contains("order_splitting"))
    parcels = lines.join(split.select("declaration_id").unique(), on="declaration_id")
    values = parcels.group_by("declaration_id").agg(pl.col("cny").sum())["cny"]
    assert (values <= 5000).all()
    of_day = split.with_columns(day=pl.col("declared_at").dt.offset_by("8h").dt.date())
    together = (
        of_day.drop_nulls("address_id")
        .group_by("day", "address_id", "hs_code")
        .agg(pl.col("cny").sum(), pl.len())
    )
    complete = together.filter(pl.col("len") > 1)
    assert complete.height > 20
    assert (complete["cny"] > 5000).mean() > 0.9  # type: ignore[operator]


def test_price_and_weight_of_honest_lines_hang_together() -> None:
    lines, truth = month()
    plain = lines.filter((truth["mechanism"] == "honest") & (lines["unit"] != "035")).drop_nulls(
        ["quantity", "gross_weight_kg", "item_model"]
    )
    single = plain.filter((pl.len().over("declaration_id") == 1) & (pl.col("gross_weight_kg") < 100))
    single = single.with_columns(
        price=(pl.col("cny") / pl.col("quantity")).log(),
        weight=(pl.col("gross_weight_kg") / pl.col("quantity")).log(),
    )
    for name in ("price", "weight"):
        everywhere = single[name].std()
        article = single.filter(pl.len().over("item_model") > 5)
        within = article.select(
            (pl.col(name) - pl.col(name).median().over("item_model")).abs().median()
        ).item()
        heading = single.filter(pl.len().over("hs_code") > 5)
        of_heading = heading.select(
            (pl.col(name) - pl.col(name).median().over("hs_code")).abs().median()
        ).item()
        assert within < of_heading < everywhere
        assert within < 0.25


def test_hidden_goods_come_by_mail_and_express_to_few_addresses() -> None:
    lines, truth = month()
    hidden = lines.filter(truth["prohibited_item"])
    assert set(hidden["trade_mode"]) == {"mail", "express"}
    known = hidden.drop_nulls("address_id")
    assert known["address_id"].n_unique() < 0.75 * known.height
    # Not a rule that could be read back: the same addresses get harmless parcels too.
    same = lines.join(known.select("address_id").unique(), on="address_id")
    assert same.height > 2 * hidden.height


def test_volumes_have_heavy_tails() -> None:
    lines, _ = month()
    for column in ("seller_id", "buyer_id", "item_name"):
        counts = lines[column].drop_nulls().value_counts(sort=True)["count"]
        top = counts.head(max(len(counts) // 100, 1)).sum()
        assert top > 5 * counts.sum() / 100, column


def test_missing_values_are_habits_and_sparsity_adds_to_them() -> None:
    lines, _ = month()
    required = ["declaration_id", "line_no", "declared_at", "hs_code", "total_price", "currency"]
    assert lines.select(required).null_count().sum_horizontal().item() == 0
    usual = lines["barcode"].is_null().mean()
    world = World.make(7, replace(WorldParameters.for_volume(400), sparsity=0.4))
    sparse = next(iter(simulate_days(world, 1, 400, END))).declarations
    assert sparse["gross_weight_kg"].is_null().mean() == pytest.approx(0.4, abs=0.07)
    assert sparse["barcode"].is_null().mean() > usual  # type: ignore[operator]


def test_drift_leaves_the_first_two_thirds_as_they_are() -> None:
    for plain, drifted in zip(days_of(7, 9, 400), days_of(7, 9, 400, drift=True), strict=True):
        early = plain.day <= END - timedelta(days=3)
        assert plain.declarations.equals(drifted.declarations) is early
        assert plain.truth.equals(drifted.truth) is early


def test_drift_brings_other_sellers_prices_and_covers() -> None:
    plain, drifted = days_of(7, 6, 4000)[-2:], days_of(7, 6, 4000, drift=True)[-2:]
    known = set(pl.concat([day.declarations for day in plain])["seller_id"].drop_nulls())
    after = pl.concat([day.declarations for day in drifted])["seller_id"].drop_nulls()
    assert (~after.is_in(pl.Series(sorted(known)).implode())).mean() > 0.2  # type: ignore[operator]
    prices = [
        np.log(np.concatenate([day.lines.price_cny for day in days])).mean() for days in (plain, drifted)
    ]
    assert prices[1] < prices[0] - 0.02

    def covers(days: list[SimulatedDay]) -> set[str]:
        lines = pl.concat([day.declarations for day in days])
        hidden = pl.concat([day.truth for day in days])["prohibited_item"]
        return set(lines.filter(hidden)["hs_code"])

    assert covers(drifted) - covers(plain)
