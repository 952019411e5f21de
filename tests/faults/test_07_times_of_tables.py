"""Tables whose times name no zone: UTC unless the mapping names one, told once a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.store.store import Store

EVENING = (
    "declaration_id,line_no,declared_at,hs_code,total_price,currency\n"
    "D1,1,2026-11-20 20:30:00,0302110000,100,CNY\nD2,1,2026-11-20 20:31:00,0302110000,100,CNY\n"
)


def days(store: Path) -> list[str]:
    return [str(day) for day in Store.open(store).declaration_days()]


def test_an_evening_without_a_zone_is_one_of_utc_and_told(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shared / "faults" / "07-china-time" / "s-date-nozone-evening.csv"
    assert run(["ingest", str(file), "--store", str(tmp_path / "S")]) == 0
    assert days(tmp_path / "S") == ["2026-11-21"]
    said = capsys.readouterr().out
    assert said.count("times in declared_at name no zone and were taken as UTC") == 1
    assert "time_zone: Asia/Shanghai" in said


def test_dates_as_a_spreadsheet_writes_them_are_read(shared: Path, tmp_path: Path) -> None:
    file = shared / "faults" / "07-china-time" / "n-date-excel-cn-time.csv"
    assert run(["ingest", str(file), "--store", str(tmp_path / "S"), "--quiet"]) == 0
    assert days(tmp_path / "S") == ["2026-01-06", "2026-11-03", "2026-11-20", "2026-11-21"]


def test_a_mapping_names_the_zone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text(EVENING, encoding="utf-8")
    names = EVENING.splitlines()[0].split(",")
    mapping = "rename:\n" + "".join(f"  {name}: {name}\n" for name in names)
    (tmp_path / "m.yaml").write_text(f"{mapping}time_zone: Asia/Shanghai\n", encoding="utf-8")
    argv = ["ingest", str(tmp_path / "t.csv"), "--store", str(tmp_path / "S")]
    assert run([*argv, "--mapping", str(tmp_path / "m.yaml")]) == 0
    assert days(tmp_path / "S") == ["2026-11-20"]
    assert "zone" not in capsys.readouterr().out


def test_a_zone_that_nobody_knows_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text(EVENING, encoding="utf-8")
    (tmp_path / "m.yaml").write_text("rename: {declaration_id: a}\ntime_zone: Peking\n", encoding="utf-8")
    argv = ["ingest", str(tmp_path / "t.csv"), "--store", str(tmp_path / "S")]
    assert run([*argv, "--mapping", str(tmp_path / "m.yaml")]) == 2
    assert "time_zone" in capsys.readouterr().err


def test_two_files_are_told_each_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(EVENING.replace("D", name[0]), encoding="utf-8")
    assert (
        run(["ingest", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--store", str(tmp_path / "S")]) == 0
    )
    assert capsys.readouterr().out.count("name no zone") == 2
