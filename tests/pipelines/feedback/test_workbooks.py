"""Workbooks in the formats that programs other than the usual ones save, and files that mean harm."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import openpyxl
import pytest

from configs.errors import DataError
from pipelines.feedback.files import read_returned
from pipelines.feedback.workbooks import sheets_of
from pipelines.ingest.tables.workbook_cells import ReadingLimits
from tests.pipelines.returned_lists import RISKS, Office, expected, manifest

U, P, F = (f"result_{name}" for name in ("undervaluation", "prohibited_items", "food_safety"))
FILLED = {
    1: {U: "found", P: "nothing", "assessed_unit_price": 1234.5, "note": "两只手表"},
    3: {U: "nothing", F: "found", "inspected_on": "2026-11-21", "recovered_tax_cny": 0.0},
    5: {"note": "seen"},
}
_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_MOST_BYTES = 2**20


def saved_as(workbook: Path, kind: str, folder: Path) -> Path:
    """The workbook as LibreOffice saves it in another format."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("needs LibreOffice Calc (Debian: libreoffice-calc), which is not installed")
    command = [
        program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
        "--convert-to", kind, "--outdir", str(folder), str(workbook),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return (folder / workbook.name).with_suffix(f".{kind.partition(':')[0]}")


@pytest.mark.parametrize("kind", ["xls:MS Excel 97", "ods:calc8"])
def test_an_old_or_an_open_format_is_read_like_xlsx(office: Office, tmp_path: Path, kind: str) -> None:
    filled = office.xlsx(FILLED, name="filled.xlsx")
    folder = tmp_path / "other"
    folder.mkdir()
    report = office.give_back(saved_as(filled, kind, folder))
    assert (report.exit_code, manifest(report)["kept"]) == (0, 3), report.lines()
    assert report.files[0].list_id == office.list_id()
    assert office.inspections() == expected(FILLED)
    again = office.give_back(filled)
    assert (again.exit_code, manifest(again)["superseded"]) == (0, 3), again.lines()


def _ods(path: Path, rows: str) -> bytes:
    """A spreadsheet in the open format with some rows."""
    names = {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    }
    declared = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in names.items())
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("mimetype", _ODS)
        parts.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS}"/></manifest:manifest>',
        )
        parts.writestr(
            "content.xml",
            f"<office:document-content {declared}><office:body><office:spreadsheet>"
            f'<table:table table:name="List">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path.read_bytes()


def _cell(text: str, repeated: int = 1) -> str:
    return (
        f'<table:table-cell table:number-columns-repeated="{repeated}" office:value-type="string">'
        f"<text:p>{text}</text:p></table:table-cell>"
    )


def test_what_is_broken_or_too_large_is_refused_and_the_run_goes_on(office: Office, tmp_path: Path) -> None:
    far = f'<table:table-row table:number-rows-repeated="1048576">{_cell("x", 16384)}</table:table-row>'
    _ods(tmp_path / "far.ods", far)
    (tmp_path / "locked.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    good = office.csv(FILLED)
    report = office.give_back(tmp_path / "far.ods", tmp_path / "locked.xls", good)
    assert report.exit_code == 3
    assert [file.fault is None for file in report.files] == [False, False, True]
    for file in report.files[:2]:
        assert str(file.path) in str(file.fault)
        assert "cannot be read" in str(file.fault)
        assert "save it as .xlsx" in str(file.fault)
    assert office.inspections() == expected(FILLED)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (ReadingLimits(seconds=0.001), "longer than 0.001 s"),
        (ReadingLimits(cells=5), "more cells than a list can have"),
        (ReadingLimits(memory_bytes=2**20), "broke off with code"),
    ],
)
def test_the_reader_is_held_to_its_limits(tmp_path: Path, limits: ReadingLimits, why: str) -> None:
    content = _ods(tmp_path / "a.ods", f"<table:table-row>{_cell('rank')}{_cell('x', 5)}</table:table-row>")
    with pytest.raises(DataError, match=why):
        sheets_of(tmp_path / "a.ods", content, _MOST_BYTES, limits)
    (sheet,) = sheets_of(tmp_path / "a.ods", content, _MOST_BYTES)
    assert sheet.rows == [["rank", *["x"] * 5]]


def test_rows_keep_their_numbers_below_empty_ones(tmp_path: Path) -> None:
    rows = "<table:table-row><table:table-cell/></table:table-row>" * 2
    for cells in (("rank", "declaration_id", "note"), ("1", "P01", "seen")):
        rows += f"<table:table-row>{''.join(map(_cell, cells))}</table:table-row>"
    _ods(tmp_path / "a.ods", rows)
    file = read_returned(tmp_path / "a.ods", RISKS)
    assert [(row.number, dict(row.cells)) for row in file.rows] == [
        (4, {"rank": "1", "declaration_id": "P01", "note": "seen"})
    ]


def test_a_stray_cell_in_another_format_is_told_as_in_xlsx(tmp_path: Path) -> None:
    rows = f"<table:table-row>{_cell('rank')}{_cell('declaration_id')}</table:table-row>"
    rows += '<table:table-row table:number-rows-repeated="30000"><table:table-cell/></table:table-row>'
    rows += f"<table:table-row>{_cell('stray')}</table:table-row>"
    (sheet,) = sheets_of(tmp_path / "a.ods", _ods(tmp_path / "a.ods", rows), _MOST_BYTES)
    assert sheet.rows[0] == ["rank", "declaration_id"]
    assert not any(sheet.rows[1:])
    assert sheet.beyond == ["A30002"]


def test_an_xlsx_file_is_read_in_this_process(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["rank", "declaration_id"])  # type: ignore[union-attr]
    book.save(tmp_path / "a.xlsx")
    content = (tmp_path / "a.xlsx").read_bytes()
    limits = ReadingLimits(seconds=0.001)
    (sheet,) = sheets_of(tmp_path / "a.xlsx", content, _MOST_BYTES, limits)
    assert sheet.rows == [["rank", "declaration_id"]]
