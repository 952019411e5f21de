"""What is dated too long ago, or is still to come, needs a word: --backfill."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from tests.pipelines.ingest.test_ingest import DAY, lines, put, results, run, with_settings


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A store that has closed a day."""
    store = tmp_path / "S"
    run(store, put(tmp_path / "today.csv", lines(2, first=90)))
    Store.open(store).layout.partition(DayTable.PROFILES, DAY).mkdir(parents=True)
    return store


@pytest.mark.parametrize(("day", "kept"), [("2026-09-21", 2), ("2026-09-20", 0), ("2006-11-21", 0)])
def test_a_day_long_before_the_last_closed_one_is_not_reopened(closed: Path, day: str, kept: int) -> None:
    report = run(closed, put(closed / "old.csv", lines(2, day)))
    assert report.manifest["rows_kept"] == kept
    if not kept:
        assert report.exit_code == 3
        assert report.manifest["reasons"] == {"declared_at:too_old": 2}
        assert report.reopened is None
        assert "ingest the file with --backfill" in "\n".join(report.lines())
        assert run(closed, closed / "old.csv", backfill=True).manifest["rows_kept"] == 2


def test_a_store_that_has_closed_no_day_takes_any_date(tmp_path: Path) -> None:
    old = put(tmp_path / "old.csv", lines(2, "2006-11-21"))
    assert run(tmp_path / "S", old).exit_code == 0


@pytest.mark.parametrize(
    ("reported", "kind"), [("2026-11-24", "future_date"), ("2026-09-20", "too_old"), ("2026-11-23", None)]
)
def test_results_are_bound_by_the_same_days(closed: Path, reported: str, kind: str | None) -> None:
    inspected = min(reported, "2026-11-20")
    frame = results(2, reported).with_columns(inspected_on=pl.lit(inspected))
    report = run(closed, put(closed / "results.csv", frame))
    assert report.manifest["reasons"] == ({f"reported_on:{kind}": 2} if kind else {})
    assert run(closed, closed / "results.csv", backfill=True).exit_code == 0


def test_a_result_whose_declaration_would_be_too_old_does_not_wait(closed: Path) -> None:
    frame = results(1).with_columns(inspected_on=pl.lit("2026-09-20"))
    report = run(closed, put(closed / "results.csv", frame))
    assert report.exit_code == 3
    assert report.manifest["reasons"] == {"declaration_cannot_come": 1}


def test_how_far_back_is_configured(closed: Path) -> None:
    old = put(closed / "old.csv", lines(2, "2026-10-20"))
    assert run(closed, old, settings=with_settings(past_days=10)).exit_code == 3
