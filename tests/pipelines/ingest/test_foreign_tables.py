"""A foreign table is read as its mapping says; where it does not, the message says which line it takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.cli.main import run
from tests.pipelines.ingest.foreign import MAPPING
from tests.pipelines.taken_in import stored_lines

HEAD = ("id", "date", "hs", "origin", "value")


class Table:
    """Writes a table and a mapping, and takes them in."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys

    def ingest(
        self, *rows: Sequence[str], head: Sequence[str] = HEAD, mapping: dict[str, Any] = MAPPING
    ) -> tuple[int, str]:
        quoted = [",".join(f'"{cell}"' for cell in row) for row in (head, *rows)]
        (self._folder / "t.csv").write_text("\n".join(quoted) + "\n", encoding="utf-8")
        (self._folder / "shop.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
        argv = ["ingest", str(self._folder / "t.csv"), "--store", str(self._folder / "S")]
        code = run([*argv, "--mapping", str(self._folder / "shop.yaml")])
        said = self._capsys.readouterr()
        return code, said.out + said.err

    def lines(self) -> pl.DataFrame:
        return stored_lines(self._folder / "S")


@pytest.fixture
def table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Table:
    return Table(tmp_path, capsys)


def line(number: int, hs: str = "020711", origin: str = "US", value: str = "5") -> tuple[str, ...]:
    return f"D{number}", "2026-10-01", hs, origin, value


def test_a_heading_is_one_in_every_form_of_a_tariff(table: Table) -> None:
    forms = ["020711", "20711", "0207.11", "207.11", "0207 11", "0207.11.00", "0207.11.0010", "20711.0"]
    code, said = table.ingest(*(line(number, hs) for number, hs in enumerate(forms)))
    assert code == 0, said
    assert [heading[:6] for heading in table.lines()["hs_code"]] == ["020711"] * len(forms)


@pytest.mark.parametrize(
    ("written", "cell"),
    [("1,234.50", "1,234.50"), ("1.234,50", "1.234,50"), ("1 234,50", "1\u00a0234,50"),
     ("1'234.50", "1'234.50")],
)  # fmt: skip
def test_a_number_with_separators_is_read_once_the_mapping_says_so(
    table: Table, written: str, cell: str
) -> None:
    code, said = table.ingest(line(1, value=cell))
    assert code == 3
    assert f"it stands in the column 'value': add to the mapping shop: number_format: \"{written}\"" in said
    code, said = table.ingest(line(1, value=cell), mapping={**MAPPING, "number_format": written})
    assert code == 0, said
    assert table.lines()["total_price"].to_list() == [1234.5]


def test_a_number_that_is_written_otherwise_is_not_guessed(table: Table) -> None:
    code, said = table.ingest(line(1, value="12.50"), mapping={**MAPPING, "number_format": "1.234,50"})
    assert code == 3
    assert "row 1: total_price '12.50' (not a number)" in said


def test_a_country_by_name_becomes_null_with_an_example_and_the_line_to_add(table: Table) -> None:
    code, said = table.ingest(line(1, origin="China"), line(2, origin="Utopia"))
    assert code == 0
    assert "values that became null: origin_country:bad_format 2" in said
    assert "row 1: origin_country 'China' (bad format): expected two letters of ISO 3166-1" in said
    assert "column 'origin': add to the mapping shop: values: {origin_country: {\"China\": CN}}" in said
    code, said = table.ingest(
        line(3, origin="CHINA "), mapping={**MAPPING, "values": {"origin_country": {"China": "CN"}}}
    )
    assert table.lines()["origin_country"].to_list() == [None, None, "CN"]


@pytest.mark.parametrize(
    "heading", ["Control\nNumber", "Control\r\nNumber", " control  number ", "ＣＯＮＴＲＯＬ Number"]
)
def test_a_heading_of_two_lines_is_found_whatever_breaks_it(table: Table, heading: str) -> None:
    mapping = {**MAPPING, "rename": {**MAPPING["rename"], "declaration_id": "Control\nNumber"}}
    code, said = table.ingest(line(1), head=(heading, *HEAD[1:]), mapping=mapping)
    assert code == 0, said
    assert table.lines()["declaration_id"].to_list() == ["D1"]


def test_a_heading_that_stands_twice_is_told_with_its_places(table: Table) -> None:
    code, said = table.ingest(line(1), head=("id", "date", "hs", "date", "value"))
    assert code == 3
    assert "got the name 'date' more than once in column(s) 2 and 4 of 5" in said


def test_a_column_that_the_table_lacks_is_told_with_the_nearest(table: Table) -> None:
    code, said = table.ingest(line(1), head=("id", "date", "hs_no", "origin", "value"))
    assert code == 3
    assert "expected the column(s) hs, found 'id', 'date', 'hs_no', 'origin', 'value'" in said
    code, said = table.ingest(line(1), head=("id", "date", "hs", "origins", "value"))
    assert code == 0
    assert "names columns that the table lacks, so what they fill stays empty: 'origin'. Did you mean" in said


@pytest.mark.parametrize(
    ("further", "words"),
    [
        ({"renames": {}}, "renames: unknown key; came {}. Did you mean 'rename'?"),
        ({"number_format": "1234,5"}, "number_format: expected it to be '1,234.50'"),
        ({"labels": {"food_safety": {"column": "r"}}}, "nothing says when the label is true: give"),
        ({"labels": {"food_safety": {"column": "r", "true_above": 1, "true_from": 2}}}, "exclude each other"),
        ({"labels": {"food_safety": "r"}}, "labels.food_safety: expected keys and values; came 'r'"),
        ({"rename": {"hs": "hs"}}, "fills 'hs', which no column of the contract is called"),
    ],
)  # fmt: skip
def test_a_wrong_key_of_a_mapping_is_told(table: Table, further: dict[str, Any], words: str) -> None:
    code, said = table.ingest(line(1), mapping={**MAPPING, **further})
    assert code == 2
    assert words in said
