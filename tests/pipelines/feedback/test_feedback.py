"""Filled-in lists come back whole: as they were filled in, once, checked against what was issued."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.errors import UsageError
from pipelines.cli.main import run
from pipelines.feedback.log import read_log
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from tests.pipelines.list_examples import DAY
from tests.pipelines.quarantined import read_quarantine
from tests.pipelines.returned_lists import (
    NEXT_DAY,
    NOW,
    RISKS,
    SETTINGS,
    Office,
    expected,
    manifest,
    parcel,
)
from tests.pipelines.taken_in import take_in

U, P, F = (f"result_{name}" for name in ("undervaluation", "prohibited_items", "food_safety"))
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
_ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        **{f"result_{risk}": st.sampled_from(["found", "nothing", "not_examined"]) for risk in RISKS},
        "inspected_on": st.sampled_from(["2026-11-20", "2026-11-21"]),
        "assessed_unit_price": st.decimals("0.01", "99999", places=2).map(float),
        "recovered_tax_cny": st.decimals(0, "99999", places=2).map(float),
        "note": _TEXT,
    },
)


@pytest.fixture(scope="module")
def offices(issued: Store, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Office]:
    """A store of its own for each example."""
    folders = (tmp_path_factory.mktemp(f"example{number}") for number in count())
    return lambda: Office.copy_of(issued, next(folders))


def documents(office: Office, filled: Mapping[int, Any], kind: str, name: str) -> Path:
    if kind == "csv":
        return office.csv(filled, name=f"{name}.csv")
    return (
        office.json(filled, name=f"{name}.json")
        if kind == "json"
        else office.xlsx(filled, name=f"{name}.xlsx")
    )


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    filled=st.dictionaries(st.integers(1, 8), _ENTRIES, max_size=8),
    kinds=st.tuples(*[st.sampled_from(["json", "csv", "xlsx"])] * 2),
    order=st.permutations(range(8)),
    cut=st.integers(0, 8),
)
def test_what_was_filled_in_is_what_the_inspections_say(
    offices: Callable[[], Office],
    filled: dict[int, dict[str, Any]],
    kinds: tuple[str, str],
    order: list[int],
    cut: int,
) -> None:
    office = offices()
    # The first return has some of the rows, and of each only some entries.
    part = {rank: dict(list(row.items())[: cut // 2]) for rank, row in filled.items() if rank <= cut}
    part = {rank: row for rank, row in part.items() if row}
    for entries, name in ((part, "part"), (filled, "whole")):
        report = office.give_back(documents(office, entries, kinds[name == "whole"], name))
        assert report.exit_code == 0, report.lines()
        manifest(report)
    assert office.inspections() == expected(filled)
    before = office.store.read_inspections()
    again = office.give_back(
        office.csv(filled, order=order, delimiter=";", encoding="utf-8", name="again.csv")
    )
    given = sum(bool(row) for row in filled.values())
    assert manifest(again)["superseded"] == given == manifest(again)["in"]
    assert manifest(again)["not_filled_in"] == 8 - given
    assert office.store.read_inspections().equals(before)
    log = read_log(office.store, DAY)
    assert log.height == sum(bool(row) for row in part.values()) + 2 * given


def test_a_parcel_is_opened_as_a_whole(office: Office) -> None:
    report = office.give_back(office.json({3: {U: "found", P: "nothing", F: "not_examined"}}))
    found = office.inspections()
    assert {line: found[parcel(3), line].get("undervaluation") for line in (1, 2, 3)} == {
        1: None,
        2: True,
        3: None,
    }
    assert all(found[parcel(3), line]["prohibited_item"] is False for line in (1, 2, 3))
    assert not any("food_safety" in row for row in found.values())
    assert {row["selection"] for row in found.values()} == {"rule"}
    assert "2 of them about other lines" in "\n".join(report.lines())


def test_a_laboratory_result_joins_the_visual_one(office: Office) -> None:
    weeks_later = DAY + timedelta(weeks=3)
    first = {2: {P: "nothing", F: "not_examined", "inspected_on": "2026-11-20"}}
    assert office.give_back(office.json(first)).exit_code == 0
    laboratory = office.table("lab.csv", ["Declaration ID", "Food_Safety"], [parcel(2), "TRUE"])
    assert office.give_back(laboratory, reported_on=weeks_later, now=NOW + timedelta(weeks=4)).exit_code == 0
    rows = office.store.read_inspections().sort("reported_on")
    assert rows.select("reported_on", "prohibited_item", "food_safety").rows() == [
        (NEXT_DAY, False, None),
        (weeks_later, None, True),
    ]
    assert set(rows["inspected_on"]) == {DAY}
    assert rows["inspection_probability"].n_unique() == 1


def test_a_day_of_inspection_that_is_told_later_is_that_of_the_first_report_too(office: Office) -> None:
    office.give_back(office.json({3: {P: "nothing"}}))
    assert office.give_back(office.json({3: {"inspected_on": "2026-11-20"}})).exit_code == 0
    assert office.store.read_inspections()["inspected_on"].to_list() == [DAY] * 3
    other = office.give_back(office.json({3: {"inspected_on": "2026-11-21"}}))
    assert other.exit_code == 5
    office.give_back(office.json({3: {"inspected_on": "2026-11-21"}}), corrections=True)
    assert office.store.read_inspections()["inspected_on"].to_list() == [NEXT_DAY] * 3


def test_a_result_that_was_ingested_is_not_overwritten(office: Office) -> None:
    row = {"declaration_id": ["P01"], "line_no": [1], "inspected_on": [DAY], "reported_on": [NEXT_DAY]}
    ingested = pl.DataFrame(row | {"undervaluation": [False], "selection": ["referral"]})
    take_in(office.store.path, ingested, settings=SETTINGS)
    report = office.give_back(office.json({1: {U: "found"}}))
    assert report.exit_code == 5
    assert "undervaluation was False, now True" in "\n".join(report.lines())
    assert office.inspections()["P01", 1]["undervaluation"] is False
    office.give_back(office.json({1: {P: "found"}}))
    found = office.inspections()["P01", 1]
    assert (found["undervaluation"], found["prohibited_item"]) == (False, True)
    assert (found["selection"], found["inspection_probability"]) == ("random", 1 / 16)


def test_a_conflict_is_told_with_both_values_kept_and_not_written(office: Office) -> None:
    office.give_back(
        office.json({1: {U: "found", "recovered_tax_cny": 30.0}, 2: {P: "nothing"}}, name="a.json")
    )
    before = office.store.read_inspections()
    other = office.csv(
        {1: {U: "nothing", "recovered_tax_cny": 31.0}, 2: {P: "nothing", F: "found"}}, name="b.csv"
    )
    report = office.give_back(other)
    assert report.exit_code == 5
    assert manifest(report) == {
        "in": 2, "kept": 1, "quarantined": 1, "superseded": 0, "conflict": 1, "not_filled_in": 6,
    }  # fmt: skip
    said = "\n".join(report.lines())
    assert "b.csv, row 2: parcel P01, rank 1" in said
    assert "Result: Undervaluation was found (a.json), now nothing" in said
    assert "Recovered tax, CNY was 30.0 (a.json), now 31.0" in said
    assert "--corrections" in said
    rows = office.store.read_inspections()
    assert rows.filter(declaration_id=parcel(1)).equals(before.filter(declaration_id=parcel(1)))
    assert rows.filter(declaration_id=parcel(2))["food_safety"].to_list() == [True]
    kept = read_log(office.store, DAY).filter(outcome="conflict")
    assert kept.select(U, "recovered_tax_cny").rows() == [("nothing", 31.0)]
    aside = read_quarantine(office.store.path)
    assert aside["reasons"].to_list() == [["result_undervaluation:conflict", "recovered_tax_cny:conflict"]]


def test_a_correction_counts_and_takes_back_what_followed(office: Office) -> None:
    office.give_back(office.json({3: {U: "nothing", P: "found"}}))
    changed = {3: {U: "found", P: "not_examined"}}
    report = office.give_back(
        office.json(changed), corrections=True, reported_on=NEXT_DAY + timedelta(days=1)
    )
    assert report.exit_code == 0
    assert manifest(report)["kept"] == 1
    found = office.inspections()
    assert {key: row.get("undervaluation") for key, row in found.items()} == {(parcel(3), 2): True}
    assert not any("prohibited_item" in row for row in found.values())
    again = office.give_back(office.json(changed))
    assert manifest(again)["superseded"] == 1
    back = office.give_back(office.json({3: {U: "nothing"}}))
    assert back.exit_code == 5, "the corrected value is the one that counts"


def test_another_parcel_opened_instead(office: Office) -> None:
    entries = {U: "found", P: "nothing", "opened_instead": "P14", "override_reason": "box was open"}
    assert office.give_back(office.json({2: entries})).exit_code == 0
    rows = office.store.read_inspections()
    assert rows.select("declaration_id", "line_no", "selection", "inspection_probability").rows() == [
        ("P14", 1, "override", None), ("P14", 2, "override", None), ("P14", 3, "override", None),
    ]  # fmt: skip
    assert rows["undervaluation"].to_list() == [True, None, None]
    assert rows["prohibited_item"].to_list() == [False, False, False]
    assert read_log(office.store, DAY)["override_reason"].to_list() == ["box was open"]
    later = office.give_back(office.json({2: {U: "found"}}))
    assert later.exit_code == 5, "of which parcel?"
    moved = office.give_back(office.json({2: {U: "found"}}), corrections=True)
    assert moved.exit_code == 0
    assert office.inspections().keys() == {(parcel(2), 1)}


def test_the_day_of_the_report(office: Office) -> None:
    assert office.give_back(office.json({1: {U: "found"}}), reported_on=None).days == [date(2026, 11, 21)]
    # Eight in the evening in Greenwich is the next day in China.
    evening = office.give_back(office.json({2: {U: "found"}}), reported_on=None, now=NOW + timedelta(hours=8))
    assert evening.days == [date(2026, 11, 22)]
    # A list of a simulated day to come.
    early = office.give_back(office.json({3: {U: "found"}}), reported_on=None, now=NOW - timedelta(days=300))
    assert early.days == [DAY]
    with pytest.raises(UsageError, match="is a day to come"):
        office.give_back(office.json({4: {U: "found"}}), reported_on=date(2027, 1, 1))


def test_numbers_of_persons_do_not_enter_the_store(office: Office) -> None:
    entries = {U: "found", "note": "buyer 13800138000", "override_reason": "箱内有手表"}
    office.give_back(office.json({1: entries}))
    log = read_log(office.store, DAY).row(0, named=True)
    assert "138" not in log["note"]
    assert log["override_reason"] == "箱内有手表"
    assert manifest(office.give_back(office.json({1: entries})))["superseded"] == 1


def test_late_results_reopen_the_history(office: Office) -> None:
    for day in (DAY, NEXT_DAY):
        (office.store.layout.partition(DayTable.PROFILES, day)).mkdir(parents=True)
    report = office.give_back(office.json({1: {U: "found"}}))
    assert report.reopened == NEXT_DAY
    assert office.store.days(DayTable.PROFILES) == [DAY]
    assert f"reopened from {NEXT_DAY}" in "\n".join(report.lines())


def test_the_command_line(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    path = office.json({1: {U: "found"}})
    arguments = ["feedback", str(path), "--store", str(office.store.path), "--reported-on", "2026-11-21"]
    assert run([*arguments, "--log-format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["verb"], said["rows_kept"], said["exit_code"]) == ("feedback", 1, 0)
    assert run(arguments) == 0
    assert "1 repeated" in capsys.readouterr().out
    assert (
        json.loads(office.store.layout.manifests("feedback")[0].read_text(encoding="utf-8"))["rows_accepted"]
        == 1
    )
    assert run(["feedback", "--store", str(office.store.path)]) == 2
