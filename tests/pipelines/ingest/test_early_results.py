"""Results dated before their declaration go to quarantine, whichever of the two comes in first."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest.report import IngestReport
from pipelines.store.store import Store
from tests.pipelines.ingest.test_ingest import lines, put, results, run
from tests.pipelines.quarantined import read_quarantine

EARLY = ["inspected_on:before_declaration"]


def early(count: int = 2) -> pl.DataFrame:
    """Results of the first declarations of `lines`, inspected the day before these are dated."""
    return results(count).with_columns(inspected_on=pl.lit("2026-11-19"))


def set_aside(store: Path) -> pl.DataFrame:
    return read_quarantine(store).filter(pl.col("table") == "inspections")


def told(report: IngestReport) -> str:
    return "\n".join(report.lines())


def test_a_result_dated_before_its_declaration_is_set_aside(tmp_path: Path) -> None:
    files = [put(tmp_path / "a.csv", lines(4)), put(tmp_path / "b.csv", early())]
    report = run(tmp_path / "S", *files)
    assert report.exit_code == 3
    assert "inspected on 2026-11-19, before its declaration of 2026-11-20" in told(report)
    assert set_aside(tmp_path / "S")["reasons"].to_list() == [EARLY, EARLY]
    assert Store.open(tmp_path / "S").inspection_days() == []


def test_a_declaration_that_comes_later_sets_the_earlier_result_aside(tmp_path: Path) -> None:
    first = run(tmp_path / "S", put(tmp_path / "b.csv", pl.concat([early(1), results(2)[1:]])))
    assert (first.exit_code, first.manifest["unknown_declarations"]) == (0, 2)
    assert "2 results are about declarations that the store lacks" in told(first)
    report = run(tmp_path / "S", put(tmp_path / "a.csv", lines(4)))
    assert report.exit_code == 3
    assert "1 results of earlier runs went to quarantine" in told(report)
    assert set_aside(tmp_path / "S").select("declaration_id", "reasons").rows() == [("D0", EARLY)]
    assert Store.open(tmp_path / "S").read_inspections()["declaration_id"].to_list() == ["D1"]
    assert run(tmp_path / "S", tmp_path / "a.csv").exit_code == 0


def test_local_times_of_one_column_are_the_same_day_for_declaration_and_result(tmp_path: Path) -> None:
    times = ["2026-11-19 15:59:00", "2026-11-19 16:00:00", "2026-11-20 21:15:00"]
    frame = results(3).with_columns(inspected_on=pl.Series(times), reported_on=pl.Series(times))
    run(tmp_path / "S", put(tmp_path / "b.csv", frame))
    found = Store.open(tmp_path / "S").read_inspections().sort("declaration_id")
    assert found["reported_on"].to_list() == [date(2026, 11, day) for day in (19, 20, 21)]


def test_results_of_a_refused_declaration_are_no_orphans(tmp_path: Path) -> None:
    bad = lines(4).with_columns(hs_code=pl.Series(["12AB", "010121", "010121", "010121"]))
    run(tmp_path / "S", put(tmp_path / "b.csv", results(2)))
    report = run(tmp_path / "S", put(tmp_path / "a.csv", bad))
    assert report.exit_code == 3
    assert set_aside(tmp_path / "S").select("declaration_id", "reasons").rows() == [
        ("D0", ["declaration_refused"])
    ]
    again = run(tmp_path / "S", tmp_path / "b.csv")
    assert "its declaration was refused" in told(again)
    assert Store.open(tmp_path / "S").read_inspections()["declaration_id"].to_list() == ["D1"]
    put(tmp_path / "corrected.csv", lines(4))
    assert run(tmp_path / "S", tmp_path / "corrected.csv", tmp_path / "b.csv").exit_code == 0
    assert Store.open(tmp_path / "S").read_inspections().height == 2


@pytest.mark.parametrize("share", [0, 1])
def test_results_beyond_the_tolerance_end_with_3_among_many_declarations(tmp_path: Path, share: int) -> None:
    wrong = results(2, undervaluation=["1", "0" if share else "1"])
    files = [put(tmp_path / "a.csv", lines(90)), put(tmp_path / "b.csv", results(2))]
    run(tmp_path / "S", *files)
    report = run(tmp_path / "S", files[0], put(tmp_path / "c.csv", wrong))
    assert report.exit_code == 3 * share
    if share:
        fingerprint = report.rivals["fingerprint"][0]
        assert f"take it back with `parcel-risk withdraw {fingerprint} --store S`" in told(report)
        assert report.rivals["file"].to_list() == [str(files[1])]
