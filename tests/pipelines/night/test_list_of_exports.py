"""A list of exports from configuration to report: files, entries, what comes back, plan and monitor."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from pipelines.lists.issued import issued_lists
from pipelines.lists.write import SAMPLING_LIST_SCHEMA
from pipelines.monitoring.performance import scored_parcels
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_json, read_whole, write_table
from tests.english import english_in
from tests.pipelines.trained_world import NIGHT, World

_CAPACITY = """
default: {parcels: 12, exports: {parcels: 3}}
random_share: 0.3
exploration_share: 0.1
"""


@pytest.fixture
def world(scored_world: World, tmp_path: Path) -> World:
    """A scored day with lists of exports beside the others."""
    configs = tmp_path / "configs"
    shutil.copytree(scored_world.configs, configs)
    (configs / "capacity.yaml").write_text(_CAPACITY, encoding="utf-8")
    changed = replace(scored_world, configs=configs)
    assert changed.run("select", "--date", NIGHT.isoformat()) == 0
    return changed


def _entries(world: World) -> pl.DataFrame:
    """The entries of the newest lists, with the direction of each parcel."""
    rows = issued_lists(world.store, NIGHT)
    newest = rows.filter(pl.col("issue") == rows["issue"].max())
    declared = world.store.read_declarations(NIGHT, ["declaration_id", "direction", "trade_mode"])
    return newest.join(declared.unique("declaration_id"), on="declaration_id", maintain_order="left")


def _manifest(world: World, verb: str) -> Mapping[str, Any]:
    return dict(read_json(world.store.layout.manifests_of_day(verb, NIGHT)[-1]))


def test_every_listed_export_stands_on_a_list_of_exports(world: World) -> None:
    entries = _entries(world)
    is_own = entries["shift"].eq_missing("exports")
    assert is_own.any()
    assert (~is_own).any()
    assert (entries.filter(is_own)["direction"] == "export").all()
    assert (entries.filter(~is_own)["direction"] == "import").all()
    assert entries.filter(is_own).group_by("customs_office").len()["len"].max() == 3
    # One list id each, and each office's own.
    ids = entries.group_by("customs_office", "shift").agg(pl.col("list_id").unique())
    assert (ids["list_id"].list.len() == 1).all()
    assert ids["list_id"].explode().is_unique().all()


def test_tables_are_what_programs_read_and_rows_are_all_accounted_for(world: World) -> None:
    listed = world.listed()
    assert dict(listed.schema) == SAMPLING_LIST_SCHEMA
    assert listed["declaration_id"].is_unique().all()
    for (_,), of_office in listed.group_by("customs_office"):
        assert of_office["rank"].to_list() == list(range(1, of_office.height + 1))
    account = _manifest(world, "select")
    assert account["rows_in"] == account["rows_kept"] == account["rows_scored"]
    assert account["parcels_listed"] == listed.height


def test_documents_of_exports_stand_beside_those_of_the_office(world: World) -> None:
    folder = world.path / f"lists/declared_on={NIGHT}"
    entries = _entries(world)
    for office, shift in entries.select("customs_office", "shift").unique().iter_rows():
        name = office if shift is None else f"{office}-exports"
        book = openpyxl.load_workbook(folder / f"{name}.xlsx")
        title = "Sampling list of " if shift is None else "Sampling list of exports, "
        assert book.worksheets[0]["A1"].value == f"{title}customs office {office}"
        assert (folder / f"{name}.html").exists()
    # The chance that a row tells is that of the draw from its list.
    strata = pl.read_parquet(
        world.path / f"strata/declared_on={NIGHT}/strata.parquet", hive_partitioning=False
    )
    drawn = entries.filter(selection="random").with_columns(exports=pl.col("shift").eq_missing("exports"))
    known = drawn.join(strata, on=["customs_office", "trade_mode", "exports"], suffix="_of_draw")
    assert known.height == drawn.height
    assert known["inspection_probability"].equals(known["inspection_probability_of_draw"], check_names=False)
    reasons = world.listed().filter(selection="random").join(known, on="declaration_id")
    for reason, count, parcels in reasons.select("reason_1", "drawn", "parcels").iter_rows():
        assert reason.startswith(f"random check: {count} of the {parcels} parcels of this office")


def test_a_list_of_exports_comes_back_and_is_reported(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = _entries(world).filter(pl.col("shift").eq_missing("exports"))
    returned = own.select(
        *("list_id", "rank", "declaration_id"),
        pl.lit("found").alias("result_undervaluation"),
        pl.lit(NIGHT.isoformat()).alias("inspected_on"),
    )
    returned.write_csv(tmp_path / "back.csv")
    assert world.run("feedback", tmp_path / "back.csv") == 0
    # The world has results of its own; those of the list came last.
    inspections = world.store.read_inspections()
    results = inspections.filter(pl.col("reported_on") == pl.col("reported_on").max())
    assert set(results["declaration_id"]) == set(own["declaration_id"])
    expected = dict(own.select("declaration_id", "selection").iter_rows())
    for parcel, selection in results.select("declaration_id", "selection").iter_rows():
        assert selection == expected[parcel]
    capsys.readouterr()
    assert world.run("report", "--out", tmp_path / "report") == 0
    printed = capsys.readouterr().out
    lists = pl.read_parquet(next((tmp_path / "report").rglob("lists.parquet")))
    counted = lists.filter(pl.col("shift").eq_missing("exports"))
    assert counted.select("parcels", "returned").sum().row(0) == (own.height, own.height)
    assert f"{own.height:,} parcels" in printed
    page = next((tmp_path / "report").rglob("*.html")).read_text(encoding="utf-8")
    assert "<td>exports</td>" in page


def test_plan_and_monitor_know_the_list(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.run("plan", "--date", NIGHT.isoformat()) == 0
    said = capsys.readouterr().out
    table = pl.read_parquet(world.path / f"plans/declared_on={NIGHT}/plan.parquet", hive_partitioning=False)
    offices = table.filter("exports")["customs_office"].unique()
    assert len(offices) > 1
    for office in offices:
        assert (
            f"  {office} (exports): 3 of " in said
            or f"  {office} (exports): 2 of " in said
            or (f"  {office} (exports): 1 of " in said)
        )
    (world.configs / "capacity.yaml").write_text(_CAPACITY + "language: zh-CN\n", encoding="utf-8")
    assert world.run("plan", "--date", NIGHT.isoformat()) == 0
    assert "（出口）" in (told := capsys.readouterr().out)
    assert not english_in(told.replace(str(world.path), ""))
    scored = scored_parcels(world.store, NIGHT, ["undervaluation"])
    directions = world.store.read_declarations(NIGHT, ["declaration_id", "direction"]).unique(
        "declaration_id"
    )
    known = scored.join(directions, on="declaration_id")
    assert (known["exports"] == (known["direction"] == "export")).all()
    assert world.run("monitor", "--date", NIGHT.isoformat()) == 0


def test_a_day_that_was_listed_without_them_has_none(scored_world: World) -> None:
    assert not scored_parcels(scored_world.store, NIGHT, ["undervaluation"])["exports"].any()
    store, file = scored_world.store, scored_world.store.layout.file(DayTable.STRATA, NIGHT)
    before = read_whole(file).drop("exports")
    with store.lock("test"), store.transaction() as t:
        write_table(before, t.stage(file.parent) / file.name)
    assert not scored_parcels(scored_world.store, NIGHT, ["undervaluation"])["exports"].any()
