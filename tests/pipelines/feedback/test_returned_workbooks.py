"""What people do to a workbook before they return it: all that stands in it is read, or told."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipelines.cli.main import run
from pipelines.feedback.report import FeedbackReport
from tests.pipelines.returned_lists import Office, expected, manifest

U, P = "result_undervaluation", "result_prohibited_items"
FILLED: dict[int, dict[str, Any]] = {1: {U: "found", "assessed_unit_price": 12.5}, 2: {P: "nothing"}}


def opened(path: Path) -> tuple[openpyxl.Workbook, Any, dict[str, int], int]:
    """A workbook, its list, the columns of fields from 1, and the row of rank 1."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    head = next(
        cells for cells in sheet.iter_rows(max_row=20) if any(c.value == "declaration_id" for c in cells)
    )
    columns = {str(cell.value): int(cell.column or 0) for cell in head if cell.value}
    first = next(row for row in range(1, 40) if sheet.cell(row, columns["rank"]).value == 1)
    return book, sheet, columns, first


def told(report: FeedbackReport) -> str:
    return "\n".join(report.lines())


@pytest.mark.parametrize("age", ["now", "before there was a sheet to print"])
def test_the_sheet_to_print_is_no_second_list(office: Office, age: str) -> None:
    book, *_ = opened(office.xlsx(FILLED))
    assert [sheet.title for sheet in book] == ["List", "To print", "What to look for"]
    if age != "now":
        del book["To print"]
        book.save(office.folder / "r.xlsx")
    report = office.give_back(office.folder / "r.xlsx")
    assert (report.exit_code, manifest(report)["not_filled_in"]) == (0, 6), told(report)
    assert office.inspections() == expected(FILLED)
    assert "sheet" not in told(report)


def test_lists_on_several_sheets_are_all_read(office: Office) -> None:
    book, _, _, _ = opened(office.xlsx(FILLED))
    _, second, _, _ = opened(office.xlsx({1: {U: "nothing"}}, office="5316"))
    copy = book.create_sheet("second office", 0)
    for cells in second.iter_rows():
        for cell in cells:
            copy.cell(cell.row, cell.column).value = cell.value
    book.create_sheet("remarks")["B2"] = "the scale was out of order"
    book.save(office.folder / "both.xlsx")
    report = office.give_back(office.folder / "both.xlsx")
    assert (report.exit_code, manifest(report)["kept"]) == (0, 3), told(report)
    assert office.inspections() == expected(FILLED) | expected({1: {U: "nothing"}}, first=9)
    assert "sheet 'remarks': it has no list: 1 cells were not read" in told(report)
    assert "read the list" not in told(report), "the sheet of words that every workbook has is no news"


def test_lists_below_one_another_are_all_read(office: Office) -> None:
    book, sheet, _, _ = opened(office.xlsx(FILLED))
    _, second, _, _ = opened(office.xlsx({1: {U: "nothing"}}, office="5316"))
    for cells in list(second.iter_rows(values_only=True)):
        sheet.append(cells)
    book.save(office.folder / "both.xlsx")
    report = office.give_back(office.folder / "both.xlsx")
    assert (report.exit_code, manifest(report)["kept"]) == (0, 3), told(report)
    assert office.inspections() == expected(FILLED) | expected({1: {U: "nothing"}}, first=9)


def test_a_copy_of_the_list_on_another_sheet_counts_once_and_contradicts_aloud(office: Office) -> None:
    book, sheet, columns, first = opened(office.xlsx(FILLED))
    copy = book.copy_worksheet(sheet)
    book.save(office.folder / "same.xlsx")
    report = office.give_back(office.folder / "same.xlsx")
    counted = manifest(report)
    assert (counted["kept"], counted["superseded"]) == (2, 2), told(report)

    # openpyxl saves a workbook with pictures once.
    book, *_ = opened(office.folder / "same.xlsx")
    book[copy.title].cell(first, columns[U]).value = "nothing"
    book.save(office.folder / "other.xlsx")
    report = office.give_back(office.folder / "other.xlsx")
    assert report.exit_code == 5
    assert f"sheet '{copy.title}', row {first}: " in told(report)


def test_a_result_merged_over_several_rows_counts_for_each(office: Office) -> None:
    book, sheet, columns, first = opened(office.xlsx({1: {P: "nothing"}}))
    column = columns[P]
    sheet.merge_cells(start_row=first, end_row=first + 2, start_column=column, end_column=column)
    area = sheet.merged_cells.ranges[0].coord if isinstance(sheet.merged_cells.ranges, list) else ""
    book.save(office.folder / "merged.xlsx")
    report = office.give_back(office.folder / "merged.xlsx")
    assert (report.exit_code, manifest(report)["kept"]) == (0, 3), told(report)
    assert office.inspections() == expected({rank: {P: "nothing"} for rank in (1, 2, 3)})
    assert f"the value counts for each of their rows: {area}" in told(report)


def test_cells_merged_over_several_columns_send_their_row_back(office: Office) -> None:
    book, sheet, columns, first = opened(office.xlsx(FILLED))
    left = min(columns[U], columns[P])
    sheet.merge_cells(start_row=first + 1, end_row=first + 1, start_column=left, end_column=left + 1)
    book.save(office.folder / "merged.xlsx")
    report = office.give_back(office.folder / "merged.xlsx")
    assert (report.exit_code, manifest(report)["kept"], manifest(report)["quarantined"]) == (3, 1, 1)
    assert "are merged, so that nobody knows what belongs where" in told(report)


def test_a_formula_without_its_value_sends_its_row_back(office: Office) -> None:
    book, sheet, columns, first = opened(office.xlsx(FILLED))
    cell = sheet.cell(first, columns["assessed_unit_price"])
    cell.value = "=10+2.5"
    book.save(office.folder / "formula.xlsx")
    report = office.give_back(office.folder / "formula.xlsx")
    assert (report.exit_code, manifest(report)["kept"], manifest(report)["quarantined"]) == (3, 1, 1)
    assert f"a formula in {cell.coordinate} whose value was not saved" in told(report)


@pytest.mark.parametrize(("row", "column"), [(1_048_576, 16_384), (12_000, 400)])
def test_a_stray_cell_far_away_costs_nothing_and_is_told(office: Office, row: int, column: int) -> None:
    book, sheet, _, _ = opened(office.xlsx(FILLED))
    sheet.cell(row, column).value = "stray"
    book.save(office.folder / "stray.xlsx")
    report = office.give_back(office.folder / "stray.xlsx")
    assert (report.exit_code, manifest(report)["kept"]) == (0, 2), told(report)
    assert sheet.cell(row, column).coordinate in told(report) or f"not read: {row}" in told(report)


def test_a_row_that_is_none_of_the_list_is_told(office: Office) -> None:
    book, sheet, _, _ = opened(office.xlsx(FILLED))
    sheet.append([None, None, None, "checked by the second shift"])
    book.save(office.folder / "r.xlsx")
    report = office.give_back(office.folder / "r.xlsx")
    assert report.exit_code == 0
    assert f"rows that are no rows of a list were not read: {sheet.max_row}" in told(report)


def test_a_workbook_saved_as_strict_open_xml_is_read(office: Office) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(office.xlsx(FILLED)) as parts, zipfile.ZipFile(out, "w") as strict:
        for name in parts.namelist():
            text = parts.read(name)
            for usual, other in (
                (b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"spreadsheetml/main"),
                (b"http://schemas.openxmlformats.org/officeDocument/2006", b"officeDocument"),
            ):
                text = text.replace(usual, b"http://purl.oclc.org/ooxml/" + other)
            strict.writestr(name, text)
    (office.folder / "strict.xlsx").write_bytes(out.getvalue())
    report = office.give_back(office.folder / "strict.xlsx")
    assert (report.exit_code, manifest(report)["kept"]) == (0, 2), told(report)


@pytest.mark.filterwarnings("error")
def test_what_a_program_left_beside_the_list_is_passed_over_without_a_warning(
    office: Office, capfd: pytest.CaptureFixture[str]
) -> None:
    (office.folder / "~$r.xlsx").write_bytes(b"\x05inspector" + bytes(150))
    office.xlsx(FILLED)
    files = [str(path) for path in sorted(office.folder.glob("*.xlsx"))]
    assert len(files) == 2
    assert run(["feedback", *files, "--store", str(office.store.path), "--reported-on", "2026-11-21"]) == 0
    said = capfd.readouterr()
    assert "~$r.xlsx was passed over" in said.out
    assert "Warning" not in said.out + said.err


def test_an_archive_that_is_no_workbook_is_called_so(office: Office) -> None:
    with zipfile.ZipFile(office.folder / "list.numbers", "w") as parts:
        parts.writestr("Index/Document.iwa", b"x")
    report = office.give_back(office.folder / "list.numbers")
    assert report.exit_code == 3
    assert "a zip archive without a workbook in it: open it in a spreadsheet program" in told(report)


def test_an_amount_that_could_be_two_is_asked_about(office: Office) -> None:
    commas = office.csv(
        {1: {U: "found", "assessed_unit_price": "1,250"}, 2: {U: "found", "recovered_tax_cny": "0,125"}}
    )
    report = office.give_back(commas)
    assert (report.exit_code, manifest(report)["quarantined"]) == (3, 1)
    assert "Assessed price a unit: '1,250' may be 1250 or 1.250: write it without" in told(report)
    assert [row["recovered_tax_cny"] for row in office.inspections().values()] == [0.125]

    semicolons = office.csv({3: {U: "found", "assessed_unit_price": "1.250"}}, name="s.csv", delimiter=";")
    report = office.give_back(semicolons)
    assert "Assessed price a unit: '1.250' may be 1250 or 1.250" in told(report)


@pytest.mark.parametrize("number", ["5.31620E+17", "531620261100001000"])
def test_a_parcel_number_that_was_rounded_is_called_so(office: Office, number: str) -> None:
    table = office.table("r.csv", ["declaration_id", U], [number, "found"])
    report = office.give_back(table)
    assert report.exit_code == 3
    assert f"{number} is a parcel's number that a spreadsheet program rounded" in told(report)


def test_a_list_longer_than_any_is_refused(office: Office) -> None:
    rows = [[str(number), f"P{number:02d}", ""] for number in range(20_001)]
    report = office.give_back(office.table("long.csv", ["rank", "declaration_id", U], *rows))
    assert report.exit_code == 3
    assert "has more than 20,000 rows" in told(report)
    assert office.inspections() == {}
