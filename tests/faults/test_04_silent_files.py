"""A table whose lines end with carriage returns alone, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.store.store import Store


def test_its_rows_are_taken(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shared / "faults" / "04-silent-files" / "zg-cr-only.csv"
    assert run(["ingest", str(file), "--store", str(tmp_path / "S")]) == 0
    assert "2 rows in: 2 kept, 0 in quarantine" in capsys.readouterr().out
    store = Store.open(tmp_path / "S")
    (day,) = store.declaration_days()
    assert store.read_declarations(day)["item_name"].to_list() == ["冻鱼", "冻鱼"]
