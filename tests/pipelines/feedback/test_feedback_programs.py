"""Lists that other programs have saved, in languages, and a run that is killed in the middle."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from features.contract.conversions import TOO_LONG, to_text
from features.text.visible import visible_text
from pipelines.lists.issued import stage_issued, with_list_ids
from pipelines.lists.write import write_lists
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from tests.pipelines.list_examples import DAY, hostile, listed
from tests.pipelines.returned_lists import SETTINGS, Office, expected, manifest
from tests.places import ROOT

U, P, F = (f"result_{name}" for name in ("undervaluation", "prohibited_items", "food_safety"))
THE_NEXT_DAY = datetime(2026, 11, 21)  # noqa: DTZ001 - a cell has no zone
FILLED: dict[int, dict[str, Any]] = {
    1: {
        U: "found",
        P: "nothing",
        "assessed_unit_price": 1234.5,
        "recovered_tax_cny": 30.25,
        "note": "两只手表",
    },
    2: {F: "not_examined", "inspected_on": "2026-11-20"},
    3: {U: "nothing", P: "nothing", F: "found", "inspected_on": "2026-11-21", "recovered_tax_cny": 0.0},
    5: {"note": "=1+1"},
    8: {P: "found"},
}


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_workbook_that_libreoffice_saved_loses_nothing(office: Office, tmp_path: Path) -> None:
    filled = office.xlsx(FILLED, name="filled.xlsx")
    again, text = tmp_path / "again", tmp_path / "text"
    for folder, kind in ((again, "xlsx"), (text, "csv:Text - txt - csv (StarCalc):44,34,76,1")):
        profile = f"-env:UserInstallation=file://{tmp_path}/profile"
        command = [
            "soffice",
            profile,
            "--headless",
            "--convert-to",
            kind,
            "--outdir",
            str(folder),
            str(filled),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
    first = office.give_back(again / "filled.xlsx")
    assert (first.exit_code, manifest(first)["kept"]) == (0, 5), first.lines()
    assert office.inspections() == expected(FILLED)
    second = office.give_back(text / "filled.csv")
    assert (second.exit_code, manifest(second)["superseded"]) == (0, 5), second.lines()
    assert second.files[0].list_id == office.list_id()


def test_a_workbook_without_its_hidden_rows_is_read_by_its_headings(office: Office) -> None:
    path = office.xlsx(FILLED)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    head = next(
        cells[0].row for cells in sheet.iter_rows() if any(c.value == "declaration_id" for c in cells)
    )
    sheet.delete_rows(1, head)
    book.save(path)
    report = office.give_back(path)
    assert report.exit_code == 0, "\n".join(report.lines())
    assert office.inspections() == expected(FILLED)


def _as_ingested(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows whose declaration_id the contract lets in, with ids as it cleans them."""
    ids = to_text(rows["declaration_id"], 2000)
    kept = rows.with_columns(ids).filter((ids != TOO_LONG) & ids.is_first_distinct())
    return kept.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("rank"))


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_hostile_lists_come_back_by_their_rank(issued: Store, tmp_path: Path, language: str) -> None:
    office = Office.copy_of(issued, tmp_path)
    capacity = SETTINGS.capacity
    capacity = capacity.model_copy(
        update={"default": capacity.default.model_copy(update={"language": language})}
    )
    settings = SETTINGS.model_copy(update={"capacity": capacity})
    rows = with_list_ids(_as_ingested(hostile()), DAY)
    with office.store.lock("test"), office.store.transaction() as t:
        write_lists(t.stage(office.store.layout.partition(DayTable.LISTS, DAY)), rows, DAY, settings)
        stage_issued(t, office.store, DAY, rows)
    path = next((office.store.path / f"lists/declared_on={DAY}").glob("*.xlsx"))
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    head, places = next(
        (cells[0].row, {c.value: c.column for c in cells})
        for cells in sheet.iter_rows()
        if any(c.value == "declaration_id" for c in cells)
    )
    word = {"zh-CN": "未发现", "en": "nothing found"}[language]
    for number in range(head + 2, head + 2 + rows.height):
        sheet.cell(number, places[U]).value = word
        sheet.cell(number, places["inspected_on"]).value = THE_NEXT_DAY
    book.save(tmp_path / "back.xlsx")
    report = office.give_back(tmp_path / "back.xlsx")
    assert report.exit_code == 0, "\n".join(report.lines())
    found = office.store.read_inspections()
    assert sorted(found["declaration_id"]) == sorted(rows["declaration_id"])
    assert found["undervaluation"].to_list() == [False] * rows.height
    assert any(visible_text(name) != name for name in rows["declaration_id"])


def test_numbers_that_a_spreadsheet_rounded_are_known_by_their_rank(office: Office) -> None:
    number = "531620261120000017"
    rows = with_list_ids(hostile().head(1).with_columns(declaration_id=pl.lit(number)), DAY)
    with office.store.lock("test"), office.store.transaction() as t:
        stage_issued(t, office.store, DAY, rows)
    list_id = rows["list_id"][0]
    columns = ["list_id", "rank", "declaration_id", "undervaluation"]
    report = office.give_back(office.table("a.csv", columns, [list_id, 1, "5.3162E+17", "yes"]))
    assert report.exit_code == 0, "\n".join(report.lines())
    assert office.inspections().keys() == {(number, 1)}
    other = office.give_back(office.table("b.csv", columns, [list_id, 1, "6.3162E+17", "yes"]))
    assert other.exit_code == 3


def test_numbers_that_lost_their_zeros_are_known_where_one_parcel_can_be_meant(office: Office) -> None:
    """As in sampling_list.csv after a spreadsheet program opened and saved it."""
    names = ["010920261802500009", "00777", "0777"]
    rows = listed({"declaration_id": name} for name in names)
    with office.store.lock("test"), office.store.transaction() as t:
        stage_issued(t, office.store, DAY, with_list_ids(rows, DAY))
    columns = ["rank", "declaration_id", "undervaluation"]
    found = office.give_back(office.table("a.csv", columns, [1, "10920261802500009", "yes"]))
    assert found.exit_code == 0, found.lines()
    assert office.inspections().keys() == {(names[0], 1)}
    either = office.give_back(office.table("b.csv", columns, [2, "777", "yes"]))
    assert either.exit_code == 3
    assert "777 is not on any list" in "\n".join(either.lines())


@pytest.mark.parametrize(
    ("change", "number", "outcome"), [("/.journal", 1, "accepted"), ("/.staging", 2, "repeated")]
)
def test_a_run_that_is_killed_has_done_all_or_nothing(
    office: Office, change: str, number: int, outcome: str
) -> None:
    path = office.json(FILLED)
    arguments = ["feedback", str(path), "--store", str(office.store.path), "--reported-on", "2026-11-21"]
    job = {
        "arguments": arguments,
        "folder": str(office.store.path),
        "kill_at": [f"os.rename {change}", number],
    }
    code = "from tests.pipelines.kill_driver import *; child(json.loads(sys.argv[1]), sys.stderr)"
    ended = subprocess.run(
        [sys.executable, "-c", code, json.dumps(job)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == -9, ended.stderr
    store = Store.open(office.store.path)
    done = bool(store.inspection_days())
    assert done == (outcome == "repeated")
    assert (
        done
        == bool(list((store.path / "feedback").rglob("*.parquet")))
        == bool(store.layout.manifests("feedback"))
    )
    again = office.give_back(path)
    assert again.counts[outcome] == 5
    assert office.inspections() == expected(FILLED)
