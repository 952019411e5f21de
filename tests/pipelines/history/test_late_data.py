"""Lines and results that come late open the history again; what inspectors hold in their hands stays."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from pipelines.scoring.features_of_day import features_of_day
from pipelines.store.day_table import DayTable
from tests.pipelines.trained_world import NIGHT, World, different

NEXT = NIGHT + timedelta(days=1)
LAST = NIGHT + timedelta(days=2)


@pytest.fixture(scope="module")
def three_nights(tmp_path_factory: pytest.TempPathFactory, scored: World) -> World:
    """Three nights done. Not to be changed."""
    world = scored.copy(tmp_path_factory.mktemp("three"))
    assert world.score(NEXT, "--to", str(LAST)) == 0
    return world


def of(day: date, *kinds: str) -> list[str]:
    return [f"{kind}/declared_on={day}" for kind in kinds]


def lines_of(world: World, seller: str) -> pd.DataFrame:
    """The features of a seller's lines on the last day."""
    features = features_of_day(world.path, LAST, "undervaluation", world.settings)
    return features[features["seller_id"] == seller]


def test_late_declarations_are_scored_and_count_on_later_days(
    tmp_path: Path, three_nights: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world = three_nights.copy(tmp_path)
    seller = world.store.read_declarations(LAST)["seller_id"].drop_nulls().mode()[0]
    late = pl.DataFrame({"declaration_id": [f"LATE-{number}" for number in range(40)]}).with_columns(
        pl.lit(1).alias("line_no"),
        pl.lit(f"{NEXT}T03:00:00Z").alias("declared_at"),
        pl.lit("330499").alias("hs_code"),
        pl.lit(99.0).alias("total_price"),
        pl.lit("CNY").alias("currency"),
        pl.lit(seller).alias("seller_id"),
    )
    late.write_csv(tmp_path / "late.csv")
    assert world.run("ingest", tmp_path / "late.csv") == 0
    assert f"the history is reopened from {NEXT} on" in capsys.readouterr().out
    assert [day for day in world.store.days(DayTable.PROFILES) if day >= NEXT] == []
    assert NIGHT in world.store.days(DayTable.PROFILES)

    assert world.score(NEXT, "--to", str(LAST)) == 0
    said = capsys.readouterr().out
    assert "its lists were issued before and stay" in said
    assert different(world.results("lists", "strata"), three_nights.results("lists", "strata")) == []
    found = world.scores(NEXT)
    assert found.height == world.store.read_declarations(NEXT).height == three_nights.scores(NEXT).height + 40
    assert found.filter(pl.col("declaration_id").str.starts_with("LATE-"))["undervaluation"].null_count() == 0
    assert different(world.results(*of(NIGHT, "scores")), three_nights.results(*of(NIGHT, "scores"))) == []
    assert world.store.days(DayTable.PROFILES)[-1] == LAST

    before, after = (lines_of(store, seller) for store in (three_nights, world))
    assert (after["party__seller_lines"].to_numpy() > before["party__seller_lines"].to_numpy() + 30).all()


def test_late_results_count_from_the_day_after_their_report(tmp_path: Path, three_nights: World) -> None:
    world = three_nights.copy(tmp_path)
    lines = world.store.read_declarations(LAST)
    seller = lines["seller_id"].drop_nulls().mode()[0]
    earlier = world.store.scan_declarations(None, NIGHT).filter(pl.col("seller_id") == seller).collect()
    inspected = world.store.read_inspections().select("declaration_id", "line_no")
    chosen = earlier.join(inspected, on=["declaration_id", "line_no"], how="anti").head(5)
    assert chosen.height
    chosen.select("declaration_id", "line_no").with_columns(
        pl.lit(str(NEXT)).alias("inspected_on"),
        pl.lit(str(NEXT)).alias("reported_on"),
        pl.lit(True).alias("undervaluation"),
        # Trees may have no split between the old rates and the new; what a linear model starts from moves.
        pl.lit(True).alias("prohibited_item"),
    ).write_csv(tmp_path / "late.csv")
    assert world.run("ingest", tmp_path / "late.csv") == 0
    assert world.score(NIGHT, "--to", str(LAST)) == 0
    assert different(world.results("lists", "strata"), three_nights.results("lists", "strata")) == []
    for day in (NIGHT, NEXT):
        assert different(world.results(*of(day, "scores")), three_nights.results(*of(day, "scores"))) == []
    before, after = (lines_of(store, seller) for store in (three_nights, world))
    grown = after["hit_rate__seller_inspected"].to_numpy() - before["hit_rate__seller_inspected"].to_numpy()
    assert grown == pytest.approx([chosen.height] * len(grown), rel=0.05)
    assert different(world.results(*of(LAST, "scores")), three_nights.results(*of(LAST, "scores"))) != []
