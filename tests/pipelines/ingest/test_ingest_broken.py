"""Broken input is refused or set aside with a message that a stranger understands; nothing else is lost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from configs.loader import load_settings
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.ingest.report import IngestReport
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.quarantined import read_quarantine

HEADER = "declaration_id,line_no,declared_at,hs_code,total_price,currency,item_name"
GOOD = "D1,1,2026-11-20,010121,5,CNY,cup"
DAY = date(2026, 11, 20)
KEY = "a key for tests, not a secret"


def run(store: Path, *files: Path, **options: Any) -> IngestReport:
    asked = IngestOptions(now=datetime(2026, 11, 22, tzinfo=UTC), **options)
    return ingest(files, store, asked, settings=load_settings(), progress=Progress.silent())


def csv_file(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


REFUSED = {
    "empty.csv": (b"", "is empty"),
    "blank.csv": (b" \n\n", "is empty"),
    "text.parquet": (f"{HEADER}\n{GOOD}\n".encode(), "no Parquet file: expected one to begin with PAR1"),
    "cut.parquet": (b"PAR1" + b"\x00" * 50, "no complete Parquet file"),
    "binary.csv": (b"MZ\x03\x04\x00\x00\x00", "is no text"),
    "column.csv": (
        f"{HEADER.replace('hs_code', 'hscode')}\n{GOOD}\n".encode(),
        "expected the column.* hs_code",
    ),
    "twice.csv": (
        f"{HEADER},hs_code\n{GOOD},1\n".encode(),
        "the name 'hs_code' more than once in column.* 4 and 8",
    ),
    "quote.csv": (f'{HEADER}\n{GOOD}\nD2,1,2026-11-20,010121,5,CNY,"cup'.encode(), "never closed"),
    "bytes.csv": (HEADER.encode() + b"\nD1,1,\xff\xff\n", "no text in UTF-8 or GB18030"),
    "cut.xml": (b'<?xml version="1.0"?><CEB621Message xmlns="http://www.chinaport.gov.cn/ceb">', "cut.xml"),
    "empty.xml": (b"", "empty"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_file_is_refused_and_the_others_go_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", KEY)
    content, message = REFUSED[name]
    broken = tmp_path / name
    broken.write_bytes(content)
    report = run(tmp_path / "S", broken, csv_file(tmp_path / "good.csv", GOOD))
    assert report.exit_code == 3
    refusal = next(line for line in report.lines() if line.startswith("refused as a whole"))
    assert str(broken) in refusal
    assert pl.Series([refusal]).str.contains(message)[0], refusal
    assert report.manifest["rows_kept"] == 1
    assert [file["refused"] is not None for file in report.manifest["files"]] == [True, False]
    rejected = read_quarantine(tmp_path / "S").row(0, named=True)
    assert (rejected["source_file"], rejected["reasons"]) == (str(broken), ["unreadable_file"])
    assert Store.open(tmp_path / "S").read_declarations(DAY).height == 1


def test_where_a_file_breaks_stands_in_the_quarantine(tmp_path: Path) -> None:
    whole = f"{HEADER}\n{GOOD}\n"
    (tmp_path / "a.csv").write_text(f'{whole}D2,1,2026-11-20,010121,5,CNY,"cup', encoding="utf-8")
    run(tmp_path / "S", tmp_path / "a.csv")
    assert read_quarantine(tmp_path / "S")["offset"].to_list() == [len(whole)]


def test_a_file_that_breaks_off_late_leaves_nothing(tmp_path: Path) -> None:
    rows = [f"D{number},1,2026-11-20,010121,5,CNY,cup" for number in range(100)]
    broken = csv_file(tmp_path / "a.csv", *rows)
    broken.write_text(broken.read_text(encoding="utf-8") + '"D100,1,2026-11-20', encoding="utf-8")
    report = run(tmp_path / "S", broken)
    assert report.exit_code == 3
    assert (report.manifest["rows_in"], report.manifest["rows_kept"]) == (0, 0)
    assert Store.open(tmp_path / "S").declaration_days() == []


def test_a_truncated_parquet_file_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.read_csv(csv_file(tmp_path / "a.csv", GOOD)).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    assert run(tmp_path / "S", path).exit_code == 3
    assert Store.open(tmp_path / "S").declaration_days() == []


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    report = run(tmp_path / "S", csv_file(tmp_path / "a.csv"))
    assert (report.exit_code, report.manifest["rows_in"]) == (0, 0)


ROWS = {
    "a wrong type": ("D2,one,2026-11-20,010121,5,CNY,cup", "line_no:not_a_whole_number"),
    "a negative price": ("D2,1,2026-11-20,010121,-5,CNY,cup", "total_price:out_of_range"),
    "a future date": ("D2,1,2026-11-30,010121,5,CNY,cup", "declared_at:future_date"),
    "no date": ("D2,1,,010121,5,CNY,cup", "declared_at:missing"),
    "a field too many": ("D2,1,2026-11-20,010121,5,CNY,cup, with a comma", "too_many_fields"),
    "a row cut short": ("D2,1,2026", "currency:missing"),
    "a duplicate key": ("D1,1,2026-11-20,010121,6,CNY,cup", "duplicate_key"),
}


@pytest.mark.parametrize("what", ROWS)
def test_a_broken_row_is_set_aside_and_the_others_go_in(tmp_path: Path, what: str) -> None:
    row, reason = ROWS[what]
    path = csv_file(tmp_path / "a.csv", GOOD, row, "D3,1,2026-11-20,010121,5,CNY,cup")
    report = run(tmp_path / "S", path)
    assert report.exit_code == 3
    assert report.manifest["rows_kept"] == 2
    rejected = read_quarantine(tmp_path / "S").row(0, named=True)
    assert rejected["source_row"] == 2
    assert reason in rejected["reasons"]
    assert json.loads(rejected["record"])["declaration_id"] == row.split(",")[0]
    assert any(f"{path}, row 2" in line for line in report.lines())


def test_within_the_tolerance_the_exit_code_is_0(tmp_path: Path) -> None:
    rows = [f"D{number},1,2026-11-20,010121,5,CNY,cup" for number in range(19)]
    path = csv_file(tmp_path / "a.csv", *rows, "D99,0,2026-11-20,010121,5,CNY,cup")
    report = run(tmp_path / "S", path)
    assert (report.exit_code, report.manifest["rows_quarantined"]) == (0, 1)


def test_a_name_of_100_megabytes_becomes_null(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", GOOD, f"D2,1,2026-11-20,010121,5,CNY,{'x' * 100_000_000}")
    report = run(tmp_path / "S", path)
    assert report.exit_code == 0
    assert report.manifest["values_nulled"] == {"item_name:text_too_long": 1}
    assert Store.open(tmp_path / "S").read_declarations(DAY)["item_name"].to_list() == ["cup", None]


def test_a_long_value_is_cut_in_the_quarantine(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", f"D2,1,2026-11-20,{'1' * 5_000_000},5,CNY,cup")
    report = run(tmp_path / "S", path)
    assert report.manifest["reasons"] == {"hs_code:text_too_long": 1}
    assert "5000000 characters" in read_quarantine(tmp_path / "S")["record"][0]
    assert max(map(len, report.lines())) < 400


@pytest.mark.parametrize(
    ("encoding", "separator"), [("utf-8", ","), ("utf-8-sig", ";"), ("gb18030", "\t"), ("utf-16", ",")]
)
def test_csv_of_every_kind(tmp_path: Path, encoding: str, separator: str) -> None:
    text = "\r\n".join([HEADER, GOOD.replace("cup", "红茶杯"), ""]).replace(",", separator)
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    assert run(tmp_path / "S", tmp_path / "a.csv").exit_code == 0
    assert Store.open(tmp_path / "S").read_declarations(DAY)["item_name"].to_list() == ["红茶杯"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_named_as_one_of_the_program_s_own_steers_nothing(tmp_path: Path, suffix: str) -> None:
    own = ("_row", "_action", "_reject", "_file", "_source_row", "_seller", "_message_at", "_surplus")
    table = pl.DataFrame([dict(zip(HEADER.split(","), GOOD.split(","), strict=True))])
    table = table.with_columns(pl.lit("delete").alias(name) for name in own)
    path = tmp_path / f"a.{suffix}"
    table.write_csv(path) if suffix == "csv" else table.write_parquet(path)
    report = run(tmp_path / "S", path)
    assert (report.exit_code, report.manifest["rows_kept"]) == (0, 1), report.lines()


def test_columns_of_parquet_that_differ_in_blanks_only_are_told(tmp_path: Path) -> None:
    table = pl.DataFrame([dict(zip(HEADER.split(","), GOOD.split(","), strict=True))])
    spelled = table.rename({"item_name": " item_name "})
    spelled.write_parquet(tmp_path / "a.parquet")
    assert run(tmp_path / "S", tmp_path / "a.parquet").exit_code == 0
    spelled.with_columns(item_name=pl.lit("mug")).write_parquet(tmp_path / "b.parquet")
    report = run(tmp_path / "S", tmp_path / "b.parquet")
    assert report.exit_code == 3
    assert "the name 'item_name' more than once in column(s) 7 and 8 of 8" in "".join(report.lines())


def test_typed_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "declaration_id": pl.Series(["D1", "D2"], dtype=pl.Categorical),
            "line_no": pl.Series([1, 1], dtype=pl.UInt8),
            "declared_at": [datetime(2026, 11, 19, 16, tzinfo=UTC)] * 2,
            "hs_code": [10121, 8517120000],
            "total_price": pl.Series([1, 2], dtype=pl.Int16),
            "currency": ["CNY", "USD"],
            "customs_office": [5301.0, None],
            "item_name": [["a"], None],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    report = run(tmp_path / "S", tmp_path / "a.parquet")
    assert report.manifest["values_nulled"] == {"item_name:not_text": 1}
    stored = Store.open(tmp_path / "S").read_declarations(DAY)
    assert stored["hs_code"].to_list() == ["010121", "8517120000"]
    assert stored["customs_office"].to_list() == ["5301", None]
