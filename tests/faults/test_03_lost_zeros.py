"""Codes that a spreadsheet program robbed of their zero, as text and as numbers, through the command line."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.cli.main import run
from tests.pipelines.taken_in import stored_lines

CODES = ("customs_office", "unit", "hs_code")


def taken(file: Path, store: Path) -> pl.DataFrame:
    assert run(["ingest", str(file), "--store", str(store), "--quiet"]) == 0
    return stored_lines(store)


@pytest.mark.parametrize("name", ["excel.csv", "numbers.parquet"])
def test_text_and_numbers_give_the_same_codes(shared: Path, name: str, tmp_path: Path) -> None:
    found = taken(shared / "faults" / "03-lost-zeros" / name, tmp_path / "S")
    assert found.height == 6
    assert found.select(CODES).unique().rows() == [("0109", "035", "0302110000")]


def test_a_table_with_gaps_and_exponents_gives_the_same_codes_as_one_of_numbers(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {
            "declaration_id": ["X1", "X2", "X3"],
            "line_no": 1,
            "declared_at": ["2026/11/2 18:05", "2026/11/20 8:05", "2026/11/20"],
            "customs_office": [109.0, 2320.0, None],
            "hs_code": [302110000.0, 9503002100.0, 20711.0],
            "unit": [7.0, 35.0, None],
            "barcode": [6901234567892.0, 1.0123e17, None],
            "total_price": 5,
            "currency": "CNY",
        }
    )
    rows.write_parquet(tmp_path / "numbers.parquet")
    rows.with_columns(
        pl.Series("customs_office", ["109.0", "2320", None]),
        pl.Series("hs_code", ["302110000", "9503002100.0", "20711"]),
        pl.Series("unit", ["7", "35.0", None]),
        pl.Series("barcode", ["6901234567892", "1.0123E+17", None]),
    ).write_csv(tmp_path / "text.csv")
    kept = [*CODES, "barcode", "declared_at"]
    numbers = taken(tmp_path / "numbers.parquet", tmp_path / "N").select(kept)
    assert numbers.equals(taken(tmp_path / "text.csv", tmp_path / "T").select(kept))
    assert numbers.select(kept[:4]).rows() == [
        ("0109", "007", "0302110000", "6901234567892"),
        ("2320", "035", "9503002100", None),
        (None, None, "020711", None),
    ]


def test_a_number_of_which_only_the_first_digits_are_left_is_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text(
        "declaration_id,line_no,declared_at,hs_code,total_price,currency\n"
        "1.0123E+17,1,2026-11-20,950300,5,CNY\n1.0123E+17,2,2026-11-20,950300,5,CNY\n",
        encoding="utf-8",
    )
    assert run(["ingest", str(tmp_path / "t.csv"), "--store", str(tmp_path / "S")]) == 3
    said = capsys.readouterr().out
    assert "declaration_id:rounded_number 2" in said
    assert "row 1: declaration_id '1.0123E+17' (rounded number)" in said
