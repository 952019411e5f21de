"""Rows come out of a CSV file whatever its line ends, and whatever quotation marks people wrote into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from configs.errors import DataError
from pipelines.ingest.tables import csv_text
from pipelines.ingest.tables.csv_text import UNCLEAR
from pipelines.ingest.tables.table_file import SURPLUS, TableFile

FILES: dict[str, tuple[bytes, list[tuple[Any, ...]]]] = {
    "carriage returns as line ends": (b"a,b,c\r1,2,3\r4,5,6\r", [("1", "2", "3"), ("4", "5", "6")]),
    "and a line break in a field": (b'a,b,c\r1,"x\ry",3\r4,5,6', [("1", "x\ny", "3"), ("4", "5", "6")]),
    "line ends of Windows": (b"a,b,c\r\n1,2,3\r\n", [("1", "2", "3")]),
    "an inch": (b'a,b,c\n1,5" pipe,3\n4,5,6\n', [("1", '5" pipe', "3"), ("4", "5", "6")]),
    "an inch at the end of a field": (b'a,b,c\n1,5",3\n4,5,6\n', [("1", '5"', "3"), ("4", "5", "6")]),
    "an inch at the end of a row": (b'a,b,c\n1,2,3"\n4,5,6\n', [("1", "2", '3"'), ("4", "5", "6")]),
    "inches in two rows": (b'a,b,c\n1,"2,3\n4,5",6\n', [("1", '"2', "3"), ("4", '5"', "6")]),
    "a mark at the start, never closed": (b'a,b,c\n1,"x,3\n4,5,6\n', [("1", '"x', "3"), ("4", "5", "6")]),
    "a quoted word": (b'a,b,c\n1,"best" cup,3\n4,5,6\n', [("1", '"best" cup', "3"), ("4", "5", "6")]),
    "two marks in front": (b'a,b,c\n1,""ab,3\n4,5,6\n', [("1", '""ab', "3"), ("4", "5", "6")]),
    "an inch in a quoted field": (b'a,b,c\n"1","5" x","3"\n4,5,6\n', [("1", '5" x', "3"), ("4", "5", "6")]),
    "and a comma": (b'a,b,c\n1,"x, 5" y",3\n4,5,6\n', [("1", 'x, 5" y', "3"), ("4", "5", "6")]),
    "a blank before the quotes": (b'a,b,c\n1, "x, y",3\n4,5,6\n', [("1", "x, y", "3"), ("4", "5", "6")]),
    "as it should be": (b'a,b,c\n1,"5"" ""x""","a\nb"\n4,5,6\n', [("1", '5" "x"', "a\nb"), ("4", "5", "6")]),
    "semicolons": (b"a;b;c\n1;2;3\n", [("1", "2", "3")]),
}


def rows(path: Path) -> tuple[list[tuple[Any, ...]], TableFile]:
    file = TableFile.open(path)
    return pl.concat(
        [pl.DataFrame(schema=[*file.columns, SURPLUS]), *file.chunks(1_000)], how="vertical_relaxed"
    ).rows(), file


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("block", [2**24, 16])
def test_every_row_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, block: int) -> None:
    content, expected = FILES[name]
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    # Small blocks: a row begins in one and ends in another.
    monkeypatch.setattr(csv_text, "BLOCK_BYTES", block)
    assert [row[:-1] for row in rows(path)[0]] == expected


def test_a_row_without_clear_fields_is_marked_and_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b,c\n1,2,3\n"4,5\n6,7,8\n')
    found, file = rows(path)
    assert found == [("1", "2", "3", None), ('"4', "5", None, UNCLEAR), ("6", "7", "8", None)]
    assert "line 3, leave no clear fields: the rows are in quarantine" in file.lines_told[0]


def test_a_file_that_ends_within_quotes_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b,c\n1,2,3\n4,5,"6')
    with pytest.raises(DataError, match="line 3: a quote that opens after byte 12 is never closed"):
        rows(path)


def test_a_heading_with_a_line_break_is_one_heading(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'"Control\r\nNumber",date\r\n1,2\r\n')
    found, file = rows(path)
    assert (file.columns, found) == (["Control\nNumber", "date"], [("1", "2", None)])
