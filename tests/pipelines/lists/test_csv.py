from __future__ import annotations

import csv
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.lists.csv import csv_bytes

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_what_a_spreadsheet_could_run_gets_an_apostrophe(start: str) -> None:
    table = pl.DataFrame({"text": [f"{start}cmd|' /C calc'!A0", f"a{start}b"]})
    rows = _read(csv_bytes(table))
    assert [row[0] for row in rows[1:]] == [f"'{start}cmd|' /C calc'!A0", f"a{start}b"]


@given(
    st.lists(st.tuples(TEXT, st.integers(-1000, 1000), st.one_of(st.none(), st.floats(0, 1e9))), max_size=5)
)
def test_one_apostrophe_less_is_what_was_there(rows: list[tuple[str, int, float | None]]) -> None:
    schema = {"text": pl.String, "whole": pl.Int32, "number": pl.Float64}
    read = _read(csv_bytes(pl.DataFrame(rows, schema=schema, orient="row")))
    assert read[0] == list(schema)
    assert [
        (text.removeprefix("'"), int(whole), None if number == "" else float(number))
        for text, whole, number in read[1:]
    ] == rows


def test_numbers_stay_numbers_also_below_zero() -> None:
    assert csv_bytes(pl.DataFrame({"number": [-1.5]})).decode("utf-8-sig") == '"number"\r\n-1.5\r\n'


def test_a_mark_at_the_start_tells_programs_that_it_is_utf8() -> None:
    assert csv_bytes(pl.DataFrame({"名称": ["玩具"]})) == '\ufeff"名称"\r\n"玩具"\r\n'.encode()


def test_an_empty_table_has_its_header() -> None:
    assert csv_bytes(pl.DataFrame(schema={"rank": pl.Int32})).decode("utf-8-sig") == '"rank"\r\n'


def _read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
