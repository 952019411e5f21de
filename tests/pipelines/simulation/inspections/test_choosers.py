"""Officers who choose by list, price or image find what they look for, and record it as such offices do."""

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest

from features.contract.inspections import CONTRACT_LABELS, validate_inspections
from features.history.results import known_labels
from pipelines.simulation.days.day import simulate_days
from pipelines.simulation.inspections.inspectorate import Inspectorate, examine
from pipelines.simulation.inspections.memory import Memory
from pipelines.simulation.inspections.officers import choose_parcels
from pipelines.simulation.world.parameters import OFFICERS, WorldParameters
from pipelines.simulation.world.state import World

END = date(2026, 9, 30)
KEY = ["declaration_id", "line_no"]
# Risks are some times as frequent as elsewhere, so that few days say something.
USUAL = WorldParameters.for_volume(1500)
MUCH = {"undervaluation_rate": 0.04, "prohibited_rate": 0.008, "food_rate": 0.06, "food_lots": 40}
OTHERS = OFFICERS[1:]


@cache
def simulated(kind: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Nine days of such officers: results, and all lines with the truth."""
    parameters = replace(USUAL.with_officers(kind), **MUCH)  # type: ignore[arg-type]
    world, inspectorate = World.make(9607, parameters), Inspectorate()
    results, lines = [], []
    for day in simulate_days(world, 9, 1500, END):
        results.append(inspectorate.inspect(day))
        lines.append(day.truth)
    return pl.concat(results), pl.concat(lines)


def lift(kind: str, label: str) -> float:
    """How many times as frequent as elsewhere a risk is, in truth, in what officers chose themselves."""
    results, lines = simulated(kind)
    own = results.filter(pl.col("selection").is_in(["officer", "rule"])).select(KEY).unique()
    chosen = lines.join(own, on=KEY)[label].mean()
    everywhere = lines[label].mean()
    assert isinstance(chosen, float)
    assert isinstance(everywhere, float)
    return chosen / everywhere


def test_each_kind_finds_what_it_looks_for_and_little_else() -> None:
    assert lift("price", "undervaluation") > 2.0
    assert lift("xray", "prohibited_item") > max(4.0, lift("price", "prohibited_item"))
    assert lift("xray", "undervaluation") < 1.5
    assert lift("default_list", "undervaluation") < 1.6
    assert lift("watch_list", "undervaluation") > 1.1
    assert lift("mixed", "undervaluation") > 1.3
    assert lift("mixed", "prohibited_item") > 2.0


@pytest.mark.parametrize("kind", OTHERS)
def test_channels_and_chances_are_recorded_as_offices_do(kind: str) -> None:
    results, lines = simulated(kind)
    assert validate_inspections(results).rejected.is_empty()
    rows = results.unique("declaration_id")
    parcels = lines["declaration_id"].n_unique()
    assert rows.filter(pl.col("selection") == "random").height < 0.003 * parcels
    assert 0.02 < rows.height / parcels < 0.035
    chances = {
        channel[0]: group["inspection_probability"].is_not_null().mean()
        for channel, group in results.group_by("selection")
    }
    assert chances["random"] == 1.0
    assert chances["officer"] == chances["referral"] == 0.0
    assert 0.0 < chances["rule"] < 1.0  # type: ignore[operator]
    assert "risk" not in chances


def test_what_nobody_looked_at_has_no_label_and_is_no_finding() -> None:
    results, _ = simulated("price")
    own = results.filter(pl.col("selection") == "officer")
    nulls = {label: own[label].null_count() / own.height for label in CONTRACT_LABELS}
    assert nulls["undervaluation"] < 0.2
    assert 0.3 < nulls["prohibited_item"] < 0.6
    assert results.filter(pl.col("selection") == "random")["prohibited_item"].null_count() == 0
    # A price is established, and tax recovered, only where somebody valued the goods.
    assert own.filter(~pl.col("undervaluation").fill_null(False))["assessed_unit_price"].null_count() > 0
    assert own.filter(pl.col("undervaluation").is_null())["recovered_tax_cny"].sum() == 0.0


def test_a_list_opens_with_the_chance_that_it_records() -> None:
    results, _ = simulated("default_list")
    rules = results.filter(pl.col("selection") == "rule").unique("declaration_id")
    recorded = rules["inspection_probability"].drop_nulls()
    assert recorded.min() >= 0.001  # type: ignore[operator]
    assert recorded.max() <= 0.9  # type: ignore[operator]
    assert recorded.n_unique() > 10


def test_a_watch_list_holds_addresses_beside_senders() -> None:
    parameters = replace(USUAL.with_officers("watch_list"), **MUCH)  # type: ignore[arg-type]
    day = next(iter(simulate_days(World.make(9607, parameters), 1, 1500, END)))
    learned = examine(day, choose_parcels(day, Memory())).findings
    assert sum(len(parties) for _, parties in learned) > 0
    for _, parties in learned:
        senders, addresses = np.split(parties, 2)
        assert np.isin(senders, day.parcels.sender).all()
        assert np.isin(addresses, day.parcels.address).all()


def test_reports_come_once_and_a_line_has_every_label_that_was_looked_at() -> None:
    results, _ = simulated("mixed")
    assert results.select(KEY).is_unique().all()
    assert results["recovered_tax_cny"].null_count() == 0
    assert known_labels(results, date.max)["undervaluation"].sum() > 10
