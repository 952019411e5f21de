"""What other capacities would find; and lists with a watch list, shifts and caps, made from stored scores."""

from __future__ import annotations

import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from configs.language import language
from models.selection.planner import PLAN_SCHEMA
from pipelines.night.plan import PlanReport, plan_page
from tests.english import english_in
from tests.pipelines.trained_world import END, NIGHT, World

_CAPACITY = """
default: {{parcels: 20}}
random_share: 0.1
exploration_share: 0.1
caps: {{per_seller: 0.5, per_address: 0.5, per_goods: 0.5}}
offices:
  "{office}": {{shifts: {{early: 6, late: 4}}}}
must_inspect:
  - {{column: seller_id, value: "{seller}", since: {since}, reason: "live beetles in October"}}
  - {{column: seller_id, value: "{seller}", since: {since}, until: {before}, reason: "over by now"}}
"""


def test_a_plan_counts_what_the_lists_hold(scored_world: World, capsys: pytest.CaptureFixture[str]) -> None:
    capacity = scored_world.path.parent / "configs"
    shutil.copytree(scored_world.configs, capacity)
    (capacity / "capacity.yaml").write_text("random_share: 0.0\nexploration_share: 0.0\n")
    world = replace(scored_world, configs=capacity)
    assert world.run("plan", "--date", NIGHT.isoformat(), "--capacity", "8", "--more", "2") == 0
    said = capsys.readouterr().out
    folder = world.path / f"plans/declared_on={NIGHT}"
    table = pl.read_parquet(folder / "plan.parquet", hive_partitioning=False)
    assert dict(table.schema) == PLAN_SCHEMA
    now = table.filter(pl.col("places") == pl.col("places_now"))
    assert now["places"].to_list() == [min(8, parcels) for parcels in now["parcels"]]
    assert now["customs_office"].to_list() == sorted(world.listed()["customs_office"].unique())
    for office in now["customs_office"]:
        assert f"  {office}: " in said
    assert (
        table.group_by("customs_office")
        .agg(pl.col("expected_findings").is_sorted())["expected_findings"]
        .all()
    )
    # Of what the last two places find nothing is left where they stand elsewhere.
    assert now["findings_of_fewer"].null_count() == (now["places"] < 2).sum()
    moved = now.sort("value_of_more_cny")["value_of_more_cny"][-1] - now["value_of_fewer_cny"].min()
    assert (f"are worth CNY {moved:,.0f} more a day" in said) == (moved > 0.0)
    # Without caps a list holds what the plan counted.
    (capacity / "capacity.yaml").write_text(
        "random_share: 0.0\nexploration_share: 0.0\n"
        "caps: {per_seller: null, per_address: null, per_goods: null}\n"
    )
    assert world.run("select", "--date", NIGHT.isoformat(), "--capacity", "8") == 0
    value = (
        world.listed()
        .group_by("customs_office")
        .agg(pl.col("expected_value_cny").sum())
        .sort("customs_office")
    )
    assert value["expected_value_cny"].to_list() == pytest.approx(now["expected_value_cny"].to_list())
    page = (folder / "plan.html").read_text(encoding="utf-8")
    HTMLParser().feed(page)
    assert "<script" not in page
    assert page.count("<svg") == 1 + 2 * now.height
    assert page.count(">today</text>") == 2 * now.height
    chinese = language("zh-CN")
    told = PlanReport(NIGHT, table, folder, chinese).lines()
    assert not english_in(*told, plan_page(table, NIGHT, chinese))


def test_a_plan_of_a_day_without_scores_is_refused(
    scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored_world.run("plan", "--date", END.isoformat()) == 2
    assert f"parcel-risk score --date {END}" in capsys.readouterr().err


def test_a_watch_list_and_shifts_of_the_configuration_come_to_the_lists(
    scored_world: World, tmp_path: Path
) -> None:
    day = pl.read_parquet(
        scored_world.path / f"declarations/declared_on={NIGHT}/*.parquet", hive_partitioning=False
    )
    unlisted = day.filter(~pl.col("declaration_id").is_in(scored_world.listed()["declaration_id"].implode()))
    seller, office = (
        unlisted.drop_nulls("seller_id").row(0, named=True)["seller_id"],
        day["customs_office"][0],
    )
    configs = tmp_path / "configs"
    shutil.copytree(scored_world.configs, configs)
    text = _CAPACITY.format(office=office, seller=seller, since="2026-11-01", before="2026-11-02")
    (configs / "capacity.yaml").write_text(text, encoding="utf-8")
    assert replace(scored_world, configs=configs).run("select", "--date", NIGHT.isoformat()) == 0
    listed = scored_world.listed()
    watched = set(day.filter(seller_id=seller)["declaration_id"])
    on_list = listed.filter(pl.col("declaration_id").is_in(list(watched)))
    assert set(on_list["declaration_id"]) == watched
    by_rule = on_list.filter(selection="rule")
    assert by_rule.height
    assert set(by_rule["reason_1"]) == {"on the watch list since 2026-11-01: live beetles in October"}
    assert (listed.filter(selection="rule")["rank"] <= by_rule.height).all()
    explored = listed.filter(selection="exploration")
    assert explored.height
    assert explored["inspection_probability"].is_between(0.0, 1.0, closed="right").all()
    assert explored["reason_1"].str.starts_with("drawn to learn from").all()
    said = pl.read_parquet(scored_world.path / f"lists/declared_on={NIGHT}/sampling_list.parquet")
    assert said.filter(customs_office=office).height == 10
