"""One night: features, probabilities, sampling lists and the history of a day, restartable at any moment.

The steps' results are files. Scores of a bucket are written beside their place in a working folder of the
store and renamed into it; scores, lists and the history of the day enter the store together at the end. A run
that was killed is repeated by running it again: what is complete is kept, and the result is the same to the
last byte.

A bucket that cannot be read, or that fails all its tries, is set aside: the others are scored and listed,
and the day stays open until a later run has scored what is missing. Where already the sums of the day lack
a bucket, all scores are provisional, and the history of the day is not closed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.history.chronicle import Chronicle
from pipelines.history.gaps import Gap, Troubles, buckets_of
from pipelines.history.profiles import stage_folded
from pipelines.night.select_day import Listed, stage_lists
from pipelines.scoring.bucket import DayTask, workspace
from pipelines.scoring.day_history import close_days_before, fold_day, open_history
from pipelines.scoring.day_steps import forget_other_history, score_buckets, sum_day
from pipelines.scoring.day_task import day_task
from pipelines.scoring.kept_sums import keep_sums, kept_sums
from pipelines.scoring.models_in_use import ModelInUse
from pipelines.store.files import put_in
from pipelines.store.journal import Transaction
from pipelines.store.layout import INCOMPLETE, DayTable, Layout
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.crew import Night

_PUBLISHED = (DayTable.SCORES, DayTable.VALUES, DayTable.LISTS)


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
    gaps: Sequence[Gap] = ()
    retried: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)


def score_day(chronicle: Chronicle, day: date, in_use: Mapping[str, ModelInUse], night: Night) -> DayReport:
    """Scores one day; the caller holds the lock.

    Raises StoreError where no bucket of the day could be scored, or a line of a scored bucket has no score.
    """
    store, settings = chronicle.store, chronicle.settings
    manifest = ManifestBuilder("score")
    troubles = Troubles()
    with manifest.step("history"):
        eve = close_days_before(chronicle, day, night)
    buckets = buckets_of(store, day)
    task = day_task(chronicle, day, eve, in_use, buckets)
    done = _done(store, day, task.run)
    if done is not None:
        _forget(task)
        return _report(store, day, done, "was scored before with the same result")
    with manifest.step("history of the eve"):
        open_history(chronicle, task, night, troubles)
    with manifest.step("sums of the day"):
        summed = sum_day(task, buckets, night, troubles)
    closed = not troubles.gaps
    lineage = chronicle.lineage(eve.lineage, day) if closed else ""
    with manifest.step("history of the day"):
        forget_other_history(summed.task.work, lineage)
        fold_day(chronicle, summed.task, summed.files, night, troubles, close=closed)
    with manifest.step("scores"):
        counts = score_buckets(summed, buckets, night, troubles)
    files = list(counts)
    declared, scored = sum(bucket.lines or 0 for bucket in buckets), sum(counts.values())
    with store.transaction() as t:
        work = summed.task.work
        for table, made in ((DayTable.SCORES, work.scores), (DayTable.VALUES, work.values)):
            folder = t.stage(store.layout.partition(table, day))
            for file in files:
                put_in(made(file), folder / file.name)
        with manifest.step("lists"):
            issued = store.layout.partition(DayTable.LISTS, day).exists()
            if issued:
                listed = _keep_lists(store, day)
            else:
                listed = _make_lists(t, summed.task, files, night, troubles)
        if closed:
            stage_folded(t, store, work.after, settings, day, lineage)
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
        open_gaps = {"gaps": [gap.as_dict() for gap in troubles.gaps]} if troubles.gaps else {}
        t.stage_file(store.layout.outcome(day)).write_text(
            json.dumps({"run": task.run, **outcome, **open_gaps}) + "\n", encoding="utf-8"
        )
        manifest.add_rows(rows_in=declared, kept=declared, scored=scored)
        manifest.model_versions.update({risk: champion.version for risk, champion in in_use.items()})
        manifest.further.update(
            parcels_listed=listed.parcels,
            parcels_by_selection=listed.by_selection,
            strata=listed.strata,
            **troubles.as_dict(),
        )
        said = manifest.as_dict()
        store.write_manifest(t, "score", day, said)
    if not troubles.gaps:
        keep_sums(summed.task, kept_sums(chronicle, day, eve, buckets))
        _forget(task)
    note = "its lists were issued before and stay; `parcel-risk select` makes new ones" if issued else ""
    report = _report(store, day, outcome, note)
    retried = len({entry["bucket"] for entry in troubles.retried})
    return replace(report, gaps=tuple(troubles.gaps), retried=retried, seconds=said["seconds"])


def _forget(task: DayTask) -> None:
    """Remove the working folders of a day that is complete."""
    for folder in Layout(task.store).works(task.day):
        shutil.rmtree(folder, ignore_errors=True)


def _report(store: Store, day: date, outcome: Mapping[str, int], note: str) -> DayReport:
    folder = store.layout.partition(DayTable.LISTS, day)
    if note and (folder / INCOMPLETE).exists():
        note += f"; its lists were issued INCOMPLETE: `parcel-risk select --date {day}` makes whole ones"
    return DayReport(
        day=day,
        lines=outcome["lines"],
        scored=outcome["scored"],
        listed=outcome["listed"],
        offices=outcome["offices"],
        unpriced=outcome["unpriced"],
        folder=folder,
        note=note,
    )


def _make_lists(
    t: Transaction, task: DayTask, files: Sequence[Path], night: Night, troubles: Troubles
) -> Listed:
    return stage_lists(
        t,
        task,
        files,
        task.work.all_scores,
        task.work.all_values,
        capacity=workspace(task).settings.capacity,
        overrides={},
        night=night,
        troubles=troubles,
    )


def _keep_lists(store: Store, day: date) -> Listed:
    issued, strata = (
        pl.read_parquet(store.layout.file(table, day), hive_partitioning=False)
        for table in (DayTable.LISTS, DayTable.STRATA)
    )
    return Listed.of(issued, strata)


def _done(store: Store, day: date, run_name: str) -> dict[str, int] | None:
    """What an earlier run with exactly the same inputs has left, if all of it is still there."""
    file = store.layout.outcome(day)
    kept = [store.layout.partition(table, day) for table in _PUBLISHED]
    if not file.exists() or not all(folder.is_dir() for folder in kept):
        return None
    known = json.loads(file.read_text(encoding="utf-8"))
    return known if known.pop("run") == run_name and "gaps" not in known else None


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
