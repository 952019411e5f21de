"""A small version of the measurement of coverage: made-up scores instead of trained models, few redraws."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from benchmarks.coverage import Coverage, coverage, holds
from benchmarks.judging.redrawn_world import Parcels, parcels_of, redraw
from configs.loader import load_settings
from features.arrays.hashing import hash_text
from models.estimates.parcel_table import UNASSIGNED, UNKNOWN_MODE
from pipelines.simulation import World, WorldParameters, simulate_days
from pipelines.simulation.days.day import SimulatedDay
from pipelines.simulation.inspections.channels import RANDOM, REFERRAL, RISK
from pipelines.simulation.inspections.memory import Memory
from pipelines.work.progress import Progress

REDRAWS = 60


def made_up_scores(day: SimulatedDay) -> pl.DataFrame:
    """Probabilities that know a part of the truth, as a model does."""
    lines = day.declarations.select("declaration_id", "customs_office", "trade_mode")
    lines = lines.with_columns(day.truth["undervaluation"], noise=hash_text(lines["declaration_id"]) % 997)
    return (
        lines.group_by("declaration_id", maintain_order=True)
        .agg(
            pl.col("customs_office").drop_nulls().first().fill_null(UNASSIGNED),
            pl.col("trade_mode").drop_nulls().first().fill_null(UNKNOWN_MODE),
            pl.col("undervaluation").any(),
            (pl.col("noise").first() / 997.0) ** 12,
        )
        .with_columns(
            probability_undervaluation=0.03 + 0.4 * pl.col("noise") + 0.15 * pl.col("undervaluation"),
        )
        .drop("undervaluation", "noise")
        .with_columns(
            (pl.col("probability_undervaluation") * 80.0).alias("expected_undervaluation"),
            pl.lit(None, pl.Float64).alias("probability_food_safety"),
            pl.lit(None, pl.Float64).alias("probability_prohibited_items"),
        )
    )


@pytest.fixture(scope="module")
def parcels() -> Parcels:
    world = World.make(9, WorldParameters.for_volume(700))
    days = list(simulate_days(world, 8, 700, date(2026, 11, 20)))
    return parcels_of(days, pl.concat(map(made_up_scores, days)), Memory(), load_settings())


@pytest.fixture(scope="module")
def rows(parcels: Parcels) -> list[Coverage]:
    return coverage(parcels, redraws=REDRAWS, capacities=[0.1], progress=Progress.silent())


def test_every_redraw_draws_other_parcels_as_many_of_each_channel(parcels: Parcels) -> None:
    (first, channel, chance), (second, _, _), (again, _, _) = (redraw(parcels, draw) for draw in (0, 1, 0))
    assert first.tolist() == again.tolist()
    assert len(np.intersect1d(first, second)) < len(first) / 2
    assert {*channel} == {RANDOM, RISK, REFERRAL}
    drawn = channel == RANDOM
    assert 0.005 < drawn.mean() * len(first) / len(parcels.stratum) < 0.03
    assert np.isfinite(chance[drawn]).all()
    assert (1.0 / chance[drawn]).sum() == pytest.approx(len(parcels.stratum), rel=0.05)


def test_the_random_share_holds_where_choices_by_risk_do_not(rows: list[Coverage]) -> None:
    found = {row.method: row for row in rows if row.quantity == "precision"}
    assert found["random_share"].covered >= 0.9 * REDRAWS
    # As many redraws as a minute allows: the mean error has a noise of its own of about two points.
    assert abs(found["random_share"].error) < 0.06
    assert found["naive"].error > abs(found["random_share"].error)
    assert found["naive"].error > 0.05
    assert not holds(found["naive"], int(0.9 * REDRAWS))
    assert found["doubly_robust"].covered >= 0.8 * REDRAWS


def test_every_quantity_is_measured_for_the_scored_risk_only(rows: list[Coverage]) -> None:
    assert {row.risk for row in rows} == {"undervaluation"}
    assert {row.quantity for row in rows} == {"precision", "recall", "tax_per_flagged_cny", "tax_share"}
    assert all(row.redraws == REDRAWS for row in rows)
    covered = {row.quantity: row.covered for row in rows if row.method == "random_share"}
    assert min(covered.values()) >= 0.88 * REDRAWS, covered
