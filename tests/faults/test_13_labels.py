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


def test_the_workbook_is_read_like_the_csv_file(
    labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = tmp_path / "friction.yaml"
    words = 'column: result, true_when: ["1", positive], false_when: ["0"], null_when: [26 Lab closed, NA]'
    text = (labels / "one.yaml").read_text(encoding="utf-8")
    mapping.write_text(text.replace('column: found, true_when: ["1"]', words), encoding="utf-8")
    stores = []
    for name in ("labels-friction.csv", "labels.xlsx"):
        stores.append(Store(tmp_path / name))
        argv = ["ingest", str(labels / name), "--store", str(tmp_path / name), "--mapping", str(mapping)]
        assert run(argv) == 0
    # The workbook has an empty cell where the text says NA.
    assert capsys.readouterr().out.count("'positive' 2 (true)") == 2
    days = [store.declaration_days() for store in stores]
    assert days[0] == days[1]
    for read in (Store.read_inspections, lambda store: store.read_declarations(days[0][0])):
        csv, xlsx = (read(store).sort("declaration_id") for store in stores)
        assert csv.equals(xlsx)
