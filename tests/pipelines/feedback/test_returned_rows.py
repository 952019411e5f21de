"""Which rows and files of what comes back are taken for a place on an issued list, and why others are not."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from features.contract.inspections import FOUND_COLUMNS
from pipelines.feedback.log import read_log
from pipelines.lists.issued import stage_issued, with_list_ids
from pipelines.store.day_table import DayTable
from tests.pipelines.list_examples import DAY, listed
from tests.pipelines.quarantined import read_quarantine
from tests.pipelines.returned_lists import CHINESE, RISKS, Office, manifest, parcel

U = "result_undervaluation"


@pytest.mark.parametrize(
    ("rank", "entries", "reason", "words"),
    [
        (1, {U: "perhaps"}, f"{U}:not_in_list", "came 'perhaps'"),
        (1, {"opened_instead": "P99", U: "found"}, "opened_instead:unknown_declaration", "P99"),
        (1, {"opened_instead": "P01", U: "found"}, "opened_instead:contradiction", "listed parcel itself"),
        (1, {"assessed_unit_price": "cheap"}, "assessed_unit_price:not_a_number", "came 'cheap'"),
        (1, {"assessed_unit_price": 0}, "assessed_unit_price:out_of_range", "above 0"),
        (1, {"recovered_tax_cny": -1}, "recovered_tax_cny:out_of_range", "came -1"),
        (1, {U: "found", "inspected_on": "soon"}, "inspected_on:not_a_date", "came 'soon'"),
        (1, {U: "found", "inspected_on": "2026-11-22"}, "reported_on:reported_before_inspected", "after it"),
        (1, {U: "found", "inspected_on": "2025-11-20"}, "inspected_on:out_of_range", "before the day of"),
        (1, {U: "found", "reported_on": "2026-11-19"}, "reported_on:out_of_range", "before the day of"),
        (99, {U: "found"}, "declaration_id:not_on_list", "rank 99 is not on list"),
        (2, {U: "found"}, "declaration_id:not_on_list", "rank and parcel must stay together"),
        ("first", {U: "found"}, "rank:not_a_whole_number", "came 'first'"),
        (1, {U: "found", "line_no": 2}, "line_no:not_on_list", "the row says line 2"),
        (1, {U: "found", "found_line": 2}, "found_line:not_in_list", "the parcel has the lines 1, came 2"),
        (1, {U: "found", "found_line": 1.5}, "found_line:not_a_whole_number", "came 1.5"),
        (1, {U: "found", "found_how": "magic"}, "found_how:not_in_list", "came 'magic'"),
        (1, {U: "found", "found_hs_code": "tea"}, "found_hs_code:bad_format", "10 digits, came 'tea'"),
        (1, {U: "found", "found_quantity": 0}, "found_quantity:out_of_range", "above 0"),
        (1, {U: "nothing", "not_opened": "no time"}, "not_opened:contradiction", "has no result"),
        (1, {U: "found", "list_id": "0123456789ab"}, "list_id:unknown_list", "was issued from this store"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_taken_says_why(
    office: Office, rank: object, entries: dict[str, object], reason: str, words: str
) -> None:
    row = {"rank": rank, "declaration_id": "P01", "line_no": 1, "list_id": office.list_id()} | entries
    report = office.give_back(office.table("r.csv", row, [*row.values()]))
    assert report.exit_code == 3
    assert manifest(report)["quarantined"] == 1
    said = "\n".join(report.lines())
    assert "r.csv, row 2" in said
    assert words in said
    aside = read_quarantine(office.store.path).row(0, named=True)
    assert (aside["source_row"], aside["reasons"]) == (2, [reason])
    assert office.store.inspection_days() == []
    unplaced = office.store.path / "feedback/declared_on=__HIVE_DEFAULT_PARTITION__"
    log = [read_log(office.store, DAY), *(pl.read_parquet(path) for path in unplaced.glob("*.parquet"))]
    assert [row["reasons"] for part in log for row in part.iter_rows(named=True)] == [[reason]]


def test_files_that_are_no_list_are_refused_and_the_others_taken(office: Office) -> None:
    broken = office.folder / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 not a workbook")
    strangers = [
        broken,
        office.table("letter.csv", ["Dear colleague"], ["here are the results"]),
        office.table("other.json", ['{"format": "something else"}']),
        office.table("empty.csv", []),
    ]
    report = office.give_back(*strangers, office.json({1: {U: "found"}}))
    assert report.exit_code == 3
    assert manifest(report)["kept"] == 1
    said = "\n".join(report.lines())
    assert all(f"refused as a whole: {path}" in said for path in strangers)
    assert office.inspections()[parcel(1), 1]["undervaluation"] is True
    assert sorted(read_quarantine(office.store.path)["source_file"]) == sorted(map(str, strangers))


def test_headings_that_people_write(office: Office) -> None:
    spaced = office.table(
        "a.csv",
        ["Declaration ID", "Line No", "Inspected On", "Prohibited Item", "UNDERVALUATION", "Remarks"],
        ["P01", 1, "20/11/2026", "no", "Yes", "box 3"],
        ["P02", "1.0", "2026/11/20 00:00:00", "", "0", ""],
        delimiter="\t",
    )  # fmt: skip
    single = office.table(
        "b.csv", ["rank", "PARCEL", "Result"], [4, "P04", "finding"], [5, "P05", "nothing found"]
    )
    report = office.give_back(spaced, single)
    assert report.exit_code == 0, report.lines()
    found = office.inspections()
    assert {found[parcel(number), 1]["inspected_on"] for number in (1, 2)} == {DAY}
    assert (found["P01", 1]["undervaluation"], found["P01", 1]["prohibited_item"]) == (True, False)
    assert found["P02", 1]["undervaluation"] is False
    # The single column is about the risk that the list names.
    labels = [RISKS[sorted(RISKS)[number % 3]].label for number in (4, 5)]
    assert [found[parcel(number), 1][label] for number, label in zip((4, 5), labels, strict=True)] == [
        True,
        False,
    ]


def test_a_list_without_an_id_is_the_newest_with_the_parcel(office: Office) -> None:
    later = DAY + timedelta(days=1)
    first = listed([{"declaration_id": "P01", "selection": "random", "inspection_probability": 0.5}])
    second = first.with_columns(inspection_probability=0.125)
    for rows in (first, second):
        with office.store.lock("test"), office.store.transaction() as t:
            stage_issued(t, office.store, later, with_list_ids(rows, later))
    office.give_back(
        office.table("a.csv", ["declaration_id", "undervaluation"], ["P01", 1]), reported_on=later
    )
    office.give_back(office.csv({2: {U: "found"}}), reported_on=later)
    found = office.inspections()
    assert (found["P01", 1]["selection"], found["P01", 1]["inspection_probability"]) == ("random", 0.125)
    assert found["P02", 1]["selection"] == "exploration"


def test_a_finding_belongs_to_the_line_that_the_row_names(office: Office) -> None:
    """Parcel 3 has three lines and is listed for its second."""
    named = {U: "found", "result_food_safety": "nothing", "found_line": "3", "assessed_unit_price": 9.5}
    assert office.give_back(office.json({3: named})).exit_code == 0
    known = office.inspections()
    assert [known["P03", line].get("undervaluation") for line in (1, 2, 3)] == [None, None, True]
    assert [known["P03", line]["food_safety"] for line in (1, 2, 3)] == [False] * 3
    assert known["P03", 3]["assessed_unit_price"] == 9.5
    other = office.give_back(office.json({3: named | {"found_line": "1"}}, name="again.json"))
    assert (other.exit_code, manifest(other)["conflict"]) == (5, 1)


FOUND = {
    U: "found", "found_how": "hidden", "found_item": "watch", "found_hs_code": "９102.11",
    "found_quantity": "3",
}  # fmt: skip


def test_what_was_found_stands_beside_the_finding(office: Office) -> None:
    assert office.give_back(office.json({3: FOUND | {"found_how": "夹藏"}})).exit_code == 0
    known = office.inspections()
    found = {name: known["P03", 2].get(name) for name in FOUND_COLUMNS}
    assert found == {
        "found_hs_code": "910211", "found_item": "watch", "found_quantity": 3.0, "found_how": "hidden",
    }  # fmt: skip
    assert {key[0] for key in known} == {"P03"}
    # Text may be put in other words; of what is compared a second return does not overwrite the first.
    other = FOUND | {
        "found_item": "watches",
        "found_how": "origin",
        "found_quantity": 4,
        "found_hs_code": "9101",
    }
    report = office.give_back(office.json({3: other}, name="other.json"), settings=CHINESE)
    assert manifest(report)["conflict"] == 1
    told = "\n".join(report.lines())
    for said in ("违规方式：此前为“夹藏”，现为“原产地申报不实”", "实际税号：此前为", "实际数量：此前为“3.0”"):
        assert said in told
    assert "实际商品" not in told
    # Where nobody says what was there, the stored tables stay as they were.
    office.give_back(office.json({1: {U: "nothing"}}, name="later.json"), reported_on=DAY)
    file = office.store.layout.files(DayTable.INSPECTIONS, DAY)[0]
    assert not set(FOUND_COLUMNS) & set(pl.read_parquet_schema(file))


def test_the_number_of_a_seizure_or_photograph_is_kept_with_what_came_back(office: Office) -> None:
    table = office.table(
        "a.csv",
        ["rank", "declaration_id", "undervaluation", "扣留单号或照片编号"],
        [3, "P03", "查发异常", "扣字〔2026〕17号"],
    )
    later = office.json({3: {U: "found", "found_evidence": "IMG_0042"}}, name="later.json")
    report = office.give_back(table, later)
    assert report.exit_code == 0, report.lines()
    assert read_log(office.store, DAY)["found_evidence"].to_list() == ["扣字〔2026〕17号", "IMG_0042"]
    assert "found_evidence" not in office.inspections()["P03", 2]


def test_a_parcel_that_was_not_opened_says_why_and_is_no_inspection(office: Office) -> None:
    why = {U: "not_examined", "not_opened": "未找到包裹"}
    other = {"not_opened": "released", "opened_instead": "P13", U: "nothing"}
    report = office.give_back(office.json({1: why, 2: other}))
    assert report.exit_code == 0, report.lines()
    assert read_log(office.store, DAY)["not_opened"].to_list() == ["not_found", "released"]
    assert {key[0] for key in office.inspections()} == {"P13"}
    # It turned up.
    found = office.give_back(office.json({1: {U: "nothing", "inspected_on": "2026-11-21"}}, name="up.json"))
    assert (found.exit_code, manifest(found)["kept"]) == (0, 1)
    assert office.inspections()["P01", 1]["undervaluation"] is False
    again = office.give_back(office.json({1: why}, name="again.json"))
    assert manifest(again)["conflict"] == 1
