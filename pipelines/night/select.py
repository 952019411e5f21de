"""Sampling lists again, from stored scores, with another capacity."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from configs.errors import DataError, StoreError, UsageError
from configs.schema.settings import Settings
from features.contract.declarations import LINE_KEY
from pipelines.history.chronicle import Chronicle
from pipelines.history.source_keys import known_extra_keys, with_source_keys
from pipelines.night.score import executor_of
from pipelines.night.select_day import Listed, stage_lists
from pipelines.scoring.bucket_steps import sum_buckets
from pipelines.scoring.day_run import start_day
from pipelines.scoring.gaps import Gap, incomplete_days
from pipelines.scoring.history_steps import close_days_before, fold_day, unpack_history
from pipelines.scoring.models_in_use import models_in_use
from pipelines.scoring.sums_for_select import bring_sums, keep_sums, kept_sums
from pipelines.store.bucket_checks import require_whole
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_json, read_whole
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from pipelines.work.report import Report


@dataclass(frozen=True)
class SelectReport(Report):
    """The lists that were made anew."""

    day: date
    listed: Listed
    folder: Path
    gaps: Sequence[Gap] = ()

    @property
    def exit_code(self) -> int:
        """0, or 5 where the lists have gaps or a document could not be written."""
        return 5 if self.gaps or self.listed.set_aside else 0

    def _lines(self) -> list[str]:
        return [
            f"{self.day}: {self.listed.parcels:,} parcels on the lists of {self.listed.offices:,} offices, "
            f"in {self.folder}",
            *(f"{self.day}: INCOMPLETE: {gap}" for gap in self.gaps),
            *(f"{self.day}: {each}" for each in self.listed.set_aside),
        ]

    def _facts(self) -> dict[str, Any]:
        return {
            "day": self.day,
            "parcels_listed": self.listed.parcels,
            "offices": self.listed.offices,
            "lists": self.folder,
            "gaps": [gap.as_dict() for gap in self.gaps],
            "documents_set_aside": [each.as_dict() for each in self.listed.set_aside],
        }


def select(store: Path, *, day: date, settings: Settings, progress: Progress) -> SelectReport:
    """Lists of a scored day, from its stored scores, by the capacity of `settings`.

    Raises:
        UsageError: the day was not scored.
        StoreError: it was scored with gaps, or some of its lines cannot be read.
        DataError: its lines have changed since.
    """
    opened = Store.open(store)
    manifest = ManifestBuilder("select")
    with opened.lock("select"), executor_of(settings.pipeline.scoring, {}, progress) as executor:
        scores, values = scored_folders(opened, day)
        if day in incomplete_days(opened.layout):
            raise StoreError(
                f"{day} was left incomplete: score it again with `parcel-risk score --date {day}`; "
                "lists are made anew from whole days only"
            )
        buckets = require_whole(opened.layout, day)
        check_unchanged(opened, [bucket.path for bucket in buckets], scores, day)
        settings = with_source_keys(settings, known_extra_keys(opened, settings))
        chronicle = Chronicle(opened, settings)
        in_use = models_in_use(opened, settings.risks).models
        with manifest.step("history"):
            eve = close_days_before(chronicle, day, executor)
            run = start_day(chronicle, eve, in_use, day, buckets, executor)
            unpack_history(run)
            run = replace(run, versions=versions_of_night(opened, day) or run.versions)
        sums = kept_sums(chronicle, day, eve, buckets)
        with manifest.step("sums of the day"):
            if not bring_sums(run.task, sums):
                whole = sum_buckets(run)
                if whole.troubles.gaps:
                    raise StoreError(f"{day}: lists are made from whole days only; {whole.troubles.gaps[0]}")
                fold_day(whole, close=False)
        with opened.transaction() as t:
            with manifest.step("lists"):
                listed = stage_lists(t, run, scores, values)
            rows = sum(bucket.lines or 0 for bucket in buckets)
            manifest.add_rows(rows_in=rows, kept=rows, scored=rows)
            capacity = settings.capacity.model_dump(mode="json")
            manifest.further.update(listed.as_dict(), capacity=capacity, **run.troubles.as_dict())
            opened.write_manifest(t, "select", day, manifest.as_dict())
        keep_sums(run.task, sums)
        shutil.rmtree(run.task.work.path, ignore_errors=True)
    chronicle.unmatched.tell()
    folder = opened.layout.partition(DayTable.LISTS, day)
    return SelectReport(day, listed, folder, tuple(run.troubles.gaps))


def scored_folders(opened: Store, day: date) -> tuple[Path, Path]:
    """The folders with scores and values of a scored day.

    Raises:
        UsageError: it was not scored.
    """
    scores, values = (opened.layout.partition(table, day) for table in (DayTable.SCORES, DayTable.VALUES))
    if not scores.is_dir():
        scored = ", ".join(str(known) for known in opened.days(DayTable.SCORES)[-5:]) or "none"
        raise UsageError(
            f"expected scores of {day} in {opened.path}, found none; the newest scored days are: "
            f"{scored}. Score it with `parcel-risk score --date {day}`."
        )
    return scores, values


def versions_of_night(store: Store, day: date) -> dict[str, str]:
    """The models with which a day was last scored, as its manifests say."""
    for file in reversed(store.layout.manifests_of_day("score", day)):
        if versions := read_json(file).get("model_versions"):
            return dict(versions)
    return {}


def check_unchanged(store: Store, files: list[Path], scores: Path, day: date) -> None:
    """Checks that every bucket has the scores of exactly its lines.

    Raises:
        DataError: one has not, because the day's lines have changed since.
    """
    for file in files:
        stored = scores / file.name
        lines = store.read_declaration_files([file], LINE_KEY)
        if not stored.exists() or not lines.equals(read_whole(stored, list(LINE_KEY))):
            raise DataError(
                f"the declarations of {day} have changed since they were scored ({file.name}): "
                f"score the day again with `parcel-risk score --date {day}`, then select"
            )
