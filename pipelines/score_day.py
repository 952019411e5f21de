"""One night: features, probabilities, sampling lists and the history of a day, restartable at any moment.

The steps' results are files. Scores of a bucket are written beside their place in a working folder of the
store and renamed into it; scores, lists and the history of the day enter the store together at the end. A run
that was killed is repeated by running it again: what is complete is kept, and the result is the same to the
last byte.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from configs.errors import StoreError
from pipelines.chronicle import Chronicle, file_digest
from pipelines.day_history import close_days_before, fold_day, sum_day
from pipelines.fold_day import AFTER
from pipelines.journal import Transaction
from pipelines.manifest import ManifestBuilder
from pipelines.models_in_use import ModelInUse
from pipelines.night import Night
from pipelines.profiles import (
    Eve,
    empty_history,
    history_fingerprint,
    save_profile,
    stage_folded,
)
from pipelines.score_bucket import DayTask, score_bucket, workspace
from pipelines.select_day import Listed, stage_lists
from pipelines.store import Store
from pipelines.store_files import put_in

WORK = ".work"
_SCORES = ("scores", "values")


@dataclass(frozen=True)
class DayReport:
    """What became of one day."""

    day: date
    lines: int
    scored: int
    listed: int
    offices: int
    unpriced: int
    folder: Path
    note: str = ""
    gaps: Sequence[str] = ()


def score_day(chronicle: Chronicle, day: date, in_use: Mapping[str, ModelInUse], night: Night) -> DayReport:
    """Scores one day; the caller holds the lock.

    Raises StoreError where a line of the day has no score.
    """
    store, settings = chronicle.store, chronicle.settings
    manifest = ManifestBuilder("score")
    files = store.declaration_files(day)
    with manifest.step("history"):
        eve = close_days_before(chronicle, day)
    task = day_task(chronicle, day, eve, in_use)
    done = _done(store, day, task.run)
    if done is not None:
        shutil.rmtree(task.work, ignore_errors=True)
        return _report(store, day, done, "was scored before with the same result")
    with manifest.step("sums of the day"):
        sum_day(task, files, night)
    with manifest.step("history of the day"):
        fold_day(chronicle, task, files, night, close=True)
    with manifest.step("scores"):
        counts = _score_buckets(task, files, night)
    declared, scored = _rows(files), sum(counts)
    if declared != scored:
        raise StoreError(
            f"{day}: {declared:,} lines are in the store, {scored:,} were scored; expected as many. "
            "Missing in " + ", ".join(_short_buckets(files, counts)[:5])
        )
    with store.transaction() as t:
        for kind in _SCORES:
            folder = t.stage(store.partition(kind, day))
            for file in files:
                put_in(task.work / kind / file.name, folder / file.name)
        with manifest.step("lists"):
            issued = _lists_folder(store, day).exists()
            listed = _keep_lists(store, day) if issued else _make_lists(t, task, files, night)
        stage_folded(t, store, task.work / AFTER, settings, day, chronicle.lineage(eve.lineage, day))
        unpriced = without_exchange_rate(task, files)
        manifest.values_nulled.update(
            {f"cny_value:no_exchange_rate_{name}": count for name, count in unpriced.items()}
        )
        outcome = {
            "lines": declared,
            "scored": scored,
            "listed": listed.parcels,
            "offices": listed.offices,
            "unpriced": sum(unpriced.values()),
        }
        t.stage_file(_run_file(day)).write_text(
            json.dumps({"run": task.run, **outcome}) + "\n", encoding="utf-8"
        )
        manifest.add_rows(rows_in=declared, kept=declared, scored=scored)
        manifest.model_versions.update({risk: champion.version for risk, champion in in_use.items()})
        manifest.further.update(parcels_listed=listed.parcels, strata=listed.strata)
        store.write_manifest(t, "score", day, manifest.as_dict())
    shutil.rmtree(task.work, ignore_errors=True)
    note = "its lists were issued before and stay; `parcel-risk select` makes new ones" if issued else ""
    return _report(store, day, outcome, note)


def _report(store: Store, day: date, outcome: Mapping[str, int], note: str) -> DayReport:
    return DayReport(
        day=day,
        lines=outcome["lines"],
        scored=outcome["scored"],
        listed=outcome["listed"],
        offices=outcome["offices"],
        unpriced=outcome["unpriced"],
        folder=_lists_folder(store, day),
        note=note,
    )


def _score_buckets(task: DayTask, files: Sequence[Path], night: Night) -> list[int]:
    return night.map(f"scores of {task.day}", score_bucket, [task.bucket(file) for file in files])


def _make_lists(t: Transaction, task: DayTask, files: Sequence[Path], night: Night) -> Listed:
    return stage_lists(
        t,
        task,
        files,
        task.work / "scores",
        task.work / "values",
        capacity=workspace(task).settings.capacity,
        overrides={},
        workers=night.workers,
        threads=night.threads,
        scheduler=night.scheduler,
    )


def _keep_lists(store: Store, day: date) -> Listed:
    issued = pl.read_parquet(_lists_folder(store, day) / "sampling_list.parquet", hive_partitioning=False)
    plan = store.path / store.partition("strata", day) / "strata.parquet"
    strata = pl.read_parquet(plan, hive_partitioning=False)
    return Listed(issued.height, issued["customs_office"].n_unique(), strata.to_dicts())


def _lists_folder(store: Store, day: date) -> Path:
    return store.path / store.partition("lists", day)


def _run_file(day: date) -> str:
    return f".runs/score-{day}.json"


def _done(store: Store, day: date, run_name: str) -> dict[str, int] | None:
    """What an earlier run with exactly the same inputs has left, if all of it is still there."""
    file = store.path / _run_file(day)
    kept = [store.path / store.partition(kind, day) for kind in (*_SCORES, "lists")]
    if not file.exists() or not all(folder.is_dir() for folder in kept):
        return None
    known = json.loads(file.read_text(encoding="utf-8"))
    return known if known.pop("run") == run_name else None


def day_task(chronicle: Chronicle, day: date, eve: Eve, in_use: Mapping[str, ModelInUse]) -> DayTask:
    """The task of a day, with a working folder named by all that its results depend on.

    Working folders of the same day that depend on something else are of no more use and go.
    """
    store = chronicle.store
    run_name = _fingerprint(chronicle, day, eve, in_use)
    work = store.path / WORK / f"score-{day}-{run_name[:16]}"
    for other in (store.path / WORK).glob(f"score-{day}-*"):
        if other != work:
            shutil.rmtree(other)
    for kind in _SCORES:
        (work / kind).mkdir(parents=True, exist_ok=True)
    folder = eve.folder or work / "eve"
    if not folder.exists():
        beside = work / "eve.new"
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        save_profile(beside, empty_history(chronicle.settings), chronicle.settings)
        beside.replace(folder)
    models = tuple((risk, champion.folder) for risk, champion in sorted(in_use.items()))
    return DayTask(run_name, store.path, chronicle.settings.overlay, day, folder, work, models)


def _fingerprint(chronicle: Chronicle, day: date, eve: Eve, in_use: Mapping[str, ModelInUse]) -> str:
    digest = hashlib.sha256()
    described = {
        "day": day.isoformat(),
        "settings": chronicle.settings.fingerprint,
        "history": [history_fingerprint(chronicle.settings), eve.lineage],
        "models": {risk: [champion.version, champion.digest] for risk, champion in sorted(in_use.items())},
    }
    digest.update(json.dumps(described, sort_keys=True).encode())
    for file in chronicle.store.declaration_files(day):
        digest.update(file_digest(file))
    return digest.hexdigest()


def without_exchange_rate(task: DayTask, files: Sequence[Path]) -> dict[str, int]:
    """Lines by currency for which no exchange rate is known: they are scored without a value in CNY."""
    counts = (
        pl.concat(
            pl.scan_parquet(file, glob=False, hive_partitioning=False).select("currency") for file in files
        )
        .group_by("currency")
        .len()
        .collect()
        .sort("currency")
    )
    unknown = counts.filter(workspace(task).reference.cny_rate(counts["currency"]).is_null())
    return {str(currency): int(count) for currency, count in unknown.iter_rows()}


def _rows(files: Sequence[Path]) -> int:
    return sum(_height(file) for file in files)


def _height(file: Path) -> int:
    return int(pl.scan_parquet(file, glob=False, hive_partitioning=False).select(pl.len()).collect().item())


def _short_buckets(files: Sequence[Path], counts: Sequence[int]) -> list[str]:
    return [
        f"{file.name} ({_height(file) - count:,} lines)"
        for file, count in zip(files, counts, strict=True)
        if _height(file) != count
    ]
