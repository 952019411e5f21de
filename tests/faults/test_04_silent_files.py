"""A table whose lines end with carriage returns alone, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines.taken_in import ingest_files, stored_lines


def test_its_rows_are_taken(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shared / "faults" / "04-silent-files" / "zg-cr-only.csv"
    assert ingest_files(tmp_path / "S", file) == 0
    assert "2 rows in: 2 kept, 0 in quarantine" in capsys.readouterr().out
    assert stored_lines(tmp_path / "S")["item_name"].to_list() == ["冻鱼", "冻鱼"]
