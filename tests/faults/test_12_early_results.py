"""Results dated before their declarations, and local times without a zone, through the command line."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.cli.main import run
from pipelines.store.store import Store


@pytest.fixture
def early_results(shared: Path) -> Path:
    return shared / "faults" / "12-early-results"


def ingest(folder: Path, name: str, store: Path) -> int:
    mapping = folder / f"{name}.yaml"
    return run(["ingest", str(folder / f"{name}.csv"), "--store", str(store), "--mapping", str(mapping)])


def test_results_dated_a_day_early_are_in_quarantine_with_a_reason(
    early_results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest(early_results, "early", tmp_path / "S") == 3
    said = capsys.readouterr().out
    assert "2,400 inspection results in the same rows: 0 kept, 2,400 in quarantine" in said
    assert "row 1: inspected on 2026-07-31, before its declaration of 2026-08-01" in said
    store = Store.open(tmp_path / "S")
    assert store.inspection_days() == []
    assert store.scan_declarations().select(pl.len()).collect().item() == 2400


def test_local_times_are_dated_by_chinas_day_in_declaration_and_result(
    early_results: Path, tmp_path: Path
) -> None:
    assert ingest(early_results, "local", tmp_path / "S") == 0
    store = Store.open(tmp_path / "S")
    declared = store.scan_declarations().select("declaration_id", "declared_on").collect()
    both = store.read_inspections().join(declared, on="declaration_id")
    assert both.height == 2400
    assert (both["reported_on"] == both["declared_on"]).all()
