"""The lines of a day as they were known at a moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from configs.errors import StoreError
from pipelines.checks.known_declarations import KNOWN_COLUMNS, known_declarations, sent_later
from pipelines.cli.main import run
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from tests.features.checked_days import CLOSE, DAY, LINE, Row
from tests.pipelines.documents_in_store import make_documents, table

HOUR = timedelta(hours=1)


def line(name: str, hours: float | None, weight: float = 1.0) -> Row:
    """A line that was sent so many hours before the close of the day."""
    sent = None if hours is None else CLOSE - timedelta(hours=hours)
    return LINE | {"declaration_id": name, "sent_at": sent, "gross_weight_kg": weight}


def held(row: Row, until: datetime) -> Row:
    return row | {"held_until": until}


def known(store: Store, before: datetime = CLOSE) -> dict[str, float]:
    """The weight of each declaration that is known."""
    rows = known_declarations(store, DAY, before).collect()
    assert rows.columns == list(KNOWN_COLUMNS)
    return dict(rows.select("declaration_id", "gross_weight_kg").sort("declaration_id").rows())


def test_without_any_change(tmp_path: Path) -> None:
    store = make_documents(tmp_path / "S", [line("A", 2), line("B", None), line("C", 0), line("D", -3)])
    assert not store.layout.table(DayTable.CHANGED_DECLARATIONS).exists()
    assert list(known(store)) == ["A", "B", "C", "D"]
    assert list(known(store, CLOSE + 4 * HOUR)) == ["A", "B", "C", "D"]
    assert sent_later(store, DAY, CLOSE) == 2
    assert known_declarations(store, DAY - timedelta(days=1), CLOSE).collect().is_empty()


def test_each_moment_has_its_version(tmp_path: Path) -> None:
    first, second = line("A", 9, weight=1.0), line("A", 5, weight=2.0)
    store = make_documents(
        tmp_path / "S",
        [line("A", -1, weight=3.0)],
        [held(first, CLOSE - 5 * HOUR), held(second, CLOSE + HOUR)],
    )
    moments = [10, 8, 5, 4, 0, -1, -2]
    versions = [known(store, CLOSE - hours * HOUR) for hours in moments]
    assert [each.get("A") for each in versions] == [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0]
    assert sent_later(store, DAY, CLOSE) == 0


def test_of_what_was_sent_later_the_first_version_is_known(tmp_path: Path) -> None:
    later = held(line("A", -1, weight=1.0), CLOSE + 3 * HOUR)
    store = make_documents(tmp_path / "S", [line("A", -3, weight=2.0)], [later])
    rows = known_declarations(store, DAY, CLOSE).select("declaration_id", "gross_weight_kg").collect()
    assert rows.rows() == [("A", 1.0)]
    assert sent_later(store, DAY, CLOSE) == 1


def test_a_withdrawn_day_is_known_by_its_changes_alone(tmp_path: Path) -> None:
    gone = [held(line("A", 9), CLOSE + HOUR), held(line("B", None), CLOSE - HOUR)]
    store = make_documents(tmp_path / "S", [], gone)
    assert known(store) == {"A": 1.0}


def test_a_column_that_a_table_brought_as_numbers(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "S")
    rows = table([LINE], KNOWN_COLUMNS).drop("own_number", "sent_at")
    with store.lock("test"), store.transaction() as t:
        store.write_meta(t, {"item_no": "number", "colour": "category"}, [])
        store.write_declarations(
            t, DAY, rows.with_columns(item_no=pl.lit(4711.0), colour=pl.lit("red")), 1_000
        )
    lines = known_declarations(store, DAY, CLOSE).collect()
    assert lines.select("item_no", "own_number", "sent_at").row(0) == ("4711", None, None)


def test_a_damaged_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_documents(tmp_path / "S", [line("A", 2)])
    (file,) = store.layout.buckets(DAY)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(StoreError, match=file.name):
        known_declarations(store, DAY, CLOSE)
    assert run(["check", "--store", str(store.path), "--date", str(DAY)]) == 1
    assert file.name in capsys.readouterr().err


def test_what_came_after_the_close_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_documents(tmp_path / "S", [line("A", -2)])
    assert run(["check", "--store", str(store.path), "--date", str(DAY)]) == 0
    assert (
        "1 parcels were sent after the close of their day: checked as they were first sent"
        in capsys.readouterr().out
    )
