from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from lxml import html

from features.text.visible import visible_text
from pipelines.lists.caveats import Caveats
from pipelines.lists.parcel import CODE_CHARACTERS
from pipelines.lists.write import SAMPLING_LIST_SCHEMA, office_file_name, write_lists
from tests.pipelines.list_examples import DAY, HOSTILE, SETTINGS, hostile, listed


def test_the_tables_have_the_columns_of_the_contract_and_no_others(tmp_path: Path) -> None:
    table = listed([{}, {"customs_office": "2244", "rank": 1}, {}])
    write_lists(tmp_path, table, DAY, SETTINGS)
    table = pl.read_parquet(tmp_path / "sampling_list.parquet")
    assert dict(table.schema) == SAMPLING_LIST_SCHEMA
    assert table.select("customs_office", "rank").rows() == [("2244", 1), ("4601", 1), ("4601", 3)]
    read = pl.read_csv(tmp_path / "sampling_list.csv", schema=SAMPLING_LIST_SCHEMA)
    assert read.equals(table)


def test_each_office_has_a_workbook_and_a_page(tmp_path: Path) -> None:
    table = listed([{"customs_office": "4601"}, {"customs_office": "unassigned", "rank": 1}])
    written = write_lists(tmp_path, table, DAY, SETTINGS)
    names = [
        "4601.html",
        "4601.xlsx",
        "sampling_list.csv",
        "sampling_list.parquet",
        "unassigned.html",
        "unassigned.xlsx",
    ]
    assert [path.name for path in written] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_no_parcels_give_tables_with_a_header_and_no_documents(tmp_path: Path) -> None:
    written = write_lists(tmp_path, listed([{}]).clear(), DAY, SETTINGS)
    assert [path.name for path in written] == ["sampling_list.csv", "sampling_list.parquet"]
    assert pl.read_parquet(written[1]).schema == pl.Schema(SAMPLING_LIST_SCHEMA)


def test_the_same_list_gives_the_same_bytes_in_whatever_order_it_comes(tmp_path: Path) -> None:
    table = hostile()
    first = write_lists(tmp_path / "first", table, DAY, SETTINGS)
    second = write_lists(tmp_path / "second", table.sample(fraction=1.0, shuffle=True, seed=3), DAY, SETTINGS)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_an_incomplete_run_shows_on_every_document(tmp_path: Path) -> None:
    write_lists(tmp_path, listed([{}]), DAY, SETTINGS, caveats=Caveats(incomplete=True))
    assert openpyxl.load_workbook(tmp_path / "4601.xlsx")["List"]["A3"].value.startswith("INCOMPLETE")
    assert "INCOMPLETE" in html.parse(tmp_path / "4601.html").findtext(".//p[@class='warning']")


def test_hostile_names_come_back_from_the_tables(tmp_path: Path) -> None:
    write_lists(tmp_path, hostile(), DAY, SETTINGS)
    assert pl.read_parquet(tmp_path / "sampling_list.parquet")["declaration_id"].to_list() == list(HOSTILE)
    content = (tmp_path / "sampling_list.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [
        row["declaration_id"].removeprefix("'") for row in rows if not row["declaration_id"].startswith("''")
    ] == [text for text in HOSTILE if not text.startswith("'")]
    for row in rows:
        starts = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
        assert not any(value.startswith(starts) for value in row.values())


def test_hostile_offices_have_files_inside_the_folder_and_headings_that_hide_nothing(tmp_path: Path) -> None:
    offices = hostile().with_columns(customs_office="declaration_id", shift="declaration_id")
    written = write_lists(tmp_path / "lists", offices, DAY, SETTINGS)
    assert sorted((tmp_path / "lists").iterdir()) == written
    pages = [path for path in written if path.suffix == ".html"]
    assert len(pages) == len(HOSTILE)
    headings = {html.parse(path).findtext(".//h1/bdi") for path in pages}
    shown = [visible_text(text, CODE_CHARACTERS) for text in HOSTILE]
    assert headings == {f"Sampling list of customs office {name}, shift {name}" for name in shown}


@pytest.mark.parametrize(
    ("office", "pattern"),
    [
        ("4601", r"4601"),
        ("unassigned", r"unassigned"),
        ("上海_1", r"上海_1"),
        ("../../etc/passwd", r"etc_passwd-[0-9a-f]{8}"),
        ("a/b", r"a_b-[0-9a-f]{8}"),
        ("..", r"office-[0-9a-f]{8}"),
        ("CON", r"CON-[0-9a-f]{8}"),
        ("sampling_list", r"sampling_list-[0-9a-f]{8}"),
        ("-rf", r"rf-[0-9a-f]{8}"),
        ("x" * 500, r"x{80}-[0-9a-f]{8}"),
        ("海" * 100, r"海{26}-[0-9a-f]{8}"),
        ("a\x00b\u202e", r"a_b-[0-9a-f]{8}"),
    ],
)
def test_an_office_never_names_a_file_outside_or_another_offices(office: str, pattern: str) -> None:
    assert re.fullmatch(pattern, office_file_name(office))


def test_a_shift_has_files_of_its_own_also_where_an_office_has_its_name(tmp_path: Path) -> None:
    rows = [{"shift": "night"}, {"shift": "day"}, {"customs_office": "4601-night"}]
    written = write_lists(tmp_path, listed(rows), DAY, SETTINGS)
    names = {path.name for path in written if path.suffix == ".xlsx"}
    assert {"4601-night.xlsx", "4601-day.xlsx"} < names
    assert len(names) == 3


def test_offices_that_look_alike_have_files_of_their_own() -> None:
    assert len({office_file_name(office) for office in ("a/b", "a\\b", "a b", "a_b", " a_b")}) == 5
