"""Inspections: a random share with exact chances, biased officers, missed findings, late results."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from features.contract.inspections import validate_inspections
from pipelines.simulation.days.day import simulate_days
from pipelines.simulation.inspections.inspectorate import Inspectorate
from pipelines.simulation.inspections.memory import Memory
from pipelines.simulation.inspections.officers import strata
from pipelines.simulation.world.parameters import WorldParameters
from pipelines.simulation.world.state import World

END = date(2026, 10, 30)
KEY = ["declaration_id", "line_no"]
PARAMETERS = WorldParameters.for_volume(2500)


@cache
def simulated() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Twenty days: results, and lines with day, stratum, truth."""
    world, inspectorate = World.make(7, PARAMETERS), Inspectorate()
    results, lines = [], []
    for day in simulate_days(world, 20, 2500, END):
        results.append(inspectorate.inspect(day))
        stratum, size = strata(day, PARAMETERS.random_share)
        of = day.lines.parcel
        lines.append(
            day.declarations.with_columns(
                day.truth.drop(KEY),
                declared_on=pl.lit(day.day),
                stratum=pl.Series(stratum[of]),
                stratum_size=pl.Series(size[stratum[of]]),
                is_food=pl.Series(
                    world.catalogue.family_food[world.catalogue.article_family[day.lines.article]]
                ),
            )
        )
    return pl.concat(results), pl.concat(lines)


def test_results_are_within_the_contract() -> None:
    results, _ = simulated()
    checked = validate_inspections(results)
    assert checked.rejected.is_empty()
    assert not checked.nulled
    assert results.select(*KEY, "reported_on").is_unique().all()


def test_the_chance_of_the_random_share_is_exactly_its_share() -> None:
    results, lines = simulated()
    drawn = results.filter(pl.col("selection") == "random").unique("declaration_id")
    parcels = lines.unique("declaration_id").join(
        drawn.select("declaration_id", "inspection_probability"), on="declaration_id", how="left"
    )
    by_stratum = parcels.group_by("declared_on", "stratum").agg(
        n=pl.col("inspection_probability").is_not_null().sum(),
        size=pl.len(),
        recorded=pl.col("stratum_size").first(),
        chances=pl.col("inspection_probability").drop_nulls().unique(),
    )
    assert (by_stratum["size"] == by_stratum["recorded"]).all()
    assert (by_stratum["n"] >= 1).all()
    assert (by_stratum["chances"].list.len() == 1).all()
    assert by_stratum.select((pl.col("chances").list.first() == pl.col("n") / pl.col("size")).all()).item()


def test_the_random_share_is_the_share_asked_for_and_unbiased() -> None:
    results, lines = simulated()
    random = results.filter(pl.col("selection") == "random").unique(KEY)
    share = random["declaration_id"].n_unique() / lines["declaration_id"].n_unique()
    assert share == pytest.approx(PARAMETERS.random_share, rel=0.2)
    estimate = (1.0 / random["inspection_probability"]).sum()
    assert estimate == pytest.approx(lines.height, rel=0.1)


def test_every_line_of_an_opened_parcel_has_a_visual_and_a_valuation_result() -> None:
    results, lines = simulated()
    opened = lines.join(results.select("declaration_id").unique(), on="declaration_id")
    for label in ("prohibited_item", "undervaluation"):
        assert results.filter(pl.col(label).is_not_null()).select(KEY).n_unique() == opened.height
    tested = results.filter(pl.col("food_safety").is_not_null()).join(lines, on=KEY)
    assert tested["is_food"].all()
    share = tested.height / opened.filter(pl.col("is_food") & (pl.col("direction") == "import")).height
    assert share == pytest.approx(PARAMETERS.food_tested_share, abs=0.05)


def test_results_come_late_by_their_kind() -> None:
    results, lines = simulated()
    table = results.join(lines.select(*KEY, "declared_on"), on=KEY)
    assert (table["reported_on"] >= table["inspected_on"]).all()
    assert (table["inspected_on"] >= table["declared_on"]).all()
    delay = (pl.col("reported_on") - pl.col("inspected_on")).dt.total_days().alias("delay")
    for label, low, high in (("prohibited_item", 0, 2), ("undervaluation", 3, 20), ("food_safety", 10, 35)):
        days = table.filter(pl.col(label).is_not_null()).select(delay)["delay"]
        assert days.min() >= low  # type: ignore[operator]
        assert days.max() <= high  # type: ignore[operator]


def test_officers_find_more_than_chance_and_miss_some() -> None:
    results, lines = simulated()
    latest = results.group_by(KEY).agg(
        pl.col("selection").first(), pl.col("undervaluation", "assessed_unit_price").drop_nulls().first()
    )
    table = latest.join(lines.select(*KEY, "true_unit_price", truth="undervaluation"), on=KEY)
    rate = {
        row["selection"]: row["truth"]
        for row in table.group_by("selection").agg(pl.col("truth").mean()).to_dicts()
    }
    assert rate["risk"] > 1.3 * rate["random"]
    assert rate["referral"] > rate["random"]
    seen = table.filter(pl.col("truth"))["undervaluation"].mean()
    assert 0.65 < seen < 0.95  # type: ignore[operator]
    assert table.filter(~pl.col("truth"))["undervaluation"].mean() < 0.02  # type: ignore[operator]
    found = table.filter(pl.col("truth") & pl.col("undervaluation"))
    ratio = (found["assessed_unit_price"] / found["true_unit_price"]).drop_nulls()
    assert ratio.median() == pytest.approx(1.0, abs=0.1)
    assert table.filter(~pl.col("undervaluation"))["assessed_unit_price"].is_null().all()


def test_some_chances_of_the_officers_are_known_and_some_not() -> None:
    results, _ = simulated()
    risk = results.filter(pl.col("selection") == "risk")["inspection_probability"]
    assert 0.0 < risk.is_null().mean() < 1.0  # type: ignore[operator]
    assert risk.drop_nulls().is_between(0.0, 1.0, closed="right").all()
    assert results.filter(pl.col("selection") == "referral")["inspection_probability"].is_null().all()


def test_inspections_are_a_few_percent_of_the_parcels() -> None:
    results, lines = simulated()
    share = results["declaration_id"].n_unique() / lines["declaration_id"].n_unique()
    assert 0.025 < share < 0.045


def test_nothing_is_found_before_it_is_reported() -> None:
    world, inspectorate = World.make(7, PARAMETERS), Inspectorate()
    reported: list[tuple[date, pl.DataFrame]] = []
    for day in simulate_days(world, 4, 400, END):
        inspectorate.inspect(day)
        reported += list(inspectorate.reports_until(day.day))
    assert all((frame["reported_on"] == day).all() for day, frame in reported)
    assert [day for day, _ in reported] == sorted({day for day, _ in reported})
    assert inspectorate.pending > 0
    assert max(day for day, _ in reported) <= END
    late = list(inspectorate.reports_until(END + timedelta(days=60)))
    assert late
    assert inspectorate.pending == 0


def test_without_a_random_share_nothing_is_drawn_at_random() -> None:
    world = World.make(7, replace(PARAMETERS, random_share=0.0))
    day = next(iter(simulate_days(world, 1, 600, END)))
    assert "random" not in set(Inspectorate().inspect(day)["selection"])


def test_memory_counts_findings_by_sender() -> None:
    memory = Memory()
    memory.learn(0, np.array([5, 9, 5], dtype=np.uint64))
    memory.learn(0, np.array([9], dtype=np.uint64))
    asked = np.array([5, 7, 9], dtype=np.uint64)
    assert memory.findings(0, asked).tolist() == [2.0, 0.0, 2.0]
    assert memory.findings(1, asked).tolist() == [0.0, 0.0, 0.0]
