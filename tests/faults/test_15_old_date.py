"""One line dated twenty years back, through the command line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store


def test_a_wrong_year_is_in_quarantine_and_the_history_stays_closed(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, store = shared / "faults" / "15-old-date", tmp_path / "S"
    assert run(["ingest", str(folder / "today.csv"), "--store", str(store)]) == 0
    layout = Store.open(store).layout
    layout.partition(DayTable.PROFILES, date(2026, 11, 21)).mkdir(parents=True)
    argv = ["ingest", str(folder / "wrongyear.csv"), "--store", str(store)]
    assert run(argv) == 3
    said = capsys.readouterr().out
    assert "row 1: declared_at '2006-11-21' (too old)" in said
    assert "ingest the file with --backfill" in said
    assert layout.days(DayTable.PROFILES) == [date(2026, 11, 21)]
    assert layout.days(DayTable.DECLARATIONS) == [date(2026, 11, 21)]
    assert run([*argv, "--backfill"]) == 0
    assert layout.days(DayTable.DECLARATIONS)[0] == date(2006, 11, 21)
