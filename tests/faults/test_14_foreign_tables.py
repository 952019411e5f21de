"""Other agencies' tables through the command line: taken where the mapping says how, else it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.cli.main import run
from tests.pipelines.ingest.foreign import MAPPING
from tests.pipelines.taken_in import stored_lines

CODES = {"origin_country": {"China": "CN", "CHN": "CN", "USA": "US"}}


class Desk:
    """Takes the folder's tables into a store."""

    def __init__(self, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._tmp, self._capsys = folder, tmp_path, capsys
        self.path = tmp_path / "S"

    def ingest(self, table: str, mapping: Path | dict[str, Any]) -> tuple[int, str]:
        if isinstance(mapping, dict):
            (self._tmp / "m.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
            mapping = self._tmp / "m.yaml"
        argv = ["ingest", str(self._folder / table), "--store", str(self.path), "--mapping", str(mapping)]
        code = run(argv)
        said = self._capsys.readouterr()
        return code, said.out + said.err

    def lines(self) -> pl.DataFrame:
        return stored_lines(self.path)


@pytest.fixture
def desk(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(shared / "faults" / "14-foreign-tables", tmp_path, capsys)


def test_codes_and_numbers_are_read_as_the_mapping_says(desk: Desk) -> None:
    code, said = desk.ingest("codes.csv", {**MAPPING, "number_format": "1,234.50", "values": CODES})
    assert code == 3
    assert "row 4: total_price '1.234,50' (not a number): expected a number such as 1234.5" in said
    assert "'value'" in said
    assert "row 5: hs_code '0207110010000' (bad format): expected 6 to 10 digits" in said
    lines = desk.lines()
    assert lines["declaration_id"].to_list() == ["C1", "C2", "C3", "C6"]
    assert set(lines["hs_code"]) == {"020711"}
    assert lines["total_price"].to_list() == [5.0, 5.0, 1234.5, 5.0]
    assert lines["origin_country"].to_list() == ["US", "US", "CN", "US"]


def test_what_the_mapping_does_not_say_is_told_with_the_line_to_add(desk: Desk) -> None:
    code, said = desk.ingest("codes.csv", MAPPING)
    assert code == 3
    assert "row 3: total_price '1,234.50' (not a number)" in said
    assert "it stands in the column 'value': add to the mapping m: number_format: \"1,234.50\"" in said


def test_dates_of_other_forms_are_told_with_column_and_example(desk: Desk) -> None:
    code, said = desk.ingest("dates.csv", MAPPING)
    assert code == 3
    assert "row 1: declared_at '10/01/2026' (not a time): expected a time such as 2026-11-20T09:30:00" in said
    assert "it stands in the column 'date'" in said
    assert desk.lines().height == 3


def test_a_heading_with_a_line_break_is_found(desk: Desk) -> None:
    code, said = desk.ingest("nl.csv", desk._folder / "nl.yaml")
    assert code == 0, said
    assert desk.lines()["declaration_id"].to_list() == ["E1"]


def test_a_table_with_semicolons_is_read(desk: Desk) -> None:
    assert desk.ingest("semi.csv", MAPPING)[0] == 0
    assert desk.lines()["declaration_id"].to_list() == ["D1"]


def test_a_result_that_the_mapping_does_not_list_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", "a key of tests, 4711 and 0815, no more")
    code, said = desk.ingest("harbour.csv", desk._folder / "harbour.yaml")
    assert code == 3
    assert "the column 'Result' has values that the label undervaluation does not cover: 'ok' (1 row" in said
    text = (desk._folder / "harbour.yaml").read_text(encoding="utf-8")
    whole = yaml.safe_load(text)
    whole["labels"]["undervaluation"]["false_when"] = ["ok"]
    code, said = desk.ingest("harbour.csv", whole)
    assert "'short' 1 (true), 'ok' 1 (false)" in said or "'ok' 1 (false), 'short' 1 (true)" in said
    lines = desk.lines()
    assert lines["transport_mode"].to_list() == ["5", None]
    assert lines["net_weight_kg"].to_list() == [0.5, 0.5]
    assert lines["unit_price"].to_list() == [100.0, None]
