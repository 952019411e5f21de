"""The verb: what a simulation writes into a store, that it is repeatable, and what it refuses."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from configs.errors import UsageError
from configs.loader import load_settings
from configs.schema.settings import Settings
from pipelines.cli.main import run as cli
from pipelines.simulation import SimulationReport, simulate
from pipelines.store.store import Store
from pipelines.work.progress import Progress

END = date(2026, 11, 20)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings()


def run(store: Path, settings: Settings, end: date = END, seed: int = 7, days: int = 6) -> SimulationReport:
    return simulate(
        store, days=days, parcels_per_day=200, end=end, seed=seed, drift=False, settings=settings,
        progress=Progress.silent(),
    )  # fmt: skip


def contents(store: Path) -> dict[str, str]:
    return {
        str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(store.rglob("*.parquet"))
    }


def test_the_store_holds_declarations_results_and_truth(tmp_path: Path, settings: Settings) -> None:
    report = run(tmp_path / "s", settings)
    store = Store.open(tmp_path / "s")
    days = [END - timedelta(days=back) for back in range(5, -1, -1)]
    assert store.declaration_days() == days
    assert sum(store.read_declarations(day).height for day in days) == report.rows
    results = store.read_inspections()
    assert results.height == report.inspection_rows
    assert results["reported_on"].max() <= END  # type: ignore[operator]
    truth = pl.read_parquet(tmp_path / "s" / "truth" / "**" / "*.parquet")
    assert truth.height == report.rows
    assert report.exit_code == 0
    assert report.results_still_to_come > 0


def test_the_manifest_accounts_for_every_line(tmp_path: Path, settings: Settings) -> None:
    report = run(tmp_path / "s", settings)
    (path,) = Store.open(tmp_path / "s").layout.manifests("simulate")
    manifest = json.loads(path.read_text(encoding="utf-8"))
    assert path.name == "simulate-2026-11-20-1.json"
    assert manifest["rows_in"] == manifest["rows_kept"] == report.rows
    assert (
        manifest["rows_in"]
        == manifest["rows_kept"] + manifest["rows_quarantined"] + manifest["rows_superseded"]
    )
    assert manifest["seed"] == 7
    assert json.dumps(report.as_dict())
    assert any("come later" in line for line in report.lines())


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path, settings: Settings) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        run(tmp_path / name, settings, seed=seed)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_days_that_are_taken_are_refused_and_left_alone(tmp_path: Path, settings: Settings) -> None:
    run(tmp_path / "s", settings)
    before = contents(tmp_path / "s")
    with pytest.raises(
        UsageError, match=r"has some on 3 of these days \(2026-11-15, 2026-11-16, 2026-11-17\)"
    ):
        run(tmp_path / "s", settings, end=END - timedelta(days=3))
    assert contents(tmp_path / "s") == before


def test_later_days_join_a_store(tmp_path: Path, settings: Settings) -> None:
    run(tmp_path / "s", settings, end=END - timedelta(days=6))
    run(tmp_path / "s", settings)
    assert len(Store.open(tmp_path / "s").declaration_days()) == 12


def test_officers_are_chosen_at_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = ["--days", "14", "--parcels-per-day", "100", "--end", "2026-11-20", "--seed", "9610", "--quiet"]
    assert cli(["simulate", "--store", str(tmp_path / "s"), *world, "--officers", "price"]) == 0
    assert "officer" in Store.open(tmp_path / "s").read_inspections()["selection"].to_list()
    assert cli(["simulate", "--store", str(tmp_path / "t"), *world, "--officers", "by_mood"]) == 2
    assert "'by_mood' is not one of 'programmes', 'watch_list'" in capsys.readouterr().err
