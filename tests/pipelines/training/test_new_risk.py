"""A new risk is one file in a folder: it is trained, scored and listed with reasons like the shipped ones."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from features.arrays.hashing import hash_text
from tests.pipelines.trained_world import NIGHT, RISKS, TRAINED_UNTIL, World, write_configs

COUNTERFEIT = """
label: counterfeit
title: {en: Counterfeit goods, zh: 假冒商品}
finding_value: {kind: constant, cny: 800}
rounds: 20
maturity_days: 3
"""
CRITICAL_FRAUD = """
label: critical_fraud
title: {en: Critical fraud}
fair_value: true
finding_value: {kind: tax_shortfall, floor_cny: 500}
rounds: 20
maturity_days: 3
"""
NEXT = NIGHT + timedelta(days=1)


def counterfeit_results(world: World) -> pl.DataFrame:
    """Results of every fifth line: a fifth of the sellers sells nothing but copies."""
    known = world.store.read_inspections().select("declaration_id", "line_no").lazy()
    lines = world.store.scan_declarations(None, TRAINED_UNTIL - timedelta(days=2)).drop_nulls("seller_id")
    fresh = lines.join(known, on=["declaration_id", "line_no"], how="anti").collect()
    inspected = fresh.filter(hash_text(fresh["declaration_id"]) % 5 == 0)
    return inspected.select(
        "declaration_id",
        "line_no",
        pl.col("declared_on").alias("inspected_on"),
        (pl.col("declared_on") + timedelta(days=1)).alias("reported_on"),
        copies(inspected).alias("counterfeit"),
    )


def copies(lines: pl.DataFrame) -> pl.Series:
    return hash_text(lines["seller_id"]) % 5 == 1


def test_counterfeit_is_one_file(tmp_path: Path, trained: World, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(trained.configs, tmp_path / "configs")
    (tmp_path / "configs/risks/counterfeit.yaml").write_text(COUNTERFEIT, encoding="utf-8")
    # With another label the history is folded anew, so it is short.
    world = World(trained.newest(tmp_path, TRAINED_UNTIL - timedelta(days=11)).path, tmp_path / "configs")

    assert world.score(NIGHT) == 0
    assert "counterfeit: no model in use, its scores are null" in capsys.readouterr().out
    assert world.scores(NIGHT)["counterfeit"].null_count() == world.scores(NIGHT).height

    counterfeit_results(world).write_csv(tmp_path / "results.csv")
    assert world.run("ingest", tmp_path / "results.csv") == 0
    assert world.run("train", "--risk", "counterfeit", "--until", str(TRAINED_UNTIL)) == 0
    assert "counterfeit: version 1, in use from now on" in capsys.readouterr().out
    assert world.score(NEXT) == 0

    scores = world.scores(NEXT)
    assert scores.columns == ["declaration_id", "line_no", *sorted([*RISKS, "counterfeit"])]
    assert scores["counterfeit"].is_between(0.0, 1.0).all()
    lines = world.store.read_declarations(NEXT)
    probability = scores["counterfeit"].filter(copies(lines).fill_null(False))
    assert probability.mean() > 2 * scores["counterfeit"].filter(~copies(lines).fill_null(False)).mean()  # type: ignore[operator]

    listed = world.listed(NEXT).filter(pl.col("risk") == "counterfeit", pl.col("selection") == "risk")
    assert listed.height
    assert listed["reason_1"].null_count() == 0
    page = next((world.path / f"lists/declared_on={NEXT}").glob(f"{listed['customs_office'][0]}.html"))
    assert "Counterfeit goods" in page.read_text(encoding="utf-8")
    assert world.run("champion list") == 0
    assert "counterfeit: version 1 since " in capsys.readouterr().out


def test_critical_fraud_on_the_public_korean_table(
    tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = date(2020, 1, 16)
    table = pl.read_csv(shared / "korea" / "train.csv", infer_schema=False)
    table.filter(pl.col("Date") <= str(last)).write_csv(tmp_path / "january.csv")
    configs = write_configs(tmp_path / "configs")
    (configs / "risks/critical_fraud.yaml").write_text(CRITICAL_FRAUD, encoding="utf-8")
    world = World(tmp_path / "S", configs)

    assert world.run("ingest", tmp_path / "january.csv", "--mapping", "korea") == 0
    before = str(last - timedelta(days=1))
    assert world.run("train", "--risk", "critical_fraud", "--until", before) == 0
    assert "critical_fraud: version 1, in use from now on" in capsys.readouterr().out
    assert world.score(last) == 0
    said = capsys.readouterr().out
    assert "critical_fraud: model version 1" in said
    assert "food_safety: no model in use, its scores are null" in said

    scores = world.scores(last)
    assert scores.height == world.store.read_declarations(last).height > 50
    assert scores["critical_fraud"].is_between(0.0, 1.0).all()
    listed = world.listed(last)
    assert set(listed["risk"]) == {"critical_fraud"}
    assert listed["reason_1"].null_count() == 0
