"""The history of the eve of a day, the sums of the day, and the history after it, all of them in files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import takewhile
from pathlib import Path
from typing import TypeVar

import polars as pl

from configs.errors import StoreError
from pipelines.history.chronicle import Chronicle
from pipelines.history.day_sums import save_corrections, save_results
from pipelines.history.inspected import save_inspected, stage_inspected
from pipelines.history.mapped import UnpackTask, unpack_table, unpack_tasks
from pipelines.history.profiles import (
    Eve,
    load_profile,
    stage_folded,
    stage_profile,
    stored_eve,
    usable_profile,
    worth_keeping,
)
from pipelines.scoring.bucket import workspace
from pipelines.scoring.bucket_steps import forget_other_history, sum_buckets
from pipelines.scoring.day_run import DayRun, start_day
from pipelines.scoring.fold_tables import FoldTask, fold_part, fold_tasks
from pipelines.store.bucket_checks import require_whole
from pipelines.store.day_table import DayTable
from pipelines.store.files import lines_that_can_be_read
from pipelines.store.journal import Transaction
from pipelines.store.store import Store
from pipelines.work.execution import Executor

_TableTask = TypeVar("_TableTask", UnpackTask, FoldTask)

# As many lines as a bucket usually holds, and a history of about 1.4 GB: 5.4 million rows took 0.76.
LINES_IN_MEMORY = 250_000
_ROWS_IN_MEMORY = 10_000_000


def close_days_before(
    chronicle: Chronicle, day: date, executor: Executor, *, lines_in_memory: int = LINES_IN_MEMORY
) -> Eve:
    """The history of the eve of `day`; days that were not closed yet are folded and kept.

    Days of up to `lines_in_memory` lines are folded in memory, which is faster; from the first larger one on,
    in files, as at night.

    Raises:
        StoreError: a line of one of these days cannot be read.
    """
    stored = stored_eve(chronicle.store, day, chronicle.spec)
    open_days = chronicle.days(stored.as_of, day - timedelta(days=1))
    _fold_days(chronicle, stored, open_days, executor, lines_in_memory)
    return stored_eve(chronicle.store, day, chronicle.spec)


def fold_again(chronicle: Chronicle, executor: Executor, *, lines_in_memory: int = LINES_IN_MEMORY) -> int:
    """Fold days again whose history lacks late data, as many as a night takes; returns how many are left.

    The histories that are out of date serve until then.

    Raises:
        StoreError: a line of one of these days cannot be read.
    """
    store, spec = chronicle.store, chronicle.spec
    stale = store.out_of_date_from
    if stale is None:
        return 0
    base = stored_eve(store, stale, spec)
    newest = usable_profile(store, date.max, spec)
    days = [] if newest is None else chronicle.days(base.as_of, newest)
    most = chronicle.settings.pipeline.night.refold_days
    now, left = days[:most], days[most:]
    with store.transaction() as t:
        for day in store.days(DayTable.PROFILES):
            if day >= stale and not (left and day > now[-1]):
                t.remove(store.layout.partition(DayTable.PROFILES, day))
    _fold_days(chronicle, base, now, executor, lines_in_memory)
    with store.transaction() as t:
        store.set_out_of_date(t, left[0] if left else None)
    return len(left)


def _fold_days(
    chronicle: Chronicle, stored: Eve, days: Sequence[date], executor: Executor, lines_in_memory: int
) -> None:
    """Fold days onto a stored history, and store what is worth keeping."""
    store, spec = chronicle.store, chronicle.spec
    small = _days_for_memory(store, stored, days, lines_in_memory)
    if small:
        kept = worth_keeping(small, spec.config)
        history = spec.empty() if stored.folder is None else load_profile(stored.folder, spec)
        with store.transaction() as t:

            def told(day: date, reported: pl.DataFrame | None) -> None:
                file = t.scratch("inspected") / f"{day}.parquet"
                save_inspected(file, store, reported, day)
                stage_inspected(t, store, day, file)

            for day, folded in chronicle.replay(history, small[-1], told):
                if day in kept:
                    stage_profile(t, store, folded, spec)
    for large in days[len(small) :]:
        _close_in_files(chronicle, large, executor)


def _days_for_memory(store: Store, stored: Eve, days: Sequence[date], most: int) -> list[date]:
    """The first of the days, up to one that is large; none where the stored history is."""
    tables = list(stored.folder.glob("*.parquet")) if stored.folder and days else []
    if sum(lines_that_can_be_read(tables)) > _ROWS_IN_MEMORY:
        return []

    def is_small(day: date) -> bool:
        return sum(lines_that_can_be_read(store.layout.buckets(day))) <= most

    return list(takewhile(is_small, days))


def _close_in_files(chronicle: Chronicle, day: date, executor: Executor) -> None:
    store = chronicle.store
    eve, buckets = stored_eve(store, day, chronicle.spec), require_whole(store.layout, day)
    run = start_day(chronicle, eve, {}, day, buckets, executor)
    unpack_history(run)
    if buckets:
        run = sum_buckets(run)
    if run.troubles.gaps:
        raise StoreError(f"{day} has to be closed before later days are scored; {run.troubles.gaps[0]}")
    lineage = chronicle.lineage(eve, day, buckets)
    forget_other_history(run.task.work, lineage)
    fold_day(run, close=True)
    with store.transaction() as t:
        stage_closed(t, run, lineage)
    shutil.rmtree(run.task.work.path, ignore_errors=True)


def stage_closed(t: Transaction, run: DayRun, lineage: str) -> None:
    """Stages what `fold_day` has closed: the history after the day, and what was reported on it."""
    store, work = run.chronicle.store, run.task.work
    stage_folded(t, store, work.after, run.chronicle.spec, run.day, lineage)
    stage_inspected(t, store, run.day, work.inspected)


def unpack_history(run: DayRun) -> None:
    """Unpacks the history of the eve for the look-ups of all processes; what is unpacked already stays."""
    tables = unpack_tasks(run.task.eve, run.task.unpacked, run.chronicle.spec)
    _every_table("history of the eve", unpack_table, tables, run)


def fold_day(run: DayRun, *, close: bool) -> None:
    """Writes what each bucket needs of the whole day and, with `close`, the history after it.

    The sums of the buckets come before. No more processes than there are buckets take part: a day of one
    stays in this process.
    """
    if close:
        reported = run.chronicle.reported(run.day)
        save_results(run.task.work, run.chronicle.sums_of(reported, run.day))
        save_corrections(run.task.work, run.chronicle.corrections(run.day, workspace(run.task).eve))
        save_inspected(run.task.work.inspected, run.chronicle.store, reported, run.day)
    few = replace(run.executor, workers=max(1, min(run.executor.workers, len(run.files))))
    tables = fold_tasks(run.chronicle, run.task, run.files, close=close)
    _every_table("history of the day", fold_part, tables, replace(run, executor=few))


def _every_table(
    step: str, function: Callable[[_TableTask], None], tables: Sequence[_TableTask], run: DayRun
) -> None:
    """Calls the function for every table.

    Raises:
        StoreError: a table failed all its tries; without one the day cannot go on.
    """
    results = run.executor.run(f"{step} {run.day}", function, tables)
    run.troubles.note_retried(step, [Path(table.file) for table in tables], results)
    for place, reason in results.failed.items():
        raise StoreError(f"{run.day}, {step}: {tables[place].file} failed: {reason}")
