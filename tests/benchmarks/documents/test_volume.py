"""The volume of documents is what it says it is: every message is taken in, and the report is true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmarks.documents.volume import DAY, KINDS, Volume, make_messages, measured_volume, report, times_of
from pipelines.cli.main import run
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store

PARCELS, PART = 90, 60


def test_parts_are_of_one_day_and_nothing_contradicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", "a key for tests, not a secret")
    volume = Volume(tmp_path, PARCELS, PART)
    make_messages(volume)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.xml")}
    make_messages(volume)
    assert files == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.xml")}
    folders = [str(folder / kind) for _, folder in volume.parts() for kind in KINDS]
    assert run(["ingest", *folders, "--store", str(tmp_path / "S"), "--source", "ceb", "--quiet"]) == 0
    store = Store.open(tmp_path / "S")
    assert store.declaration_days() == [DAY]
    lines = store.read_declarations(DAY)
    assert lines["declaration_id"].n_unique() == PARCELS
    made = [json.loads((folder / "made.json").read_text()) for _, folder in volume.parts()]
    assert sum(part["declarations"] for part in made) == lines.height
    for name in ("orders", "payments", "waybills"):
        table = DayTable.named(name)
        stored = [
            pl.read_parquet(file) for day in store.days(table) for file in store.layout.files(table, day)
        ]
        assert sum(part[name] for part in made) == pl.concat(stored).height, name
    assert run(["check", "--date", str(DAY), "--store", str(tmp_path / "S"), "--quiet"]) == 0
    checks = pl.read_parquet(store.layout.file(DayTable.CHECKS, DAY))
    assert not checks["check"].str.ends_with("_missing").any()


def test_every_step_is_measured(tmp_path: Path) -> None:
    done = measured_volume(Volume(tmp_path, 40, 40))
    assert done["parcels"] == 40
    assert list(done["measured"]) == ["inventories", "all four"]
    rows = done["rows"]
    assert done["measured"]["inventories"]["ingest"]["rows"] == rows["declarations"]
    assert done["measured"]["all four"]["ingest"]["rows"] == sum(rows.values())
    for took in done["measured"].values():
        for verb in ("ingest", "check"):
            assert took[verb]["seconds"] > 0
            assert took[verb]["peak_bytes"] > 50e6
    assert not list(tmp_path.glob("store-*"))


def figures(seconds: float) -> dict[str, Any]:
    """Figures as `measured_volume` gives them, with so many seconds for the ingest of all four."""

    def took(seconds: float, peak: float) -> dict[str, Any]:
        step = {"step": "read", "seconds": seconds / 2, "cpu_seconds": 1.0, "peak_bytes": None}
        whole = {
            "rows": 1000,
            "seconds": seconds,
            "cpu_seconds": 2.0,
            "peak_bytes": peak,
            "written_bytes": 5e6,
        }
        return {**whole, "steps": [step]}

    return {
        "parcels": 500,
        "rows": {"declarations": 700, "orders": 700, "payments": 500, "waybills": 500},
        "bytes": {"inventories": 2e6, "documents": 3e6},
        "files": {"inventories": 5, "documents": 15},
        "measured": {
            "inventories": {"ingest": took(10.0, 1e9), "check": took(2.0, 1e9)},
            "all four": {"ingest": took(seconds, 1.5e9), "check": took(3.0, 2e9)},
        },
        "cores": 2,
        "commit": "abc",
    }


@pytest.mark.parametrize(("seconds", "verdict"), [(32.1, "kept"), (61.0, "missed")])
def test_the_report_says_whether_the_goal_is_met(seconds: float, verdict: str) -> None:
    done = figures(seconds)
    text = report(done)
    assert times_of(done, "seconds") == pytest.approx(seconds / 10)
    assert f"takes **{seconds / 10:.2f}** times" in text
    assert f"at most 5, {verdict}" in text
    assert "1.50 times their memory" in text
    assert "| **ingest, inventories** | 1,000 | 10.0 | 100 | 2.0 | 1.00 GB | 5 MB |" in text
    assert "| all four: read | 1,000 |" in text
