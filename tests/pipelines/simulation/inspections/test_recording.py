"""Faults of recording: late, twice, without a channel, sellers written in several ways."""

from datetime import date

import polars as pl
import pytest

from features.contract.declarations import validate_declarations
from features.contract.inspections import validate_inspections
from pipelines.simulation.days.day import simulate_days
from pipelines.simulation.inspections.inspectorate import Inspectorate
from pipelines.simulation.world.parameters import WorldParameters
from pipelines.simulation.world.state import World

KEY = ["declaration_id", "line_no"]
CLEAN = WorldParameters.for_volume(1500).with_officers("mixed")
FAULTY = CLEAN.with_faulty_records()


def run(parameters: WorldParameters, count: int = 12) -> tuple[pl.DataFrame, pl.DataFrame]:
    world, inspectorate = World.make(9608, parameters), Inspectorate()
    days = list(simulate_days(world, count, 1500, date(2026, 9, 30)))
    results = pl.concat(inspectorate.inspect(day) for day in days)
    return pl.concat(day.declarations for day in days), results


@pytest.fixture(scope="module")
def faulty() -> tuple[pl.DataFrame, pl.DataFrame]:
    return run(FAULTY)


def test_they_are_within_the_contract(faulty: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    declarations, results = faulty
    assert validate_declarations(declarations).rejected.is_empty()
    checked = validate_inspections(results)
    assert checked.rejected.is_empty()
    assert not checked.nulled


def test_some_rows_have_no_channel_some_come_twice_and_some_late(
    faulty: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    _, results = faulty
    parcels = results.unique("declaration_id")
    unknown = parcels.filter(pl.col("selection").is_null())
    assert unknown.height / parcels.height == pytest.approx(FAULTY.unknown_selection_share, abs=0.06)
    assert unknown["inspection_probability"].null_count() == unknown.height
    days = (results["reported_on"] - results["inspected_on"]).dt.total_days()
    assert 0.02 < (days > 40).mean() < 0.12  # type: ignore[operator]
    assert results.select(*KEY, "reported_on").is_unique().all()
    contents = results.drop("reported_on").filter(pl.col("prohibited_item").is_not_null())
    assert contents.is_duplicated().sum() > 0


def test_a_seller_stands_under_several_spellings(faulty: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    declarations, _ = faulty
    written = declarations["seller_id"].drop_nulls()
    plain = written.str.to_lowercase().str.replace_all("-", "")
    assert (written != plain).mean() == pytest.approx(FAULTY.other_spelling_share, abs=0.03)
    assert plain.n_unique() < written.n_unique()
    # A parcel has one seller, however he is written.
    assert declarations.group_by("declaration_id").agg(pl.col("seller_id").n_unique())["seller_id"].max() == 1


def test_shops_add_words_of_their_own_to_names() -> None:
    for parameters, low, high in ((CLEAN, 0.75, 0.95), (WorldParameters.for_volume(1500), 0.0, 0.7)):
        declarations, _ = run(parameters, 1)
        assert low < declarations["item_name"].n_unique() / declarations.height < high
