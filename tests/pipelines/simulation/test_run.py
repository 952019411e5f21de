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
from features.contract.china_time import closing_moment
from features.contract.documents import DOCUMENT_TABLES
from pipelines.cli.main import run as cli
from pipelines.documents.known import known_documents
from pipelines.simulation import SimulationReport, simulate
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.documents.rules_by_hand import Known, findings

END = date(2026, 11, 20)
DAYS = [END - timedelta(days=back) for back in range(5, -1, -1)]


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
    assert store.declaration_days() == DAYS
    assert sum(store.read_declarations(day).height for day in DAYS) == report.rows
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


def with_documents(
    store: Path, settings: Settings, end: date = END, *, rings: bool = False
) -> SimulationReport:
    return simulate(
        store, days=6, parcels_per_day=400, end=end, seed=7, drift=False, settings=settings,
        progress=Progress.silent(), documents=True, rings=rings,
    )  # fmt: skip


def test_documents_change_nothing_else(tmp_path: Path, settings: Settings) -> None:
    simulate(
        tmp_path / "s", days=6, parcels_per_day=400, end=END, seed=7, drift=False, settings=settings,
        progress=Progress.silent(),
    )  # fmt: skip
    report = with_documents(tmp_path / "t", settings)
    with_documents(tmp_path / "u", settings)
    plain, whole = contents(tmp_path / "s"), contents(tmp_path / "t")
    assert plain.items() <= whole.items()
    assert whole == contents(tmp_path / "u")
    folders = {name.partition("/")[0] for name in whole.keys() - plain.keys()}
    documents = {"orders", "payments", "waybills", "receipts", "returns", "taxes"}
    assert folders == documents | {"changes", "truth", ".keys"}
    assert report.documents["orders"] > 1000 > report.documents["faults"] > 20
    assert any(line.startswith("rows of documents: faults ") for line in report.lines())
    (path,) = Store.open(tmp_path / "t").layout.manifests("simulate")
    assert json.loads(path.read_text(encoding="utf-8"))["documents"] == report.documents


@pytest.mark.parametrize("rings", [False, True])
def test_documents_say_what_their_truth_says(tmp_path: Path, settings: Settings, rings: bool) -> None:
    with_documents(tmp_path / "s", settings, rings=rings)
    layout = Store.open(tmp_path / "s").layout
    lines = pl.concat(Store.open(tmp_path / "s").read_declarations(day) for day in DAYS)
    for day in DAYS:
        before = closing_moment(day)
        tables = {
            name: known_documents(layout, table, before).collect().rows(named=True)
            for name, table in DOCUMENT_TABLES.items()
            if name not in ("cancellations", "taxes")
        }
        known = Known(lines.filter(pl.col("declared_at") < before).rows(named=True), **tables, rejected=set())
        truth = pl.read_parquet(layout.file(DayTable.DOCUMENT_TRUTH, day), hive_partitioning=False)
        expected = truth.select("declaration_id", "line_no", "check", "outcome")
        assert findings(day, known) == set(expected.iter_rows()), day


def test_documents_of_later_days_join_those_of_the_days_before(tmp_path: Path, settings: Settings) -> None:
    with_documents(tmp_path / "s", settings, END - timedelta(days=6))
    layout = Store.open(tmp_path / "s").layout

    def rows() -> dict[str, pl.DataFrame]:
        return {
            name: known_documents(layout, table, closing_moment(END)).collect()
            for name, table in DOCUMENT_TABLES.items()
        }

    before = rows()
    with_documents(tmp_path / "s", settings)
    for name, after in rows().items():
        assert before[name].join(after, on=after.columns, how="anti", nulls_equal=True).is_empty()
        assert after.height >= before[name].height


def test_documents_are_asked_for_at_the_command_line(tmp_path: Path) -> None:
    world = ["--days", "2", "--parcels-per-day", "60", "--end", "2026-11-20", "--seed", "3", "--quiet"]
    assert cli(["simulate", "--store", str(tmp_path / "s"), *world, "--documents"]) == 0
    assert Store.open(tmp_path / "s").layout.days(DayTable.ORDERS)
