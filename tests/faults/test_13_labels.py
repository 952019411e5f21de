"""Result columns that are not exactly what a mapping lists, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.store.store import Store


@pytest.fixture
def labels(shared: Path) -> Path:
    return shared / "faults" / "13-labels"


@pytest.mark.parametrize("mapping", ["one", "two"])
def test_1_and_1_0_are_one_value(
    labels: Path, mapping: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["ingest", str(labels / "labels.csv"), "--store", str(tmp_path / "S")]
    assert run([*argv, "--mapping", str(labels / f"{mapping}.yaml")]) == 0
    assert "label food_safety: '1.0' 2 (true), '0.0' 1 (false)" in capsys.readouterr().out
    results = Store.open(tmp_path / "S").read_inspections().sort("declaration_id")
    assert results["food_safety"].to_list() == [True, False, True]


@pytest.mark.parametrize("table", ["labels-friction.csv", "labels.xlsx"])
def test_positive_beside_1_is_named_with_its_count_and_the_line_to_add(
    labels: Path, table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = tmp_path / "friction.yaml"
    text = (labels / "one.yaml").read_text(encoding="utf-8")
    mapping.write_text(text.replace("column: found", "column: result"), encoding="utf-8")
    argv = ["ingest", str(labels / table), "--store", str(tmp_path / "S")]
    assert run([*argv, "--mapping", str(mapping)]) == 3
    said = capsys.readouterr().out
    assert "'positive' (" in said
    assert '`true_when: ["1", "positive"]`' in said
    assert Store.open(tmp_path / "S").read_inspections().is_empty()
