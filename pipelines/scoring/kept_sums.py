"""The sums of the newest scored day, kept so that its lists can be made again in minutes.

Features of a listed line need the sums over the whole day of its keys. To add up and fold 20 million lines
for 40,000 listed parcels would take longer than all the rest of `select`. So a night leaves what its
buckets were given; the next night's takes its place. Nothing depends on it: where it is missing, the sums
are made again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from datetime import date

from pipelines.history.chronicle import Chronicle
from pipelines.history.day_sums import TODAY
from pipelines.history.profiles import Eve, history_fingerprint
from pipelines.scoring.bucket import DayTask
from pipelines.scoring.day_task import WORK
from pipelines.store.bucket_checks import Bucket

_KEPT = "today"


def sums_name(chronicle: Chronicle, day: date, eve: Eve, buckets: Sequence[Bucket]) -> str:
    """The name of the folder for the sums of a day: by all that they depend on."""
    described = [day.isoformat(), history_fingerprint(chronicle.settings), eve.lineage]
    digest = hashlib.sha256(json.dumps(described).encode())
    for bucket in buckets:
        digest.update(bucket.digest)
    return f"{_KEPT}-{day}-{digest.hexdigest()[:16]}"


def keep_sums(task: DayTask, name: str) -> None:
    """Takes the sums that the buckets of a day were given out of its working folder, in place of those kept
    before, unless these are of a later day.

    Only of a day that is complete: what is kept is taken for whole.
    """
    given, work = task.work / TODAY, task.store / WORK
    if not given.is_dir():
        return
    others = list(work.glob(f"{_KEPT}-*"))
    if any(_day(other.name) > _day(name) for other in others):
        return
    for other in others:
        shutil.rmtree(other)
    # What a killed run of the day was writing; finished files never begin with a dot.
    for half in list(given.rglob(".*")):
        half.unlink()
    given.replace(work / name)


def _day(name: str) -> str:
    return name.removeprefix(f"{_KEPT}-")[:10]


def bring_sums(task: DayTask, name: str) -> bool:
    """Puts the kept sums of a day into its working folder; False where they are not there.

    They are moved, so that a run that is killed leaves nothing that is taken for whole.
    """
    kept, given = task.store / WORK / name, task.work / TODAY
    if not kept.is_dir():
        return False
    shutil.rmtree(given, ignore_errors=True)
    kept.replace(given)
    return True
