"""What a day is scored with, and the working folder that is named by it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import date

from pipelines.history.chronicle import Chronicle
from pipelines.history.profiles import Eve, empty_history, history_fingerprint, save_profile
from pipelines.scoring.bucket import DayTask
from pipelines.scoring.models_in_use import ModelInUse
from pipelines.store.bucket_checks import Bucket


def day_task(
    chronicle: Chronicle,
    day: date,
    eve: Eve,
    in_use: Mapping[str, ModelInUse],
    buckets: Sequence[Bucket],
) -> DayTask:
    """The task of a day, with a working folder named by all that its results depend on.

    Working folders of the same day that depend on something else are of no more use and go.
    """
    store = chronicle.store
    run_name = _fingerprint(chronicle, day, eve, in_use, buckets)
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
        save_profile(beside, empty_history(chronicle.settings), chronicle.settings)
        beside.replace(folder)
    models = tuple((risk, champion.folder) for risk, champion in sorted(in_use.items()))
    settings = chronicle.settings
    return DayTask(
        run_name, store.path, settings.overlay, settings.capacity.spoken, day, folder, work.opened, work,
        models,
    )  # fmt: skip


def _fingerprint(
    chronicle: Chronicle,
    day: date,
    eve: Eve,
    in_use: Mapping[str, ModelInUse],
    buckets: Sequence[Bucket],
) -> str:
    digest = hashlib.sha256()
    described = {
        "day": day.isoformat(),
        "settings": chronicle.settings.fingerprint,
        "history": [history_fingerprint(chronicle.settings), eve.lineage],
        "models": {risk: [champion.version, champion.digest] for risk, champion in sorted(in_use.items())},
    }
    digest.update(json.dumps(described, sort_keys=True).encode())
    for bucket in buckets:
        digest.update(bucket.digest)
    return digest.hexdigest()
