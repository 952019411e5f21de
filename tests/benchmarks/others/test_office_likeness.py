"""An office's data beside simulated worlds: figures of both, and no day that is kept for judging."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from benchmarks.others import office_likeness
from pipelines.simulation import WorldParameters


def test_an_office_and_a_world_stand_side_by_side() -> None:
    parameters = WorldParameters.for_volume(100).with_officers("mixed")
    made = office_likeness.simulated("mixed", parameters, days=26, parcels=100, seed=9609)
    assert made.results["reported_on"].max() <= office_likeness.LAST  # type: ignore[operator]
    draws = made.results.filter(pl.col("selection") == "random")
    lines = office_likeness.table([made, replace(made, name="draws", results=draws)]).splitlines()
    assert lines[0] == "| figure | mixed | draws |"
    assert {line.count("|") for line in lines} == {4}
    cells = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:4]] for line in lines[2:]
    }
    assert cells["results a line"][0] == "1.00"
    assert "(n " in cells["opened: officer"][0]
    assert cells["opened: officer"][1] == "–"


def test_without_an_office_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(office_likeness, "OFFICE", tmp_path / "nowhere")
    monkeypatch.setattr(sys, "argv", ["office_likeness"])
    assert office_likeness.main() == 0
    assert capsys.readouterr().out.startswith("Skipped: expected an office's data in ")


@pytest.mark.skipif(not office_likeness.OFFICE.is_dir(), reason="no office's data beside the checkout")
def test_no_later_day_of_the_office_is_looked_at() -> None:
    real = office_likeness.office()
    assert real.last == office_likeness.LAST
    assert real.results["reported_on"].max() <= office_likeness.LAST  # type: ignore[operator]
