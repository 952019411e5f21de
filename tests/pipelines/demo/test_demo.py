from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from rich.cells import cell_len

from configs.errors import DataError
from configs.loader import load_settings
from models.risk.risk_model import RiskModel
from pipelines.cli.logs import to_json
from pipelines.cli.main import run
from pipelines.demo.demo import DemoPlan, demo
from pipelines.demo.folder import MARKER
from pipelines.demo.report import WIDTH, DemoReport
from pipelines.demo.true_parcels import true_parcels
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.trained_world import RISKS, write_configs

PLAN = DemoPlan(
    days=20,
    parcels_per_day=250,
    nights=2,
    seed=5,
    inspection_share=0.3,
    random_share=0.1,
    capacity_share=0.05,
    capacity_minimum=2,
)
NOWHERE = "http://127.0.0.1:9/not-for-a-demo"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoReport]:
    """A small demo, in a folder where an earlier one left a store."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "demo" / "store" / "declarations").mkdir(parents=True)
    (folder / "demo" / "store" / "left.parquet").touch()
    (folder / "demo" / MARKER).touch()
    settings = load_settings(write_configs(folder / "configs"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_URI", NOWHERE)
        yield demo(folder / "demo", settings=settings, progress=Progress.silent(), plan=PLAN)
        assert os.environ["MLFLOW_TRACKING_URI"] == NOWHERE


def listed_truth(report: DemoReport) -> list[tuple[Any, ...]]:
    """Every parcel of the nights, put together by DuckDB from the files, and whether it is listed."""
    store = report.folder.store
    first = PLAN.first_night
    return (
        duckdb.connect()
        .execute(f"""
        WITH truth AS (
            SELECT declared_on, declaration_id, bool_or(undervaluation), bool_or(prohibited_item),
                   bool_or(food_safety), sum(tax_shortfall_cny) AS shortfall
            FROM read_parquet('{store}/truth/*/*.parquet', hive_partitioning = true)
            WHERE declared_on >= DATE '{first}' GROUP BY ALL),
        lists AS (
            SELECT declared_on, declaration_id
            FROM read_parquet('{store}/lists/*/sampling_list.parquet', hive_partitioning = true))
        SELECT truth.*, lists.declaration_id IS NOT NULL
        FROM truth LEFT JOIN lists USING (declared_on, declaration_id)
    """)
        .fetchall()
    )


def test_the_table_counts_what_is_in_the_files(report: DemoReport) -> None:
    parcels = listed_truth(report)
    assert report.outcome.parcels == len(parcels)
    assert report.outcome.listed == sum(row[-1] for row in parcels) > 0
    places = {"undervaluation": 2, "prohibited_items": 3, "food_safety": 4}
    by_name = {risk.risk: risk for risk in report.outcome.risks}
    for name, place in places.items():
        assert by_name[name].parcels == sum(row[place] for row in parcels)
        assert by_name[name].found == sum(row[place] and row[-1] for row in parcels)
    assert report.outcome.shortfall_cny == pytest.approx(sum(row[5] for row in parcels))
    assert report.outcome.shortfall_found_cny == pytest.approx(sum(row[5] for row in parcels if row[-1]))
    assert by_name["undervaluation"].found > 0


def test_the_printed_figures_are_those_of_the_outcome(report: DemoReport) -> None:
    text = "\n".join(report.lines())
    for risk in report.outcome.risks:
        row = next(line for line in text.splitlines() if re.match(rf"{risk.risk} +\d", line) and "to" in line)
        numbers = row.removeprefix(risk.risk).replace(",", "").split()
        assert numbers[:2] == [str(risk.parcels), str(risk.found)]
        assert numbers[2] == f"{risk.precision:.1%}"
        if risk.parcels:
            assert numbers[3] == f"{risk.recall:.1%}"
            assert numbers[-1] == f"{risk.lift:.1f}x"


def test_no_scored_night_was_learned_from(report: DemoReport) -> None:
    assert report.trained.until == PLAN.first_night - timedelta(days=1)
    assert [night.day for night in report.scored.days] == [PLAN.first_night, PLAN.end]
    models = [RiskModel.load(model.folder) for model in report.scored.champions.values()]
    assert models
    assert all(date.fromisoformat(model.metadata["declared_to"]) < PLAN.first_night for model in models)


def test_everything_is_in_the_folder_and_made_anew(report: DemoReport) -> None:
    names = {path.name for path in report.folder.path.iterdir()}
    assert names == {MARKER, ".lock", "store", "store.mlflow", "configs", "pseudonym.key"}
    assert not (report.folder.store / "left.parquet").exists()
    assert report.trained.tracking == f"sqlite:///{report.folder.tracking / 'mlflow.db'}"
    assert (report.folder.configs / "risks" / f"{RISKS[0]}.yaml").is_file()


def test_the_key_is_for_its_owner_alone_and_nowhere_else(report: DemoReport) -> None:
    assert stat.S_IMODE(report.folder.key_file.stat().st_mode) == 0o600
    key = report.folder.key_file.read_bytes().strip()
    others = [
        path for path in report.folder.path.rglob("*") if path.is_file() and path != report.folder.key_file
    ]
    assert len(others) > 50
    assert [path for path in others if key in path.read_bytes()] == []
    assert key.decode() not in "\n".join(report.lines()) + to_json(report.as_dict())


def test_the_report_reads_in_a_log(report: DemoReport) -> None:
    lines = report.lines()
    places = lines.index("SEE FOR YOURSELF")
    assert [line for line in lines[:places] if cell_len(line) > WIDTH or "\x1b" in line] == []
    assert report.exit_code == 0
    assert to_json(report.as_dict())


def test_the_sample_shows_the_top_of_a_list_beside_the_truth(report: DemoReport) -> None:
    sample = report.sample
    assert sample is not None
    assert sample.page.is_file()
    assert [row.rank for row in sample.rows] == list(range(1, len(sample.rows) + 1))
    found = {(row[0], row[1]): row for row in listed_truth(report)}
    for row in sample.rows:
        _, _, undervaluation, prohibited, food, _, listed = found[sample.day, row.declaration_id]
        assert listed
        assert set(row.truth) == {
            name for name, true in zip(RISKS, (food, prohibited, undervaluation), strict=True) if true
        }
        assert row.reasons
    shown = [line for line in report.lines() if re.match(r" +\d\. ", line)]
    assert len(shown) == len(sample.rows)
    for line, row in zip(shown, sample.rows, strict=True):
        assert line.endswith("; in truth: " + (", ".join(row.truth) or "nothing wrong"))
        assert ("drawn at random" in line) == row.at_random


def test_the_commands_work(report: DemoReport, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("MLFLOW_TRACKING_URI", raising=False)
        for purpose in ("models in use", "results back", "shorter lists"):
            program, *arguments = shlex.split(report.commands()[purpose])
            assert Path(program).name == "parcel-risk"
            assert run(arguments) == 0
    assert "undervaluation: version 1" in capsys.readouterr().out
    _, mlflow, *options = shlex.split(report.commands()["runs and models"])
    assert Path(mlflow).name == "mlflow"
    assert options[:3] == ["ui", "--backend-store-uri", report.trained.tracking]


def test_real_data_has_no_truth(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only `parcel-risk simulate` writes it"):
        true_parcels(Store.create(tmp_path / "S"), PLAN.end)


def test_parcels_without_an_office_are_counted_with_the_unassigned(report: DemoReport) -> None:
    parcels = pl.concat(
        [true_parcels(Store.open(report.folder.store), night.day) for night in report.scored.days]
    )
    assert parcels["declaration_id"].is_unique().all()
    lists = pl.read_parquet(
        report.folder.store / "lists/*/sampling_list.parquet", hive_partitioning=False
    ).select("declaration_id", "customs_office")
    offices = lists.join(parcels, on="declaration_id", suffix="_true")
    assert (offices["customs_office"] == offices["customs_office_true"]).all()
