"""A day at work: what it is scored with, and the working folder that is named by it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from models.risk.level import Level
from pipelines.history.checked import findings_digest
from pipelines.history.chronicle import Chronicle
from pipelines.history.profiles import Eve, save_profile
from pipelines.scoring.bucket import DayTask
from pipelines.scoring.gaps import Troubles
from pipelines.scoring.models_in_use import ModelInUse, doubts_of, levels_of
from pipelines.store.bucket_checks import Bucket
from pipelines.work.execution import Executor


@dataclass(frozen=True)
class DayRun:
    """A day as the leading process works on it.

    Attributes:
        chronicle: the store and the configuration, as this process has read them.
        task: what the tasks that executors work on share.
        buckets: every bucket of the day, also those with a fault.
        files: the buckets without one; after the sums, those that were added up.
        executor: works on the tasks.
        troubles: collects what fails.
        unproven: what is to be said of models that nothing shows to be of use, by risk.
        levels: how sure the level of each risk's probabilities is, where that is known.
        versions: the model of each risk.
        eve_day: the day at whose close the history of the eve is, None before the first.
    """

    chronicle: Chronicle
    task: DayTask
    buckets: Sequence[Bucket]
    files: Sequence[Path]
    executor: Executor
    troubles: Troubles = field(default_factory=Troubles)
    unproven: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    eve_day: date | None = None

    @property
    def day(self) -> date:
        """The day."""
        return self.task.day


def start_day(
    chronicle: Chronicle,
    eve: Eve,
    in_use: Mapping[str, ModelInUse],
    day: date,
    buckets: Sequence[Bucket],
    executor: Executor,
) -> DayRun:
    """A run of a day, with a working folder named by all that its results depend on.

    Working folders of the same day that depend on something else are of no more use and go.
    """
    store, settings = chronicle.store, chronicle.settings
    run_name = _fingerprint(chronicle, eve, in_use, day, buckets)
    work = store.layout.work(day, run_name)
    for other in store.layout.works(day):
        if not other.name.startswith(work.path.name):
            shutil.rmtree(other)
    work.path.mkdir(parents=True, exist_ok=True)
    folder = eve.folder or work.eve
    if not folder.exists():
        beside = folder.with_suffix(".new")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        save_profile(beside, chronicle.spec.empty(), chronicle.spec)
        beside.replace(folder)
    champions = tuple((risk, model.folder) for risk, model in sorted(in_use.items()))
    task = DayTask(run_name, store.path, settings, day, folder, work.unpacked, work, champions)
    readable = [bucket.path for bucket in buckets if bucket.fault is None]
    return DayRun(
        chronicle, task, buckets, readable, executor,
        unproven=doubts_of(in_use),
        levels=levels_of(in_use),
        versions={risk: champion.version for risk, champion in in_use.items()},
        eve_day=eve.as_of,
    )  # fmt: skip


def _fingerprint(
    chronicle: Chronicle,
    eve: Eve,
    in_use: Mapping[str, ModelInUse],
    day: date,
    buckets: Sequence[Bucket],
) -> str:
    described = {
        "day": day.isoformat(),
        "settings": chronicle.settings.fingerprint,
        "history": [chronicle.spec.fingerprint, eve.lineage],
        "models": {risk: [champion.version, champion.digest] for risk, champion in sorted(in_use.items())},
    }
    checked = findings_digest(chronicle.store.layout, day)
    parts = [json.dumps(described, sort_keys=True).encode(), *(bucket.digest for bucket in buckets), checked]
    return hashlib.sha256(b"".join(parts)).hexdigest()
