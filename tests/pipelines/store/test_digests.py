"""A single flipped bit in any stored table is noticed when the table is used, and the file is named."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from configs.errors import StoreError
from features.contract.inspections import INSPECTION_COLUMNS
from pipelines.cli.main import run
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables, read_whole, write_table
from pipelines.store.store import Store

DAY = date(2026, 11, 20)
NUMBERS = pl.DataFrame({"number": range(1000)})


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def results(store: Store) -> pl.DataFrame:
    row = {
        "declaration_id": "D1",
        "line_no": 1,
        "inspected_on": DAY,
        "reported_on": DAY,
        "selection": "random",
    }
    schema = {name: dtype for name, dtype in store.inspection_schema().items() if name in INSPECTION_COLUMNS}
    return pl.DataFrame([row], schema=schema)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a table of every way in which tables come in: a folder, and a file beside others."""
    made = Store.create(tmp_path / "S")
    with made.lock("test"), made.transaction() as t:
        made.write_inspections(t, DAY, results(made))
        write_table(
            NUMBERS, t.stage(made.layout.partition(DayTable.SCORES, DAY)) / "bucket-000-of-001.parquet"
        )
        write_table(NUMBERS, t.stage_file(made.layout.numbered_file(DayTable.QUARANTINE, DAY, 1)))
    return made


def tables(store: Store) -> list[Path]:
    return sorted(store.path.glob("*/*/*.parquet"))


def test_a_flipped_bit_in_any_table_is_named_with_what_to_do(store: Store) -> None:
    assert len(tables(store)) == 3
    for file in tables(store):
        assert read_whole(file).height
        flip_a_bit(file)
        with pytest.raises(
            StoreError, match=f"{file} is damaged: its bytes are not those .* Restore it from"
        ):
            read_whole(file)
        with pytest.raises(StoreError, match="is damaged"):
            read_tables([file], {"number": pl.Int64()}, None)


def test_results_that_are_gone_are_missed(store: Store) -> None:
    file = store.layout.file(DayTable.INSPECTIONS, DAY)
    assert store.read_results(DAY).height == 1
    file.unlink()
    with pytest.raises(StoreError, match=f"{file} is missing: it was written, and is gone"):
        store.read_results(DAY)


def test_a_store_of_the_version_before_is_read_as_it_is(store: Store) -> None:
    shutil.rmtree(store.path / ".checks")
    for file in tables(store):
        flip_a_bit(file)
        write_table(NUMBERS, file)
        assert read_whole(file).equals(NUMBERS)


def test_what_replaces_or_removes_a_table_does_so_with_what_was_noted_of_it(store: Store) -> None:
    layout = store.layout
    noted = layout.digests(layout.partition(DayTable.SCORES, DAY))
    before = json.loads(noted.read_text())
    with store.lock("test"), store.transaction() as t:
        folder = t.stage(layout.partition(DayTable.SCORES, DAY))
        write_table(NUMBERS.reverse(), folder / "bucket-000-of-001.parquet")
        (folder / "page.html").write_text("no table")
    after = json.loads(noted.read_text())
    assert before.keys() == after.keys()
    assert before != after
    assert read_whole(layout.files(DayTable.SCORES, DAY)[0])["number"][0] == 999
    with store.lock("test"), store.transaction() as t:
        for table in (DayTable.SCORES, DayTable.QUARANTINE):
            t.remove(layout.partition(table, DAY))
    assert [
        path for path in (store.path / ".checks").rglob("*.json") if "inspections" not in path.parts
    ] == []


def test_a_journal_of_no_bytes_is_named_with_what_to_do(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.layout.journal.mkdir(exist_ok=True)
    journal = store.layout.journal / "0123.json"
    journal.touch()
    assert run(["train", "--store", str(store.path)]) == 1
    said = capsys.readouterr().err
    assert f"{journal} is damaged" in said
    assert "found 0 bytes" in said
    assert "restore the store from a backup" in said


def test_a_file_in_the_folder_of_the_store_itself_is_read_as_it_is(store: Store) -> None:
    write_table(NUMBERS, store.path / "late.parquet")
    assert read_whole(store.path / "late.parquet").equals(NUMBERS)
