"""The history of the eve of a day, the sums of the day, and the history after it, all of them in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from pipelines.chronicle import Chronicle
from pipelines.day_sums import save_results
from pipelines.fold_day import fold_part, fold_tasks
from pipelines.mapped_history import open_table, opening_tasks
from pipelines.night import Night
from pipelines.profiles import Eve, stage_profile, stored_eve
from pipelines.score_bucket import DayTask


def close_days_before(chronicle: Chronicle, day: date) -> Eve:
    """The history of the eve of `day`; days that were not closed yet are folded and kept."""
    stored, last = stored_eve(chronicle.store, day, chronicle.settings), day - timedelta(days=1)
    if not chronicle.days(stored.as_of, last):
        return stored
    history = chronicle.stored_history(day)
    for _, folded in chronicle.replay(history, last):
        history = folded
    with chronicle.store.transaction() as t:
        stage_profile(t, chronicle.store, history, chronicle.settings)
    return stored_eve(chronicle.store, day, chronicle.settings)


def open_history(chronicle: Chronicle, task: DayTask, night: Night) -> None:
    """Lay the history of the eve open for the look-ups of all processes; what lies open already stays."""
    tables = opening_tasks(task.eve, task.opened, chronicle.settings)
    night.map(f"history before {task.day}", open_table, tables)


def fold_day(
    chronicle: Chronicle, task: DayTask, files: Sequence[Path], night: Night, *, close: bool
) -> None:
    """What each bucket needs of the whole day and, with `close`, the history after it, into its working
    folder; the sums of the buckets come before.

    No more processes than there are buckets take part: a day of one stays in this process.
    """
    if close:
        save_results(task.work, chronicle.results(task.day))
    few = replace(night, workers=min(night.workers, len(files)))
    few.map(f"history of {task.day}", fold_part, fold_tasks(task, files, close=close))
