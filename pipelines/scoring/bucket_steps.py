"""The two steps of a night that are mapped over the buckets of a day, and what is set aside in them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Never

from configs.errors import StoreError
from pipelines.scoring.bucket import BucketTask, DayTask, score_bucket, sum_bucket
from pipelines.scoring.day_run import DayRun
from pipelines.scoring.gaps import Gap
from pipelines.store.day_work import DayWork


def sum_buckets(run: DayRun) -> DayRun:
    """Writes the sums by key of each bucket of the day; returns the run of the buckets that were added up.

    Buckets that cannot be read or summed are noted among the troubles. Without them the run has another
    working folder, so that nothing that rests on their sums is taken for a result of the whole day.

    Raises:
        StoreError: no bucket is left.
    """
    run.troubles.gaps.extend(
        Gap(bucket.path.name, bucket.lines, "reading", bucket.fault)
        for bucket in run.buckets
        if bucket.fault is not None
    )
    tasks = [BucketTask(run.task, file) for file in run.files]
    results = run.executor.run(f"sums of {run.day}", sum_bucket, tasks)
    run.troubles.note("sums of the day", run.files, _lines(run), results)
    files = [file for place, file in enumerate(run.files) if place not in results.failed]
    if not files:
        _nothing_left(run)
    task = run.task
    if len(files) < len(run.buckets):
        task = _without(task, sorted(gap.bucket for gap in run.troubles.gaps))
    return replace(run, task=task, files=files)


def forget_other_history(work: DayWork, lineage: str) -> None:
    """Removes the folded history from a working folder where it was folded from something else.

    Results may be reported between two runs of a day, and its scores do not depend on them.
    """
    if not work.lineage.exists() or work.lineage.read_text(encoding="utf-8") != lineage:
        shutil.rmtree(work.after, ignore_errors=True)
        work.lineage.write_text(lineage, encoding="utf-8")


def _without(task: DayTask, missing: Sequence[str]) -> DayTask:
    digest = hashlib.sha256(" ".join(missing).encode()).hexdigest()[:16]
    whole = task.work
    work = DayWork(whole.path.with_name(f"{whole.path.name}-{digest}"))
    work.path.mkdir(exist_ok=True)
    # What a bucket adds up to does not depend on the others.
    if not work.all_sums.is_symlink():
        work.all_sums.symlink_to(".." / whole.all_sums.relative_to(whole.path.parent))
    return replace(task, run=f"{task.run}-{digest}", work=work)


def score_buckets(run: DayRun) -> dict[Path, int]:
    """Scores every bucket that was added up; the number of scores of each that was not set aside.

    Raises:
        StoreError: no bucket is left, or a line of a scored bucket has no score.
    """
    declared = _lines(run)
    tasks = [BucketTask(run.task, file) for file in run.files]
    results = run.executor.run(f"scores of {run.day}", score_bucket, tasks)
    run.troubles.note("scores", run.files, declared, results)
    scored = zip(run.files, results.results, strict=True)
    counts = {file: count for file, count in scored if count is not None}
    if not counts:
        _nothing_left(run)
    short = [file.name for file, count in counts.items() if count != declared[file.name]]
    if short:
        raise StoreError(f"{run.day}: expected a score for every line; they differ in {', '.join(short[:5])}")
    return counts


def _nothing_left(run: DayRun) -> Never:
    gaps = run.troubles.gaps
    raise StoreError(
        f"{run.day}: none of its {len(gaps)} buckets could be scored, so nothing was published. {gaps[0]}"
    )


def _lines(run: DayRun) -> dict[str, int | None]:
    return {bucket.path.name: bucket.lines for bucket in run.buckets}
