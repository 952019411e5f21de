"""The two steps of a night that are mapped over the buckets of a day, and what is set aside in them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Never

from configs.errors import StoreError
from pipelines.history.gaps import Gap, Troubles
from pipelines.scoring.bucket import DayTask, score_bucket, sum_bucket
from pipelines.store.bucket_checks import Bucket
from pipelines.store.day_work import DayWork
from pipelines.store.files import row_count
from pipelines.work.crew import Night


@dataclass(frozen=True)
class Summed:
    """The buckets of a day that were added up, and the task that rests on them.

    `task` is that of the whole day, or another one with a working folder of its own where buckets are
    missing.
    """

    task: DayTask
    files: Sequence[Path]


def sum_day(task: DayTask, buckets: Sequence[Bucket], night: Night, troubles: Troubles) -> Summed:
    """The sums by key of each bucket of the day, into its working folder.

    Buckets that cannot be read or summed are noted among the troubles; without them, the sums are those of
    another task, so that nothing that rests on them is taken for a result of the whole day.

    Raises StoreError where no bucket is left.
    """
    whole = [bucket.path for bucket in buckets if bucket.fault is None]
    for bucket in buckets:
        if bucket.fault is not None:
            troubles.gaps.append(Gap(bucket.path.name, bucket.lines, "reading", bucket.fault))
    found = night.attempt(f"sums of {task.day}", sum_bucket, [task.bucket(file) for file in whole])
    troubles.note("sums of the day", whole, _lines(buckets), found)
    files = [file for place, file in enumerate(whole) if place not in found.failed]
    if not files:
        _nothing_left(task.day, troubles)
    if len(files) < len(buckets):
        task = _without(task, sorted(gap.bucket for gap in troubles.gaps))
    return Summed(task, files)


def forget_other_history(work: DayWork, lineage: str) -> None:
    """Remove the folded history from a working folder where it was folded from something else.

    Results may be reported between two runs of a day, and its scores do not depend on them.
    """
    noted = work.lineage
    if not noted.exists() or noted.read_text(encoding="utf-8") != lineage:
        shutil.rmtree(work.after, ignore_errors=True)
        noted.write_text(lineage, encoding="utf-8")


def _without(task: DayTask, missing: Sequence[str]) -> DayTask:
    digest = hashlib.sha256(" ".join(missing).encode()).hexdigest()[:16]
    whole = task.work
    work = DayWork(whole.path.with_name(f"{whole.path.name}-{digest}"))
    work.path.mkdir(exist_ok=True)
    # What a bucket adds up to does not depend on the others.
    if not work.all_sums.is_symlink():
        work.all_sums.symlink_to(".." / whole.all_sums.relative_to(whole.path.parent))
    return replace(task, run=f"{task.run}-{digest}", work=work)


def score_buckets(
    summed: Summed, buckets: Sequence[Bucket], night: Night, troubles: Troubles
) -> dict[Path, int]:
    """Scores every bucket of the sums; the number of scores of each that was not set aside.

    Raises StoreError where no bucket is left, or a line of a scored bucket has no score.
    """
    tasks = [summed.task.bucket(file) for file in summed.files]
    found = night.attempt(f"scores of {summed.task.day}", score_bucket, tasks)
    troubles.note("scores", summed.files, _lines(buckets), found)
    counts = {
        file: count for file, count in zip(summed.files, found.results, strict=True) if count is not None
    }
    if not counts:
        _nothing_left(summed.task.day, troubles)
    short = [file.name for file, count in counts.items() if count != row_count(file)]
    if short:
        raise StoreError(
            f"{summed.task.day}: expected a score for every line; they differ in {', '.join(short[:5])}"
        )
    return counts


def _nothing_left(day: date, troubles: Troubles) -> Never:
    raise StoreError(
        f"{day}: none of its {len(troubles.gaps)} buckets could be scored, so nothing was published. "
        f"{troubles.gaps[0]}"
    )


def _lines(buckets: Sequence[Bucket]) -> dict[str, int | None]:
    return {bucket.path.name: bucket.lines for bucket in buckets}
