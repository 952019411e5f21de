"""Receipts of customs alone: they become inspections of the lists' channels, and teach a model."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.pipelines.document_messages import STATE, element, written
from tests.pipelines.trained_world import NIGHT, ROOT, World, quicker_risk


def receipts(day: date, numbers: pl.Series, *, held: bool) -> list[str]:
    """Parcels that were opened on a day, and held or released on the next."""
    told = [(500, day), (502 if held else 800, day + timedelta(days=1))]
    return [
        element(
            "InventoryReturn",
            STATE | {"invtNo": number, "returnStatus": status, "returnTime": f"{at:%Y%m%d}030000000"},
        )
        for number in numbers
        for status, at in told
    ]


@pytest.fixture
def world(tmp_path: Path, scored: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The trained world, with a key, and with the risk switched on."""
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", "a key for tests, not a secret")
    copy = scored.copy(tmp_path)
    configs = tmp_path / "configs"
    shutil.copytree(copy.configs, configs)
    packaged = (ROOT / "configs/risks/irregularity.yaml").read_text(encoding="utf-8")
    switched = quicker_risk(packaged).replace("enabled: false", "enabled: true")
    (configs / "risks" / "irregularity.yaml").write_text(switched, encoding="utf-8")
    return World(copy.path, configs)


def test_a_model_learns_from_receipts_alone(world: World, tmp_path: Path) -> None:
    texts = list[str]()
    for file in sorted((world.path / "truth").glob("declared_on=*/truth.parquet")):
        day = date.fromisoformat(file.parent.name.removeprefix("declared_on="))
        if day >= NIGHT:
            continue
        truth = pl.read_parquet(file, hive_partitioning=False)
        risky = pl.col("undervaluation") | pl.col("prohibited_item")
        held = truth.filter(risky)["declaration_id"].unique(maintain_order=True)
        others = truth["declaration_id"].unique(maintain_order=True).gather_every(6)
        texts += receipts(day, held, held=True)
        texts += receipts(day, others.filter(~others.is_in(held.implode())), held=False)
    listed = world.listed()
    texts += receipts(NIGHT, listed["declaration_id"], held=False)
    file = written(tmp_path, "622", texts)
    assert world.run("ingest", str(file), "--source", "ceb", "--backfill", "--quiet") == 0

    inspections = world.store.read_inspections().filter(pl.col("irregularity").is_not_null())
    assert inspections["irregularity"].sum() > 50
    of_list = inspections.filter(pl.col("inspected_on") == NIGHT).unique("declaration_id")
    places = of_list.join(listed, on="declaration_id", suffix="_listed")
    assert places.height == listed.height
    # What an inspector returned of the same line and day keeps its own channel.
    own = places.filter(pl.col("selection") != pl.col("selection_listed"))
    assert set(own["selection"]) <= {"referral"}
    rest = places.filter(pl.col("selection") == pl.col("selection_listed"))
    assert rest["inspection_probability"].eq_missing(rest["inspection_probability_listed"]).all()
    assert {"risk", "random"} <= set(rest["selection"])

    assert world.run("train", "--risk", "irregularity", "--until", str(NIGHT), "--quiet") == 0
    assert world.score(NIGHT + timedelta(days=1), "--quiet") == 0
    scores = world.scores(NIGHT + timedelta(days=1))
    assert scores["irregularity"].is_between(0.0, 1.0).all()
    truth = pl.read_parquet(
        world.path / f"truth/declared_on={NIGHT + timedelta(days=1)}/truth.parquet", hive_partitioning=False
    )
    risky = truth.with_columns(held=pl.col("undervaluation") | pl.col("prohibited_item"))
    means = scores.join(risky, on=["declaration_id", "line_no"]).group_by("held").agg(pl.mean("irregularity"))
    by_truth = dict(means.rows())
    assert by_truth[True] > by_truth[False]
