"""What is told of rows that were not taken, and the workbook in which they are corrected."""

from __future__ import annotations

import openpyxl

from tests.english import english_in
from tests.pipelines.returned_lists import CHINESE, Office, parcel

U, P = "result_undervaluation", "result_prohibited_items"


def test_each_file_has_a_line_with_its_list_and_how_much_was_taken(office: Office) -> None:
    first = office.csv({1: {U: "found"}, 2: {U: "perhaps"}}, name="a.csv")
    report = office.give_back(first, office.csv({1: {P: "found"}}, "5316", name="b.csv"))
    assert report.lines()[:2] == [
        "4601, November 20, a.csv: 1 of 2 taken",
        "5316, November 20, b.csv: 1 of 1 taken",
    ]
    assert (
        office.give_back(first, settings=CHINESE).lines()[0] == "4601，11月20日，a.csv：已采纳 1 行，共 2 行"
    )


def test_rows_that_were_not_taken_come_back_in_a_workbook_that_can_be_given_back(office: Office) -> None:
    office.give_back(office.csv({4: {P: "found"}}, name="before.csv"))
    given = {
        1: {U: "found"},
        2: {U: "perhaps", P: "nothing", "note": "=1+1"},
        3: {U: "found", "assessed_unit_price": "cheap", "inspected_on": "2026-11-20"},
        4: {P: "nothing"},
    }
    report = office.give_back(office.csv(given))
    told = "\n".join(report.lines())
    assert "Result: Undervaluation: expected one of 'found'" in told
    assert "Assessed price a unit: expected a number" in told
    assert "result_" not in told
    path = office.folder / "r-to-correct.xlsx"
    assert f"correct them in {path}" in told
    sheet = openpyxl.load_workbook(path).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    places = {name: column for column, name in enumerate(rows[0]) if name}
    assert rows[1][0] == "What to correct"
    assert [row[places["declaration_id"]] for row in rows[2:]] == [parcel(2), parcel(3), parcel(4)]
    assert "perhaps" in str(rows[2][0])
    offered = {
        rows[0][cells.min_col - 1]: rule.formula1
        for rule in sheet.data_validations.dataValidation
        for cells in rule.sqref.ranges
    }
    assert offered[U] == '"found,nothing found,not examined,sent to the laboratory"'
    assert "another heading" in offered["found_how"]
    assert "not_opened" in offered
    again = office.give_back(path)
    assert (again.counts["rejected"], again.counts["conflict"]) == (2, 1)
    assert not any("not read" in line for line in again.lines()), again.lines()
    assert sorted(office.folder.glob("*correct*")) == [path], "nothing else is wrong now"

    sheet.cell(3, places[U] + 1).value = "nothing found"
    sheet.cell(4, places["assessed_unit_price"] + 1).value = 12.5
    sheet.cell(5, places[P] + 1).value = "found"
    sheet.parent.save(path)
    corrected = office.give_back(path)
    assert corrected.exit_code == 0, corrected.lines()
    found = office.inspections()
    assert found[parcel(2), 1]["undervaluation"] is False
    assert found[parcel(3), 2]["assessed_unit_price"] == 12.5


def test_a_chinese_office_reads_what_to_correct_in_chinese(office: Office) -> None:
    given = {
        1: {U: "也许"},
        2: {U: "found", "opened_instead": "1.23457E+16"},
        3: {U: "found", "found_hs_code": "12345678901"},
        4: {U: "found", "not_opened": "已放行"},
    }
    report = office.give_back(office.csv(given), settings=CHINESE)
    told = "\n".join(report.lines())
    assert not english_in(told)
    assert "已填写 4 行：采纳 0 行、更正 0 行、重复 0 行、前后不一致 0 行、退回 4 行；未填写" in told
    assert "不在可选范围内（所填：也许）" in told
    assert "实际查验包裹：表格软件把该编号四舍五入了" in told
    assert "实际税号：应填 4 至 10 位数字（所填：12345678901）" in told
    assert "未查验原因：未查验的包裹不应有查验结果（所填：已放行）" in told
    sheet = openpyxl.load_workbook(office.folder / "r-to-correct.xlsx").worksheets[0]
    assert sheet.cell(2, 1).value == "需更正内容"


def test_a_workbook_that_someone_is_correcting_is_left_alone(office: Office) -> None:
    office.give_back(office.csv({1: {U: "perhaps"}}))
    office.give_back(office.csv({1: {U: "maybe"}}))
    office.give_back(office.csv({1: {U: "perhaps"}}))
    assert sorted(path.name for path in office.folder.glob("*correct*")) == [
        "r-to-correct-2.xlsx",
        "r-to-correct.xlsx",
    ]
