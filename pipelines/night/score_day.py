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
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from configs.reference.facts import ReferenceDay
from features.contract.declarations import LINE_KEY
from pipelines.history.chronicle import Chronicle
from pipelines.history.profiles import Eve
from pipelines.lists.set_aside import SetAside, documents_set_aside
from pipelines.night.documents import write_missing_documents
from pipelines.night.select_day import Listed, stage_lists
from pipelines.scoring.bucket import DayTask
from pipelines.scoring.bucket_steps import forget_other_history, score_buckets, sum_buckets
from pipelines.scoring.day_run import DayRun, start_day
from pipelines.scoring.gaps import Gap, read_outcome
from pipelines.scoring.history_steps import close_days_before, fold_day, stage_closed, unpack_history
from pipelines.scoring.models_in_use import ModelInUse, doubts_of
from pipelines.scoring.sums_for_select import keep_sums, kept_sums
from pipelines.store.bucket_checks import changed_later, check_buckets
from pipelines.store.day_table import DayTable
from pipelines.store.files import put_in, read_whole, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import ADDED_LATER, INCOMPLETE, Layout
from pipelines.store.manifest import UNPROVEN, ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.execution import Executor

_LATER: Final = ("lines_changed_later", "lines_added_later")


@dataclass(frozen=True)
class DayReport:
    """What became of one day.

    `changed_later` lines were changed or withdrawn after its close: they are scored as they were known then.
    `added_later` lines came with such changes: they have scores and no place on lists.
    """

    day: date
    lines: int
    scored: int
    listed: int
    offices: int
    unpriced: int
    folder: Path
    changed_later: int = 0
    added_later: int = 0
    note: str = ""
    gaps: Sequence[Gap] = ()
    set_aside: Sequence[SetAside] = ()
    retried: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)


def score_day(
    chronicle: Chronicle, day: date, in_use: Mapping[str, ModelInUse], executor: Executor
) -> DayReport:
    """Scores one day; the caller holds the lock.

    Raises:
        StoreError: no bucket of the day could be scored, or a line of a scored bucket has no score.
    """
    store, manifest = chronicle.store, ManifestBuilder("score")
    with manifest.step("history"):
        eve = close_days_before(chronicle, day, executor)
    run = start_day(chronicle, eve, in_use, day, check_buckets(store.layout, day), executor)
    done = _done(store, day, run.task.run)
    if done is not None:
        _forget(run.task)
        aside = _complete_documents(run, done, manifest)
        report = _report(store, day, done, "was scored before with the same result")
        return replace(report, set_aside=aside)
    computed, scored, lineage = _compute(run, eve, manifest)
    manifest.model_versions.update({risk: champion.version for risk, champion in in_use.items()})
    manifest.further["without_model"] = [name for name in chronicle.settings.risks if name not in in_use]
    manifest.further[UNPROVEN] = doubts_of(in_use)
    manifest.further["levels"] = {risk: asdict(level) for risk, level in run.levels.items()}
    report = _publish(run.task.run, computed, scored, lineage, manifest)
    if not run.troubles.gaps:
        keep_sums(computed.task, kept_sums(chronicle, day, eve, run.buckets))
        _forget(run.task)
    return report


def _complete_documents(run: DayRun, done: Mapping[str, int], manifest: ManifestBuilder) -> list[SetAside]:
    """Writes what documents an earlier run could not write; returns those that still cannot be."""
    store = run.chronicle.store
    if not documents_set_aside(store.layout.partition(DayTable.LISTS, run.day)):
        return []
    with store.transaction() as t:
        with manifest.step("documents"):
            left = write_missing_documents(t, run)
        manifest.add_rows(rows_in=done["lines"], kept=done["lines"], scored=done["scored"])
        manifest.further["documents_set_aside"] = [each.as_dict() for each in left]
        store.write_manifest(t, "score", run.day, manifest.as_dict())
    return left


def _compute(run: DayRun, eve: Eve, manifest: ManifestBuilder) -> tuple[DayRun, int, str]:
    """The run with its scored buckets, their number of lines, and what names the history after the day; that
    is empty where the day cannot be closed.
    """
    with manifest.step("history of the eve"):
        unpack_history(run)
    with manifest.step("sums of the day"):
        run = sum_buckets(run)
    lineage = "" if run.troubles.gaps else run.chronicle.lineage(eve, run.day, run.buckets)
    with manifest.step("history of the day"):
        forget_other_history(run.task.work, lineage)
        fold_day(run, close=bool(lineage))
    with manifest.step("scores"):
        counts = score_buckets(run)
    return replace(run, files=list(counts)), sum(counts.values()), lineage


def _publish(name: str, run: DayRun, scored: int, lineage: str, manifest: ManifestBuilder) -> DayReport:
    """Brings what was computed into the store in one transaction, with lists where none were issued.

    `name` is that of the run of the whole day, by which it is known when it is asked for again.
    """
    chronicle, day = run.chronicle, run.day
    store, work, troubles = chronicle.store, run.task.work, run.troubles
    with store.transaction() as t:
        scores, values = (
            t.stage(store.layout.partition(table, day)) for table in (DayTable.SCORES, DayTable.VALUES)
        )
        for file in run.files:
            put_in(work.scores(file), scores / file.name)
            put_in(work.values(file), values / file.name)
        added = _put_added_later(run, scores)
        with manifest.step("lists"):
            issued = store.layout.partition(DayTable.LISTS, day).exists()
            listed = _keep_lists(t, run) if issued else stage_lists(t, run, work.all_scores, work.all_values)
        if lineage:
            stage_closed(t, run, lineage)
        unpriced = without_exchange_rate(store, chronicle.reference.on(day), run.files)
        outcome = {
            "lines": sum(bucket.lines or 0 for bucket in run.buckets) + added,
            "scored": scored + added,
            "listed": listed.parcels,
            "offices": listed.offices,
            "unpriced": sum(unpriced.values()),
            "lines_changed_later": changed_later(store.layout, day),
            "lines_added_later": added,
        }
        open_gaps = {"gaps": [gap.as_dict() for gap in troubles.gaps]} if troubles.gaps else {}
        t.stage_file(store.layout.outcome(day)).write_text(
            json.dumps({"run": name, **outcome, **open_gaps}) + "\n", encoding="utf-8"
        )
        manifest.values_nulled.update(
            {f"cny_value:no_exchange_rate_{currency}": count for currency, count in unpriced.items()}
        )
        manifest.add_rows(rows_in=outcome["lines"], kept=outcome["lines"], scored=outcome["scored"])
        later = {name: outcome[name] for name in _LATER}
        manifest.further.update(listed.as_dict(), **troubles.as_dict(), **later)
        figures = manifest.as_dict()
        store.write_manifest(t, "score", day, figures)
    note = "its lists were issued before and stay; `parcel-risk select` makes new ones" if issued else ""
    retried = len({entry["bucket"] for entry in troubles.retried})
    report = _report(store, day, outcome, note)
    return replace(
        report,
        gaps=tuple(troubles.gaps),
        set_aside=listed.set_aside,
        retried=retried,
        seconds=figures["seconds"],
    )


def _put_added_later(run: DayRun, folder: Path) -> int:
    """Put the scores of lines that the day did not know at its close into a folder; returns their number."""
    files = [file for file in map(run.task.work.added, run.files) if file.exists()]
    if not files:
        return 0
    scores = pl.concat(map(read_whole, files)).sort(*LINE_KEY)
    write_table(scores, folder / ADDED_LATER)
    return scores.height


def _forget(task: DayTask) -> None:
    """Removes the working folders of a day that is complete."""
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
        changed_later=outcome.get("lines_changed_later", 0),
        added_later=outcome.get("lines_added_later", 0),
        folder=folder,
        note=note,
    )


def _keep_lists(t: Transaction, run: DayRun) -> Listed:
    layout = run.chronicle.store.layout
    issued, strata = (read_whole(layout.file(table, run.day)) for table in (DayTable.LISTS, DayTable.STRATA))
    return Listed.of(issued, strata, write_missing_documents(t, run))


def _done(store: Store, day: date, run_name: str) -> dict[str, int] | None:
    """What an earlier run with exactly the same inputs has left, if all of it is still there."""
    file = store.layout.outcome(day)
    tables = (DayTable.SCORES, DayTable.VALUES, DayTable.LISTS)
    if not file.exists() or not all(store.layout.partition(table, day).is_dir() for table in tables):
        return None
    known = read_outcome(file)
    return known if known.pop("run", None) == run_name and "gaps" not in known else None


def without_exchange_rate(store: Store, reference: ReferenceDay, files: Sequence[Path]) -> dict[str, int]:
    """Lines by currency for which no exchange rate is known: they are scored without a value in CNY.

    One column of the buckets is read for it, so that a bucket that an earlier run has scored counts too.
    """
    currencies = [store.read_declaration_files([file], ["currency"]) for file in files]
    counts = pl.concat(currencies).group_by("currency").len().sort("currency")
    unknown = counts.filter(reference.cny_rate(counts["currency"]).is_null())
    return {str(currency): int(count) for currency, count in unknown.iter_rows()}
