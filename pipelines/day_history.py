"""The history of the eve of a day, the sums of the day, and the history after it, all of them in files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import takewhile
from pathlib import Path

from configs.errors import StoreError
from pipelines.chronicle import Chronicle
from pipelines.day_steps import forget_other_history, sum_day
from pipelines.day_sums import save_results
from pipelines.day_task import day_task
from pipelines.fold_day import AFTER, fold_part, fold_tasks
from pipelines.gaps import Troubles, buckets_of, require_whole
from pipelines.mapped_history import open_table, opening_tasks
from pipelines.night import Night
from pipelines.profiles import Eve, stage_folded, stage_profile, stored_eve
from pipelines.score_bucket import DayTask
from pipelines.store_files import row_count

# As many lines as a bucket usually holds, and a history of about 1.3 GB.
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
    small = list(takewhile(lambda open_day: _fits(chronicle, stored, open_day), open_days))
    if small:
        history = chronicle.stored_history(day)
        for _, folded in chronicle.replay(history, small[-1]):
            history = folded
        with chronicle.store.transaction() as t:
            stage_profile(t, chronicle.store, history, chronicle.settings)
    for large in open_days[len(small) :]:
        _close_in_files(chronicle, large, night)
    return stored_eve(chronicle.store, day, chronicle.settings)


def _fits(chronicle: Chronicle, stored: Eve, day: date) -> bool:
    """Whether a day can be folded in memory: neither it nor the stored history is large."""
    lines = sum(row_count(file) for file in chronicle.store.declaration_files(day))
    known = sum(row_count(file) for file in stored.folder.glob("*.parquet")) if stored.folder else 0
    return lines <= _LINES_IN_MEMORY and known <= _ROWS_IN_MEMORY


def _close_in_files(chronicle: Chronicle, day: date, night: Night) -> None:
    store = chronicle.store
    require_whole(store, day)
    eve, buckets = stored_eve(store, day, chronicle.settings), buckets_of(store, day)
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
        stage_folded(t, store, task.work / AFTER, chronicle.settings, day, lineage)
    shutil.rmtree(task.work, ignore_errors=True)


def open_history(chronicle: Chronicle, task: DayTask, night: Night, troubles: Troubles) -> None:
    """Lay the history of the eve open for the look-ups of all processes; what lies open already stays."""
    tables = opening_tasks(task.eve, task.opened, chronicle.settings)
    night.map("history of the eve", open_table, tables, troubles.retried)


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
    few.map("history of the day", fold_part, fold_tasks(task, files, close=close), troubles.retried)
