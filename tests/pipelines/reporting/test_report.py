"""The head of an office sees what came back and what it found, and is told where too few are known."""

from __future__ import annotations

import html
import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from models.estimates.office_figures import skipped_draws
from pipelines.cli.main import run
from pipelines.lists.issued import stage_issued, with_list_ids
from pipelines.reporting.entries import (
    inspected_parcels,
    listed_entries,
    not_opened_because,
    other_inspections,
    seen_into,
)
from pipelines.reporting.returned_lists import list_returns
from tests.english import english_in
from tests.pipelines.list_examples import DAY, listed
from tests.pipelines.returned_lists import NEXT_DAY, NOW, SETTINGS, Office, parcel
from tests.pipelines.taken_in import take_in

U, P, F = (f"result_{name}" for name in ("undervaluation", "prohibited_items", "food_safety"))


def report(office: Office, *options: str) -> int:
    return run(["report", "--store", str(office.store.path), *options])


def entries_of(office: Office) -> dict[str, dict[str, Any]]:
    lists = list_returns(office.store, DAY, DAY, None)
    rows = listed_entries(office.store, lists, inspected_parcels(office.store, DAY))
    assert rows.height == rows["declaration_id"].n_unique() == lists["parcels"].sum()
    return {row["declaration_id"]: row for row in rows.to_dicts()}


def test_the_head_of_a_chinese_office_reads_the_report_in_chinese(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "capacity.yaml").write_text("language: zh-CN\n")
    office.give_back(office.json({1: {U: "found"}, 2: {"not_opened": "released"}}))
    assert report(office, "--configs", str(tmp_path / "configs"), "--out", str(tmp_path / "out")) == 0
    said, page = capsys.readouterr().out, (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "未反馈的清单：5316" in said
    assert "布控查验情况（全部关区）" in page
    assert "已放行" in page
    assert not english_in(said, page)


def test_lists_that_came_back_and_lists_that_did_not(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.give_back(
        office.json({1: {U: "found", "recovered_tax_cny": 40.0}, 2: {U: "nothing"}, 3: {"note": "?"}})
    )
    office.give_back(office.json({2: {U: "found"}}, name="b.json"))
    office.give_back(office.table("c.csv", ["declaration_id", "undervaluation"], ["P04", "perhaps"]))
    lists = list_returns(office.store, DAY, DAY, None)
    counts = ["customs_office", "parcels", "returned", "in_conflict", "rejected"]
    assert lists.select(counts).rows() == [("4601", 8, 3, 1, 1), ("5316", 4, 0, 0, 0)]
    assert report(office) == 0
    said = capsys.readouterr().out
    assert "2 lists of 12 parcels; 1 lists came back with 3 parcels" in said
    assert f"not returned: 5316 of {DAY}" in said
    assert "lift over the random share: too few findings (0) or parcels" in said
    assert "too few findings (0)" in said
    assert said.count("too few") >= 5
    assert "of 12 parcels on these lists 2 were opened, 1 of them with a finding" in said
    assert "0 at the laboratory, 0 replaced by another, 1 not opened, 9 without a result" in said
    assert re.search(r"^all +- +- +1 of 2$", said, re.MULTILINE)
    assert report(office, "--office", "4601", "--log-format", "json") == 0
    whole = json.loads(capsys.readouterr().out)
    assert (whole["lists"], whole["lists_missing"], whole["office"]) == (1, 0, "4601")
    # P01 is of the random share, P02 of exploration: no result that is in conflict counts.
    rates = {row["selection"]: row for row in whole["hit_rates_in_all"]}
    assert [rates[name]["findings"] for name in ("random", "exploration")] == [1, 0]
    assert rates["random"]["recovered_tax_cny"] == 40.0
    assert all(row["hit_rate"] is None for row in rates.values())


def test_a_list_that_was_issued_again_is_one_list(office: Office) -> None:
    office.give_back(office.json({1: {U: "found"}}))
    again = listed([{"declaration_id": parcel(number)} for number in (1, 2, 3)])
    with office.store.lock("test"), office.store.transaction() as t:
        stage_issued(t, office.store, DAY, with_list_ids(again, DAY))
    assert list_returns(office.store, DAY, DAY, "4601").select("parcels", "returned").rows() == [(8, 1)]
    assert list_returns(office.store, DAY, DAY - timedelta(days=1), None).is_empty()


def test_a_parcel_that_was_declared_again_counts_where_it_stood_last(office: Office) -> None:
    office.give_back(office.json({1: {U: "found"}}))
    again = with_list_ids(listed([{"declaration_id": parcel(1)}]), NEXT_DAY)
    with office.store.lock("test"), office.store.transaction() as t:
        stage_issued(t, office.store, NEXT_DAY, again)
    lists = list_returns(office.store, DAY, NEXT_DAY, None)
    rows = listed_entries(office.store, lists, inspected_parcels(office.store, DAY))
    assert rows.filter(declaration_id=parcel(1)).select("declared_on", "state").rows() == [
        (NEXT_DAY, "opened")
    ]


def test_a_parcel_counts_once_with_its_latest_values(office: Office) -> None:
    office.give_back(office.json({3: {U: "nothing", F: "not_examined", "recovered_tax_cny": 0.0}}))
    later = NEXT_DAY + timedelta(days=9)
    laboratory = office.table(
        "lab.csv", ["declaration_id", "food_safety", "recovered_tax_cny"], ["P03", 1, ""]
    )
    office.give_back(laboratory, reported_on=later, now=NOW + timedelta(days=30))
    office.give_back(
        office.json({5: {"opened_instead": "P14", U: "found", P: "nothing"}}, name="instead.json")
    )
    office.give_back(office.json({4: {"not_opened": "no_time"}}, name="not.json"))
    found = entries_of(office)
    assert (found["P03"]["found"], found["P03"]["selection"], found["P03"]["delay_days"]) == (True, "rule", 1)
    assert (found["P03"]["food_safety"], found["P03"]["prohibited_item"]) == (True, None)
    assert {found[name]["state"] for name in ("P01", "P02")} == {"no_result"}
    assert (found["P04"]["state"], found["P04"]["not_opened"]) == ("not_opened", "no_time")
    assert not_opened_because(pl.DataFrame(list(found.values()))).rows() == [
        ("4601", "referral", "no_time", 1)
    ]
    # P14 stood on no list.
    assert (found["P05"]["state"], "P14" in found) == ("replaced", False)
    other = other_inspections(
        office.store, inspected_parcels(office.store, DAY), pl.DataFrame(list(found.values())), [DAY], None
    )
    assert other.rows() == [("override", 1, 1, 1)]
    assert found["P03"]["week"] == date(2026, 11, 16)


def test_a_parcel_of_which_a_sample_is_away_was_opened_though_nothing_is_known_of_it(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    away = {F: "sent", U: "not_examined", P: "not_examined"}
    office.give_back(office.json({1: away, 2: away | {P: "nothing"}, 4: away | {"opened_instead": "P13"}}))
    states = {name: row["state"] for name, row in entries_of(office).items() if row["state"] != "no_result"}
    assert states == {"P01": "at_laboratory", "P02": "opened", "P04": "replaced"}
    assert report(office) == 0
    assert (
        "1 were opened, 0 of them with a finding; 1 at the laboratory, 1 replaced" in capsys.readouterr().out
    )
    page = next((office.store.path / "reports").glob("*/report.html")).read_text("utf-8")
    assert "Drawn at random and not opened: 2" in page, "of which nothing came back; not P01"
    # Whoever sends all draws to the laboratory skips none.
    counts = {"listed": 20, "at_laboratory": [20, 0], "opened": [0, 20]}
    became = pl.DataFrame({"customs_office": "4601", "selection": ["random", "risk"]} | counts)
    assert skipped_draws(became) == ["4601"]
    assert skipped_draws(seen_into(became)) == []
    office.give_back(office.json({1: {F: "found"}}, name="answer.json"))
    assert entries_of(office)["P01"]["state"] == "opened"


def test_figures_that_are_enough(office: Office, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    # Of 40 chosen by risk 20 have a finding, of 40 drawn at random 5: the lift is 4.
    numbers = range(80)
    declarations = pl.DataFrame(
        {
            "declaration_id": [f"Q{number}" for number in numbers], "line_no": 1,
            "declared_at": f"{DAY} 12:00", "customs_office": "5316", "hs_code": "330499",
            "total_price": 9.0, "currency": "CNY",
        }
    )  # fmt: skip
    results = pl.DataFrame(
        {
            "declaration_id": [f"Q{number}" for number in numbers], "line_no": 1, "inspected_on": DAY,
            "reported_on": [DAY + timedelta(days=1 + number % 4) for number in numbers],
            "selection": ["risk" if number < 40 else "random" for number in numbers],
            "undervaluation": [number < 20 or 40 <= number < 45 for number in numbers],
            "recovered_tax_cny": [50.0 if number < 20 else 0.0 for number in numbers],
        }
    )  # fmt: skip
    take_in(office.store.path, declarations, results, settings=SETTINGS)
    on_lists = listed(
        [
            {"declaration_id": f"Q{number}", "customs_office": "5316", "rank": number + 1,
             "selection": "risk" if number < 40 else "random"}
            for number in (*numbers, *range(80, 110))
        ]
    )  # fmt: skip
    with office.store.lock("test"), office.store.transaction() as t:
        stage_issued(t, office.store, DAY, with_list_ids(on_lists, DAY))
    out = tmp_path / "out"
    assert report(office, "--out", str(out)) == 0
    said = capsys.readouterr().out
    assert "lift over the random share: 4.0 (" in said
    assert re.search(r"risk +\d+ +40 +20 +50\.0% \(35\.2% to 64\.8%\) +25\.00", said)
    # Nothing of thirty draws came back, of what was chosen by risk everything.
    assert "draws are skipped: 5316 opened surely fewer" in said
    assert "half within 2, 90% within 4" in said
    page = (out / "report.html").read_text("utf-8")
    assert "default-src 'none'; style-src 'sha256-" in html.unescape(page)
    assert "<script" not in page
    assert page.count("<svg") == 2
    weeks = pl.read_parquet(out / "hit_rates.parquet").filter(selection="random", customs_office="5316")
    assert weeks.select("customs_office", "week", "examined", "findings").rows() == [
        ("5316", date(2026, 11, 16), 40, 5)
    ]
    assert not (office.store.path / "reports").exists()
    assert report(office) == report(office) == 0
    folder = next((office.store.path / "reports").iterdir())
    assert folder.name == f"{DAY}_{DAY}"
    assert (folder / "report.html").read_text("utf-8") == page


def test_days_without_a_list_are_told(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(office, "--from", "2026-10-01", "--to", "2026-10-02") == 2
    assert f"lists were issued from {DAY} to {DAY}" in capsys.readouterr().err
    assert report(office, "--office", "9999") == 2
    assert report(office, "--from", "2026-11-21", "--to", "2026-11-20") == 2


def test_a_hostile_office_is_only_text(office: Office, tmp_path: Path) -> None:
    rows = listed([{"declaration_id": "X1", "customs_office": "<script>alert(1)</script>"}])
    with office.store.lock("test"), office.store.transaction() as t:
        stage_issued(t, office.store, DAY, with_list_ids(rows, DAY))
    assert report(office, "--out", str(tmp_path / "out")) == 0
    assert "<script" not in (tmp_path / "out" / "report.html").read_text("utf-8")
