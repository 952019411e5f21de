"""The history of the eve of a day, the sums of the day, and the history after it, all of them in files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import takewhile
from pathlib import Path
from typing import TypeVar

from configs.errors import StoreError
from pipelines.history.chronicle import Chronicle
from pipelines.history.day_sums import save_results
from pipelines.history.gaps import Troubles, require_whole
from pipelines.history.mapped import TableTask, open_table, opening_tasks
from pipelines.history.profiles import Eve, stage_folded, stage_profile, stored_eve
from pipelines.scoring.bucket import DayTask
from pipelines.scoring.day_steps import forget_other_history, sum_day
from pipelines.scoring.day_task import day_task
from pipelines.scoring.fold_day import FoldTask, fold_part, fold_tasks
from pipelines.store.files import lines_that_can_be_read
from pipelines.store.store import Store
from pipelines.work.crew import Night

Table = TypeVar("Table", TableTask, FoldTask)

# As many lines as a bucket usually holds, and a history of about 1.4 GB: 5.4 million rows took 0.76.
_LINES_IN_MEMORY = 250_000
_ROWS_IN_MEMORY = 10_000_000


def close_days_before(chronicle: Chronicle, day: date, night: Night) -> Eve:
    """The history of the eve of `day`; days that were not closed yet are folded and kept.

    Small days are folded in memory, which is faster; from the first large one on, in files, as at night.

    Raises StoreError where a line of one of these days cannot be read.
    """
    last = day - timedelta(days=1)
    stored = stored_eve(chronicle.store, day, chronicle.settings)
    open_days = chronicle.days(stored.as_of, last)
    small = _days_for_memory(chronicle.store, stored, open_days)
    if small:
        history = chronicle.stored_history(day)
        for _, folded in chronicle.replay(history, small[-1]):
            history = folded
        with chronicle.store.transaction() as t:
            stage_profile(t, chronicle.store, history, chronicle.settings)
    for large in open_days[len(small) :]:
        _close_in_files(chronicle, large, night)
    return stored_eve(chronicle.store, day, chronicle.settings)


def _days_for_memory(store: Store, stored: Eve, days: Sequence[date]) -> list[date]:
    """The first of the days, up to one that is large; none where the stored history is."""
    tables = list(stored.folder.glob("*.parquet")) if stored.folder and days else []
    if sum(lines_that_can_be_read(tables)) > _ROWS_IN_MEMORY:
        return []

    def is_small(day: date) -> bool:
        return sum(lines_that_can_be_read(store.declaration_files(day))) <= _LINES_IN_MEMORY

    return list(takewhile(is_small, days))


def _close_in_files(chronicle: Chronicle, day: date, night: Night) -> None:
    store = chronicle.store
    eve, buckets = stored_eve(store, day, chronicle.settings), require_whole(store, day)
    task = day_task(chronicle, day, eve, {}, buckets)
    troubles, lineage = Troubles(), chronicle.lineage(eve.lineage, day)
    open_history(chronicle, task, night, troubles)
    files: Sequence[Path] = []
    if buckets:
        files = sum_day(task, buckets, night, troubles).files
    if troubles.gaps:
        raise StoreError(f"{day} has to be closed before later days are scored; {troubles.gaps[0]}")
    forget_other_history(task.work, lineage)
    fold_day(chronicle, task, files, night, troubles, close=True)
    with store.transaction() as t:
        stage_folded(t, store, task.work.after, chronicle.settings, day, lineage)
    shutil.rmtree(task.work.path, ignore_errors=True)


def open_history(chronicle: Chronicle, task: DayTask, night: Night, troubles: Troubles) -> None:
    """Lay the history of the eve open for the look-ups of all processes; what lies open already stays."""
    tables = opening_tasks(task.eve, task.opened, chronicle.settings)
    _every_table("history of the eve", task.day, open_table, tables, night, troubles)


def fold_day(
    chronicle: Chronicle,
    task: DayTask,
    files: Sequence[Path],
    night: Night,
    troubles: Troubles,
    *,
    close: bool,
) -> None:
    """What each bucket needs of the whole day and, with `close`, the history after it, into its working
    folder; the sums of the buckets come before.

    No more processes than there are buckets take part: a day of one stays in this process.
    """
    if close:
        save_results(task.work, chronicle.results(task.day))
    few = replace(night, workers=max(1, min(night.workers, len(files))))
    tables = fold_tasks(task, files, close=close)
    _every_table("history of the day", task.day, fold_part, tables, few, troubles)


def _every_table(
    step: str,
    day: date,
    function: Callable[[Table], None],
    tables: Sequence[Table],
    night: Night,
    troubles: Troubles,
) -> None:
    """Raises StoreError where a table failed all its tries: without one the day cannot go on."""
    found = night.attempt(f"{step} {day}", function, tables)
    troubles.note_retried(step, [Path(table.file) for table in tables], found)
    for place, reason in found.failed.items():
        raise StoreError(f"{day}, {step}: {tables[place].file} failed: {reason}")
