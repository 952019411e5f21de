"""Report, plan and monitor of a store: figures by SQL from its files, and pages in a browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from playwright.sync_api import Browser

from models.selection.strata import random_places
from tests.pipelines.monitoring.test_monitor import pretend_scores
from tests.pipelines.page_checks import faults_of
from tests.pipelines.taken_in import take_in
from tests.pipelines.trained_world import END, NIGHT, RISKS, World, without_server

LABELS = dict(zip(sorted(RISKS), ("food_safety", "prohibited_item", "undervaluation"), strict=True))
_TABLES = ("declarations", "inspections", "scores", "values")


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory, scored: World) -> World:
    """A store whose night's lists came back, all but every fifth parcel, and what the verbs made of it."""
    with without_server():
        folder = tmp_path_factory.mktemp("week")
        world = replace(scored.copy(folder), configs=folder / "configs")
        shutil.copytree(scored.configs, world.configs)
        # One finding is enough for a figure.
        with (world.configs / "pipeline.yaml").open("a", encoding="utf-8") as file:
            file.write("gate: {least_findings: 1}\n")
        pretend_scores(world)
        truth = pl.read_parquet(world.path / f"truth/declared_on={NIGHT}/*.parquet", hive_partitioning=False)
        listed = world.listed().filter(pl.col("rank") % 5 != 0).select("declaration_id", "selection")
        results = truth.join(listed, on="declaration_id").select(
            "declaration_id", "line_no", "selection",
            pl.lit(NIGHT).alias("inspected_on"), pl.lit(END).alias("reported_on"),
            "undervaluation", "prohibited_item",
            pl.when(pl.col("line_no") == 1).then("food_safety").alias("food_safety"),
            pl.when("undervaluation").then(12.5).alias("recovered_tax_cny"),
        )  # fmt: skip
        take_in(world.path, results, settings=world.settings)
        take_in(world.path, chosen_before(world), settings=world.settings)
        day = NIGHT.isoformat()
        assert world.run("monitor", "--date", day, "--weeks", "2", "--quiet") == 0
        assert world.run("plan", "--date", day, "--more", "2", "--quiet") == 0
        assert world.run("report", "--from", day, "--to", day, "--quiet") == 0
    return world


def chosen_before(world: World) -> pl.DataFrame:
    """Parcels that a list of some days before chose, and that came back in time for the night's monitor."""
    day = NIGHT - timedelta(days=5)
    truth = pl.read_parquet(world.path / f"truth/declared_on={day}/*.parquet", hive_partitioning=False)
    return truth.filter(pl.col("undervaluation") | (pl.int_range(pl.len()) % 10 == 0)).select(
        "declaration_id", "line_no", pl.lit("risk").alias("selection"),
        pl.lit(NIGHT).alias("inspected_on"), pl.lit(NIGHT).alias("reported_on"), "undervaluation",
    )  # fmt: skip


@pytest.fixture(scope="module")
def sql(week: World) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of the store as views, the list, and what is known of each inspected parcel."""
    with duckdb.connect() as connection:
        for table in _TABLES:
            connection.execute(
                f"create view {table} as select * from read_parquet('{week.path}/{table}/*/*.parquet', "
                "hive_partitioning = true, union_by_name = true)"
            )
        listed = week.path / f"lists/declared_on={NIGHT}/sampling_list.parquet"
        connection.execute(f"create view listed as select * from read_parquet('{listed}')")
        labels = ", ".join(f"bool_or({label}) as {label}" for label in LABELS.values())
        connection.execute(
            f"create view parcels as select declaration_id, {labels}, sum(recovered_tax_cny) as tax, "
            "coalesce(bool_or(undervaluation or prohibited_item or food_safety), false) as found "
            f"from inspections where reported_on >= '{NIGHT}' group by declaration_id"
        )
        yield connection


def one(sql: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = sql.execute(query).fetchone()
    assert row is not None
    return row[0]


def made(week: World, name: str) -> pl.DataFrame:
    return pl.read_parquet(week.path / f"reports/{NIGHT}_{NIGHT}/{name}.parquet", hive_partitioning=False)


def test_the_report_counts_what_the_files_say(week: World, sql: duckdb.DuckDBPyConnection) -> None:
    entries, rates = made(week, "entries"), made(week, "hit_rates_in_all")
    assert entries.height == one(sql, "select count(*) from listed")
    opened, found, tax = sql.execute(
        "select count(*), sum(found::int), sum(tax) from listed join parcels using (declaration_id)"
    ).fetchall()[0]
    assert 0 < found < opened < entries.height
    assert made(week, "became_of")["opened"].sum() == opened
    assert (rates["examined"].sum(), rates["findings"].sum()) == (opened, found)
    assert rates["recovered_tax_cny"].sum() == pytest.approx(tax)
    by_channel = sql.execute(
        "select selection, count(*), sum(found::int) from listed join parcels using (declaration_id) "
        "group by selection order by selection"
    ).fetchall()
    counted = rates.filter(pl.col("examined") > 0).select("selection", "examined", "findings")
    assert counted.sort("selection").rows() == by_channel
    grid = made(week, "findings_by_risk").drop_nulls("customs_office")
    for risk, label in LABELS.items():
        assert (
            grid.filter(risk=risk).select("customs_office", "examined", "findings").rows()
            == sql.execute(
                f"select customs_office, count({label}), coalesce(sum({label}::int), 0) from listed "
                "left join parcels using (declaration_id) group by customs_office order by customs_office"
            ).fetchall()
        )
    others = made(week, "other_inspections")
    unlisted = (
        "from parcels anti join listed using (declaration_id) semi join "
        f"(select * from declarations where declared_on = '{NIGHT}') using (declaration_id)"
    )
    assert others["inspected"].sum() == one(sql, f"select count(*) {unlisted}") > 0
    assert others["findings"].sum() == one(sql, f"select sum(found::int) {unlisted}")


def test_the_plan_expects_what_the_scores_say(week: World, sql: duckdb.DuckDBPyConnection) -> None:
    plan = pl.read_parquet(week.path / f"plans/declared_on={NIGHT}/plan.parquet", hive_partitioning=False)
    # A parcel's probability of a risk is that of any of its lines; a finding is a parcel with any risk.
    parts = ", ".join(
        f"1 - exp(sum(ln(1 - least(s.{risk}, 1 - 1e-15)))) as p_{risk}, "
        f"coalesce(sum(s.{risk} * v.{risk}) / nullif(sum(s.{risk}), 0), 0) as v_{risk}"
        for risk in LABELS
    )
    any_risk = "1 - " + " * ".join(f"(1 - p_{risk})" for risk in LABELS)
    value = " + ".join(f"p_{risk} * v_{risk}" for risk in LABELS)
    sql.execute(
        f"create or replace temp view worth as select customs_office, {any_risk} as finding, "
        f"{value} as value "
        f"from (select declaration_id, first(d.customs_office) as customs_office, {parts} from scores s "
        "join values v using (declaration_id, line_no) join declarations d using (declaration_id, line_no) "
        f"where s.declared_on = '{NIGHT}' group by declaration_id)"
    )
    capacity = week.settings.capacity
    now = plan.filter(pl.col("places") == pl.col("places_now"))
    assert now.height == one(sql, "select count(distinct customs_office) from listed") > 1
    for row in now.iter_rows(named=True):
        office, places = row["customs_office"], row["places"]
        others = random_places(places, capacity.random_share)
        others = min(places, others + round(capacity.exploration_share * places))
        office_parcels = f"from worth where customs_office = '{office}'"
        assert row["parcels"] == one(sql, f"select count(*) {office_parcels}")
        for name, measure in (("expected_findings", "finding"), ("expected_value_cny", "value")):
            best = one(
                sql,
                f"select sum({measure}) from (select * {office_parcels} order by value desc "
                f"limit {places - others})",
            )
            mean = one(sql, f"select avg({measure}) {office_parcels}")
            assert row[name] == pytest.approx((best or 0.0) + others * mean)


def test_monitor_counts_the_results_that_the_files_have(week: World, sql: duckdb.DuckDBPyConnection) -> None:
    content = json.loads((week.path / f"monitoring/date={NIGHT}/report.json").read_text(encoding="utf-8"))
    assert content["lines"] == one(sql, f"select count(*) from scores where declared_on = '{NIGHT}'")
    label, risk = "undervaluation", "undervaluation"
    found = content["results"][risk]
    # One row a parcel that the newest reports up to the night call examined, of lines whose results are in.
    sql.execute(
        "create or replace temp view answered as select declaration_id, "
        "arg_max(selection, reported_on) as selection, "
        f"arg_max(inspection_probability, reported_on) as chance, bool_or({label}) as found from inspections "
        f"join declarations using (declaration_id, line_no) semi join scores using (declaration_id, line_no) "
        f"where reported_on <= '{NIGHT}' and {label} is not null "
        f"and declared_on between date '{found['declared_to']}' - 13 and '{found['declared_to']}' "
        "group by declaration_id"
    )
    chosen = "from answered where selection in ('risk', 'exploration')"
    drawn = "from answered where selection = 'random' and chance is not null"
    weeks = found["weeks"]
    assert sum(row["chosen_parcels"] for row in weeks) == one(sql, f"select count(*) {chosen}") > 0
    assert found["chosen_rate"]["findings"] == one(sql, f"select sum(found::int) {chosen}")
    assert sum(row["random_parcels"] for row in weeks) == one(sql, f"select count(*) {drawn}") > 0
    assert found["random_rate"]["findings"] == one(sql, f"select sum(found::int) {drawn}")
    rate = one(sql, f"select avg(found::int) {chosen}")
    assert rate > 0.0
    assert found["chosen_rate"]["value"] == pytest.approx(rate)
    (calibration,) = (row for row in found["calibration"] if row["share"] == "the random share")
    expected = one(
        sql,
        f"select sum({risk}) from scores semi join (select * from inspections where selection = 'random' "
        f"and reported_on <= '{NIGHT}') using (declaration_id, line_no) where declared_on between "
        f"date '{found['declared_to']}' - 13 and '{found['declared_to']}'",
    )
    assert calibration["expected"] == pytest.approx(expected)


def pages_of(week: World) -> Iterator[Path]:
    for folder in ("reports", "plans", "monitoring"):
        yield from (week.path / folder).glob("*/*.html")
    yield from sorted(week.path.with_name("S.mlflow").rglob("report.html"))[:1]


def test_pages_are_accessible_and_whole_on_paper(week: World, browser: Browser) -> None:
    pages = list(pages_of(week))
    assert len(pages) == 4
    assert [(path.name, fault) for path in pages for fault in faults_of(browser, path)] == []
