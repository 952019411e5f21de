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
from pathlib import Path

from pipelines.history.chronicle import Chronicle
from pipelines.history.profiles import Eve
from pipelines.scoring.bucket import DayTask
from pipelines.store.bucket_checks import Bucket
from pipelines.store.layout import Layout


def kept_sums(chronicle: Chronicle, day: date, eve: Eve, buckets: Sequence[Bucket]) -> Path:
    """The folder for the sums of a day, named by all that they depend on."""
    described = [day.isoformat(), chronicle.spec.fingerprint, eve.lineage]
    parts = [json.dumps(described).encode(), *(bucket.digest for bucket in buckets)]
    return chronicle.store.layout.kept_sums(day, hashlib.sha256(b"".join(parts)).hexdigest())


def keep_sums(task: DayTask, kept: Path) -> None:
    """Keeps the sums that the buckets of a day were given, in place of those kept before.

    Those of a later day stay instead. Only a complete day's may be kept: what is there is taken for whole.
    """
    given = task.work.all_today
    if not given.is_dir():
        return
    others = Layout(task.store).all_kept_sums()
    if any(day > task.day for day in others.values()):
        return
    for other in others:
        shutil.rmtree(other)
    # What a killed run of the day was writing; finished files never begin with a dot.
    for half in list(given.rglob(".*")):
        half.unlink()
    given.replace(kept)


def bring_sums(task: DayTask, kept: Path) -> bool:
    """Puts the kept sums of a day into its working folder; False where there are none.

    They are moved, so that a run that is killed leaves nothing that is taken for whole.
    """
    given = task.work.all_today
    if not kept.is_dir():
        return False
    shutil.rmtree(given, ignore_errors=True)
    kept.replace(given)
    return True
