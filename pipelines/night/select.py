"""Sampling lists again, from stored scores, with another capacity."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from configs.errors import DataError, StoreError, UsageError
from configs.schema.settings import Settings
from features.contract.declarations import LINE_KEY
from pipelines.history.chronicle import Chronicle
from pipelines.history.gaps import Gap, Troubles, incomplete_days, require_whole
from pipelines.night.select_day import Listed, stage_lists
from pipelines.scoring.day_history import close_days_before, fold_day, open_history
from pipelines.scoring.day_steps import sum_day
from pipelines.scoring.day_task import day_task
from pipelines.scoring.kept_sums import bring_sums, keep_sums, kept_sums
from pipelines.scoring.models_in_use import models_in_use
from pipelines.store.files import row_count
from pipelines.store.layout import DayTable
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.attempts import Limits
from pipelines.work.crew import Night
from pipelines.work.processes import Crew
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
        """0, or 5 where the lists have gaps."""
        return 5 if self.gaps else 0

    def _lines(self) -> list[str]:
        return [
            f"{self.day}: {self.listed.parcels:,} parcels on the lists of {self.listed.offices:,} offices, "
            f"in {self.folder}",
            *(f"{self.day}: INCOMPLETE: {gap}" for gap in self.gaps),
        ]

    def _facts(self) -> dict[str, Any]:
        return {
            "day": self.day,
            "parcels_listed": self.listed.parcels,
            "offices": self.listed.offices,
            "lists": self.folder,
            "gaps": [gap.as_dict() for gap in self.gaps],
        }


def select(store: Path, *, day: date, settings: Settings, progress: Progress) -> SelectReport:
    """Lists of a scored day, from its stored scores, by the capacity of `settings`.

    Raises UsageError where the day was not scored, DataError where its lines changed since.
    """
    opened = Store.open(store)
    scoring = settings.pipeline.scoring
    with opened.lock("select"), Crew(scoring.threads) as crew:
        files = opened.declaration_files(day)
        scores, values = scored_folders(opened, day)
        troubles = Troubles()
        if day in incomplete_days(opened):
            raise StoreError(
                f"{day} was left incomplete: score it again with `parcel-risk score --date {day}`; "
                "lists are made anew from whole days only"
            )
        buckets = require_whole(opened, day)
        check_unchanged(files, scores, day)
        manifest = ManifestBuilder("select")
        limits = Limits(scoring.tries, scoring.bucket_timeout_seconds)
        night = Night(scoring.workers, scoring.threads, None, progress, limits, crew)
        chronicle = Chronicle(opened, settings)
        in_use, _ = models_in_use(opened, settings)
        with manifest.step("history"):
            eve = close_days_before(chronicle, day, night)
            task = day_task(chronicle, day, eve, in_use, buckets)
            open_history(chronicle, task, night, troubles)
        sums = kept_sums(chronicle, day, eve, buckets)
        with manifest.step("sums of the day"):
            if not bring_sums(task, sums):
                sum_day(task, buckets, night, troubles)
                if troubles.gaps:
                    raise StoreError(f"{day}: lists are made from whole days only; {troubles.gaps[0]}")
                fold_day(chronicle, task, files, night, troubles, close=False)
        with opened.transaction() as t:
            with manifest.step("lists"):
                listed = stage_lists(
                    t, task, files, scores, values, capacity=settings.capacity, overrides={},
                    night=night, troubles=troubles,
                )  # fmt: skip
            rows = sum(row_count(file) for file in files)
            manifest.add_rows(rows_in=rows, kept=rows, scored=rows)
            manifest.further.update(
                parcels_listed=listed.parcels,
                parcels_by_selection=listed.by_selection,
                strata=listed.strata,
                capacity=settings.capacity.model_dump(mode="json"),
                **troubles.as_dict(),
            )
            opened.write_manifest(t, "select", day, manifest.as_dict())
        keep_sums(task, sums)
        shutil.rmtree(task.work.path, ignore_errors=True)
    return SelectReport(day, listed, opened.layout.partition(DayTable.LISTS, day), tuple(troubles.gaps))


def scored_folders(opened: Store, day: date) -> tuple[Path, Path]:
    """The folders with scores and values of a scored day; UsageError where it was not scored."""
    scores, values = (opened.layout.partition(table, day) for table in (DayTable.SCORES, DayTable.VALUES))
    if not scores.is_dir():
        scored = ", ".join(str(known) for known in opened.days(DayTable.SCORES)[-5:]) or "none"
        raise UsageError(
            f"expected scores of {day} in {opened.path}, found none; the newest scored days are: "
            f"{scored}. Score it with `parcel-risk score --date {day}`."
        )
    return scores, values


def check_unchanged(files: list[Path], scores: Path, day: date) -> None:
    """Raises DataError unless every bucket has the scores of exactly its lines."""
    for file in files:
        stored = scores / file.name
        key = list(LINE_KEY)
        same = stored.exists() and pl.read_parquet(
            file, columns=key, glob=False, hive_partitioning=False
        ).equals(pl.read_parquet(stored, columns=key, glob=False, hive_partitioning=False))
        if not same:
            raise DataError(
                f"the declarations of {day} have changed since they were scored ({file.name}): "
                f"score the day again with `parcel-risk score --date {day}`, then select"
            )
