"""Inch marks and quoted words in a table, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines.taken_in import ingest_files, stored_lines


def test_every_row_is_taken(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (shared / "faults" / "09-quotes" / "t.csv").read_text(encoding="utf-8")
    head, *rows = text.splitlines()
    # The table as it is lacks columns that the contract requires.
    file = tmp_path / "t.csv"
    lines = [f"{head},declared_at,hs_code,currency", *(f"{row},2026-11-20,010121,CNY" for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert ingest_files(tmp_path / "S", file) == 0
    said = capsys.readouterr().out
    assert "4 rows in: 4 kept, 0 in quarantine" in said
    assert "quotation marks that are no quoting, in lines 2, 3, 4, 5" in said
    kept = stored_lines(tmp_path / "S")
    assert kept["item_name"].to_list() == ['""ab', 'x"', '""ab', '""ab']
    assert kept["total_price"].to_list() == [1.0, 2.0, 3.0, 4.0]


def test_the_table_as_it_is_is_refused_for_its_columns_alone(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shared / "faults" / "09-quotes" / "t.csv"
    assert ingest_files(tmp_path / "S", file) == 3
    assert "expected the column(s) declared_at, hs_code, currency" in capsys.readouterr().out
