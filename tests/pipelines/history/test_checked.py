"""What the checks of a day say of its lines."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl

from features.check import FINDING_COLUMNS, FINDINGS
from pipelines.history.checked import with_findings
from pipelines.store.day_table import DayTable
from pipelines.store.files import write_table
from pipelines.store.store import Store
from tests.features.checked_days import DAY

LINES = pl.DataFrame({"declaration_id": ["B", "A", "B", "C"]})


def check(store: Store, *found: tuple[str, str, str]) -> None:
    """Replace what was found on the day by declaration, check and outcome."""
    rows = pl.DataFrame(found, schema=["declaration_id", "check", "outcome"], orient="row")
    rows = rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in FINDING_COLUMNS.items()
    )
    with store.lock("test"), store.transaction() as t:
        write_table(rows, t.stage(store.layout.partition(DayTable.CHECKS, DAY)) / DayTable.CHECKS.file)


def test_lines_have_what_their_parcel_failed_or_waits_for(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "S")
    assert with_findings(store.layout, DAY, LINES) is LINES
    check(
        store,
        *[("B", "weight", "failed"), ("B", "goods", "failed"), ("B", "goods", "failed")],
        *[("C", "payment_missing", "open"), ("A", "return_late", "note")],
    )
    lines = with_findings(store.layout, DAY, LINES)
    assert lines["declaration_id"].equals(LINES["declaration_id"])
    assert lines[FINDINGS].to_list() == [["goods", "weight"], [], ["goods", "weight"], ["payment_missing"]]
    before = with_findings(store.layout, DAY - timedelta(days=1), LINES)
    assert before[FINDINGS].to_list() == [None] * 4


def test_a_day_that_is_checked_again_is_read_again(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "S")
    for checks in (["weight"], ["buyer"]):
        check(store, *[("A", name, "failed") for name in checks])
        assert with_findings(store.layout, DAY, LINES)[FINDINGS][1].to_list() == checks
