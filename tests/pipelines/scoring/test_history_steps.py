"""A day folded in files, table by table and in small pieces, is the day folded in memory."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from configs.loader import load_settings
from configs.schema.settings import Settings
from features.history.day_tables import DayTables
from features.history.state import History
from features.prepare import prepare_lines
from pipelines.history.chronicle import Chronicle
from pipelines.history.day_sums import asked_today, load_today, save_results
from pipelines.history.profiles import describe_profile, load_profile
from pipelines.history.sorted_file import SortedWriter, read_range, write_sorted
from pipelines.scoring.bucket import DayTask
from pipelines.scoring.bucket_steps import sum_buckets
from pipelines.scoring.day_run import start_day
from pipelines.scoring.fold_tables import PIECE_NUMBERS, fold_part, fold_tasks
from pipelines.scoring.history_steps import close_days_before, fold_day, unpack_history
from pipelines.simulation import WorldParameters, simulate
from pipelines.store.bucket_checks import check_buckets
from pipelines.store.buckets import hash_ranges
from pipelines.store.day_table import DayTable
from pipelines.store.files import row_count
from pipelines.store.store import Store
from pipelines.work.execution import Executor
from pipelines.work.progress import Progress
from tests.pipelines.trained_world import with_bucket_rows

DAY = date(2026, 11, 20)
ALONE = Executor()


@pytest.fixture(scope="module")
def settings() -> Settings:
    return with_bucket_rows(load_settings(), 150)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Store:
    """Eight days in several buckets each, with results of inspections among them."""
    path = tmp_path_factory.mktemp("fold") / "S"
    plain = WorldParameters.for_volume(400)
    simulate(
        path, days=8, parcels_per_day=400, end=DAY, seed=3, drift=False, settings=settings,
        progress=Progress.silent(), parameters=replace(plain, inspection_share=0.3),
    )  # fmt: skip
    return Store.open(path)


@pytest.fixture(scope="module")
def eve(tmp_path_factory: pytest.TempPathFactory, store: Store, settings: Settings) -> Store:
    """The same with the history up to the day before. Not to be changed."""
    closed = Store(tmp_path_factory.mktemp("eve") / "S")
    _copy(store.path, closed.path)
    with closed.lock("test"):
        close_days_before(Chronicle(closed, settings), DAY, ALONE)
    return closed


def folded_in_files(chronicle: Chronicle, *, close: bool, piece_numbers: int = PIECE_NUMBERS) -> DayTask:
    buckets = check_buckets(chronicle.store.layout, DAY)
    with chronicle.store.lock("test"):
        eve = close_days_before(chronicle, DAY, ALONE)
        run = start_day(chronicle, eve, {}, DAY, buckets, ALONE)
    assert len(run.files) > 2
    unpack_history(run)
    run = sum_buckets(run)
    if piece_numbers != PIECE_NUMBERS:
        save_results(run.task.work, chronicle.results(DAY))
        # What is there is not folded again.
        for task in fold_tasks(chronicle, run.task, run.files, close=close):
            fold_part(replace(task, piece_numbers=piece_numbers))
    fold_day(run, close=close)
    return run.task


def folded_in_memory(chronicle: Chronicle) -> tuple[DayTables, History]:
    eve = chronicle.history_before(DAY)
    today = chronicle.tables(chronicle.prepared(DAY), DAY, eve)
    return today, chronicle.step(eve, DAY, today, chronicle.results(DAY))


@pytest.mark.parametrize("numbers", [PIECE_NUMBERS, 4_000])
def test_folded_in_files_as_in_memory(eve: Store, settings: Settings, tmp_path: Path, numbers: int) -> None:
    copied = Store(tmp_path / "S")
    _copy(eve.path, copied.path)
    chronicle = Chronicle(copied, settings)
    today, after = folded_in_memory(chronicle)
    task = folded_in_files(chronicle, close=True, piece_numbers=numbers)
    describe_profile(task.work.after, DAY, after.lineage, chronicle.spec)
    found = load_profile(task.work.after, chronicle.spec)
    for name, table in after.tables.items():
        assert_frame_equal(found.tables[name], table.sort("key"), check_exact=True)
    for name, sketch in after.prices.items():
        assert_frame_equal(found.prices[name], sketch.sort("key", "bin"), check_exact=True)
    assert chronicle.results(DAY)
    _check_given(chronicle, task, today)


def test_a_selection_needs_no_history_after_the_day(eve: Store, settings: Settings, tmp_path: Path) -> None:
    copied = Store(tmp_path / "S")
    _copy(eve.path, copied.path)
    chronicle = Chronicle(copied, settings)
    task = folded_in_files(chronicle, close=False)
    assert not list(task.work.after.glob("*.parquet"))
    _check_given(chronicle, task, folded_in_memory(chronicle)[0])


def _check_given(chronicle: Chronicle, task: DayTask, today: DayTables) -> None:
    """Each bucket has the sums of the whole day of exactly its own keys."""
    for file in chronicle.store.layout.buckets(DAY):
        given = load_today(task.work, file, chronicle.spec.keys)
        own = chronicle.tables(_prepared(chronicle, file), DAY, chronicle.history_before(DAY)).parties
        for spec in asked_today(chronicle.spec.keys):
            expected = today.parties[spec.name].join(own[spec.name].select("key"), on="key", how="semi")
            assert_frame_equal(given.parties[spec.name], expected.sort("key"), check_exact=True)


def _prepared(chronicle: Chronicle, file: Path) -> pl.DataFrame:
    lines = chronicle.store.read_declaration_files([file])
    return prepare_lines(lines, chronicle.reference.on(DAY), chronicle.settings.pipeline.features)


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target)


def test_bytes_do_not_depend_on_how_the_rows_came(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    keys = np.unique(rng.integers(0, 1 << 64, 200_000, dtype=np.uint64))
    rows = pl.DataFrame({"key": keys, "value": rng.normal(size=len(keys))})
    write_sorted(rows, tmp_path / "whole")
    with SortedWriter(tmp_path / "pieces", dict(rows.schema)) as file:
        for start in range(0, rows.height, 7_001):
            file.add(rows.slice(start, 7_001))
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "pieces").read_bytes()
    assert row_count(tmp_path / "whole") == rows.height
    parts = [read_range([tmp_path / "whole"], within) for within in hash_ranges(rows.height, 30_000)]
    assert len(parts) == 8
    assert_frame_equal(pl.concat(parts), rows, check_exact=True)


def test_an_empty_table_is_a_file_without_rows(tmp_path: Path) -> None:
    write_sorted(pl.DataFrame(schema={"key": pl.UInt64, "day": pl.Date}), tmp_path / "none")
    found = read_range([tmp_path / "none"], hash_ranges(0, 1)[0])
    assert found.schema == {"key": pl.UInt64, "day": pl.Date}
    assert found.is_empty()


def test_a_history_of_yesterday_is_not_read_to_find_it(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    copied = Store(tmp_path / "S")
    _copy(store.path, copied.path)
    chronicle = Chronicle(copied, settings)
    with copied.lock("test"):
        first = close_days_before(chronicle, DAY, ALONE)
    for table in (copied.layout.partition(DayTable.PROFILES, DAY - timedelta(days=1))).glob("*.parquet"):
        table.write_bytes(b"not to be read")
    with copied.lock("test"):
        assert close_days_before(Chronicle(copied, settings), DAY, ALONE) == first
    assert first.as_of == DAY - timedelta(days=1)


def test_large_days_that_were_missed_are_closed_in_files_as_in_memory(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    small = sorted(store.declaration_days())[:5]
    found, days = [], []
    for name, lines in (("memory", 250_000), ("files", 0)):
        copied = Store(tmp_path / name)
        _copy(store.path, copied.path)
        chronicle = Chronicle(copied, settings)
        with copied.lock("test"):
            close_days_before(chronicle, small[-1], ALONE)
            eve = close_days_before(chronicle, DAY, ALONE, lines_in_memory=lines)
        assert eve.folder is not None
        assert not list((copied.path / ".work").glob("*")), "working files go"
        found.append({path.name: path.read_bytes() for path in eve.folder.iterdir()})
        days.append(len(copied.days(DayTable.PROFILES)))
    assert found[0] == found[1]
    assert days == [3, 5], "each day that is closed in files is kept, and one a week"
