"""One parcel whose total is a payment number of 28 digits: null or in quarantine, counted by its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.store.store import Store
from tests.pipelines.quarantined import read_quarantine
from tests.pipelines.taken_in import stored_lines

HEADER = "declaration_id,line_no,declared_at,customs_office,hs_code,quantity,unit_price,total_price,currency"


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("name", ["m.xml", "shifted.csv"])
def test_the_row_is_set_aside_and_told(
    shared: Path, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shared / "faults" / "01-absurd-number" / name
    assert run(["ingest", str(file), "--store", str(tmp_path / "S")]) == 3
    said = capsys.readouterr().out
    assert "total_price:beyond_bounds 1" in said
    assert "(beyond bounds): expected 0, or from 1e-06 to 1e+12" in said
    assert read_quarantine(tmp_path / "S")["reasons"].to_list() == [["total_price:beyond_bounds"]]


def test_an_absurd_number_that_need_not_be_there_is_null(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["D1,1,2026-11-20,4601,950300,1,2018121222001354081010726129,50,CNY",
            "D2,1,2026-11-20,4601,950300,13800138000,50,50,CNY",
            "D3,1,2026-11-20,4601,950300,1,50,50,CNY"]  # fmt: skip
    (tmp_path / "t.csv").write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    assert run(["ingest", str(tmp_path / "t.csv"), "--store", str(tmp_path / "S")]) == 0
    assert "quantity:beyond_bounds 1, unit_price:beyond_bounds 1" in capsys.readouterr().out
    assert stored_lines(tmp_path / "S").select("quantity", "unit_price", "total_price").rows() == [
        (1.0, None, 50.0), (None, 50.0, 50.0), (1.0, 50.0, 50.0)
    ]  # fmt: skip


def test_what_inspectors_bring_back_has_bounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.csv").write_text(f"{HEADER}\nD1,1,2026-11-20,4601,950300,1,50,50,CNY", encoding="utf-8")
    (tmp_path / "r.csv").write_text(
        "declaration_id,line_no,inspected_on,reported_on,undervaluation,assessed_unit_price,recovered_tax_cny\n"
        "D1,1,2026-11-20,2026-11-21,1,2018121222001354081010726129,138001380001380\n",
        encoding="utf-8",
    )
    files = [str(tmp_path / "d.csv"), str(tmp_path / "r.csv")]
    assert run(["ingest", *files, "--store", str(tmp_path / "S")]) == 0
    said = capsys.readouterr().out
    assert "assessed_unit_price:beyond_bounds 1, recovered_tax_cny:beyond_bounds 1" in said
    found = Store.open(tmp_path / "S").read_inspections()
    assert found.select("undervaluation", "assessed_unit_price", "recovered_tax_cny").row(0) == (
        True,
        None,
        None,
    )


def test_bounds_are_dated_and_configured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference = tmp_path / "configs" / "reference"
    reference.mkdir(parents=True)
    (reference / "bounds.csv").write_text(
        "column,least,most,valid_from,note\ntotal_price,0.01,100,2026-01-01,\ntotal_price,0.01,1000,2026-11-21,\n",
        encoding="utf-8",
    )
    rows = [f"D{day},1,{day},4601,950300,1,50,500,CNY" for day in ("2025-12-31", "2026-11-20", "2026-11-21")]
    (tmp_path / "t.csv").write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    argv = ["ingest", str(tmp_path / "t.csv"), "--store", str(tmp_path / "S")]
    assert run([*argv, "--configs", str(tmp_path / "configs")]) == 3
    assert "total_price:beyond_bounds 1" in capsys.readouterr().out
    assert read_quarantine(tmp_path / "S")["declaration_id"].to_list() == ["D2026-11-20"]


def test_bounds_that_contradict_themselves_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = tmp_path / "configs" / "reference"
    reference.mkdir(parents=True)
    bounds = "column,least,most,valid_from,note\nfreight,9,1,2026-01-01,\n"
    (reference / "bounds.csv").write_text(bounds, encoding="utf-8")
    (tmp_path / "t.csv").write_text(f"{HEADER}\nD1,1,2026-11-20,4601,950300,1,50,50,CNY", encoding="utf-8")
    argv = ["ingest", str(tmp_path / "t.csv"), "--store", str(tmp_path / "S"), "--log-format", "json"]
    assert run([*argv, "--configs", str(tmp_path / "configs")]) == 2
    assert "'freight'" in json.loads(capsys.readouterr().err.splitlines()[-1])["message"]
