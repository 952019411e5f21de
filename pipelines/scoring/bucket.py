"""The two functions that the nightly job maps over the buckets of a day, in any process.

`sum_bucket` adds up the lines of a bucket by key. When `pipelines.scoring.fold_tables` has added up the
buckets, `score_bucket` computes features with the history of the eve and the sums of the day, and writes
probabilities and values. Data is named by paths and settings travel in the task, so that the same task runs
in this process, in another one or on another machine.

Lines are prepared in both, and those of listed parcels once more for their reasons: the sums of all buckets
have to be known before the first is scored. Prepared lines are not kept until then: they take 800 bytes each,
and preparing them again 4 microseconds, 2% of a night.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

import polars as pl

from configs.reference.facts import ReferenceDay
from configs.schema.settings import Settings
from features.assemble import FeatureSet, assemble
from features.history.keys import KeySpec
from features.history.state import History
from features.history.view import DayContext
from features.prepare import prepare_lines
from pipelines.history.checked import with_checked
from pipelines.history.chronicle import Chronicle
from pipelines.history.day_sums import load_today, save_sums
from pipelines.history.mapped import mapped_history
from pipelines.scoring.line_scores import Scored, scored
from pipelines.store.buckets import lines_added_later
from pipelines.store.day_work import DayWork
from pipelines.store.files import row_count, unfinished, write_table
from pipelines.store.store import Store


@dataclass(frozen=True)
class DayTask:
    """What all tasks of a day share.

    Attributes:
        run: names all that the scores depend on, and the working folder by it.
        store: folder of the store.
        settings: the configuration, as the command line may have changed it. All sections but those of
            training and monitoring are needed; reference tables and catalogues are read from its `overlay`.
        day: the day to score.
        eve: folder of the stored history of the eve.
        unpacked: folder of the same history, unpacked for look-ups.
        work: its working folder.
        champions: pairs of a risk's name and the folder of its model.
    """

    run: str
    store: Path
    settings: Settings = field(hash=False)
    day: date
    eve: Path
    unpacked: Path
    work: DayWork = field(compare=False)
    champions: tuple[tuple[str, Path], ...]


@dataclass(frozen=True)
class BucketTask:
    """One bucket file of a day."""

    of: DayTask
    file: Path


@dataclass
class Workspace:
    """What a process that works on tasks reads once for all buckets of a day.

    `compiled` is set once it has scored a line.
    """

    task: DayTask
    compiled: bool = False

    @property
    def settings(self) -> Settings:
        """The configuration."""
        return self.task.settings

    @cached_property
    def chronicle(self) -> Chronicle:
        """The store under that configuration."""
        return Chronicle(Store(self.task.store), self.settings)

    @cached_property
    def reference(self) -> ReferenceDay:
        """The reference tables of the day."""
        return self.chronicle.reference.on(self.task.day)

    @cached_property
    def eve(self) -> History:
        """The history at the close of the eve, over the unpacked files."""
        return mapped_history(self.task.eve, self.task.unpacked, self.chronicle.spec)

    def context(self, file: Path, keys: Sequence[KeySpec] | None = None) -> DayContext:
        """All that a line of a bucket may look up, or of the day only the sums of some keys."""
        today = load_today(self.task.work, file, self.chronicle.spec.keys if keys is None else keys)
        return DayContext(self.task.day, self.eve, today, self.settings.pipeline.features)

    def lines(self, file: Path, of: pl.DataFrame | None = None) -> pl.DataFrame:
        """The prepared lines of a bucket: all, or those of the parcels whose `declaration_id` is in `of`."""
        lines = self.chronicle.store.read_declaration_files([file])
        if of is not None:
            lines = lines.join(of, on="declaration_id", how="semi", maintain_order="left")
        return self._prepared(lines)

    def added_later(self, file: Path) -> pl.DataFrame:
        """The prepared lines of a bucket that the day did not know at its close."""
        store = self.chronicle.store
        columns = list(store.declaration_schema())
        return self._prepared(lines_added_later(store.layout, file, store.stored_schema(), columns))

    def _prepared(self, lines: pl.DataFrame) -> pl.DataFrame:
        lines = with_checked(self.chronicle.store.layout, self.task.day, lines)
        return prepare_lines(lines, self.reference, self.settings.pipeline.features)

    def features(self, lines: pl.DataFrame, file: Path) -> FeatureSet:
        """Features of prepared lines of a bucket, for the risks that have a champion."""
        risks = [self.settings.risks[name] for name, _ in self.task.champions]
        return assemble(lines, self.context(file), self.reference, risks)

    def scored(self, lines: pl.DataFrame, file: Path) -> Scored:
        """Scores and values of prepared lines of a bucket."""
        return scored(lines, self.features(lines, file), self.settings.risks, self.task.champions)


@lru_cache(maxsize=1)
def workspace(task: DayTask) -> Workspace:
    """The workspace of a day, kept by the process while it works on that day's tasks."""
    return Workspace(task)


def sum_bucket(task: BucketTask) -> None:
    """Writes the sums by key of one bucket's lines; a bucket whose sums are there is not added up again."""
    folder = task.of.work.sums(task.file)
    if not folder.exists():
        space = workspace(task.of)
        save_sums(folder, space.chronicle.tables(space.lines(task.file), task.of.day, space.eve))


def score_bucket(task: BucketTask) -> int:
    """Writes the scores and values of one bucket and returns its number of lines.

    They go to `scores/<bucket>` and `values/<bucket>` in the working folder, with the columns of
    `pipelines.scoring.line_scores.Scored`. A bucket whose two files are there is not computed again. Lines
    that came with changes after the close of the day have scores in `added/<bucket>`, and no place on lists.
    """
    scores, values = task.of.work.scores(task.file), task.of.work.values(task.file)
    if not (scores.exists() and values.exists()):
        space = workspace(task.of)
        lines = space.lines(task.file)
        if not space.compiled:
            # A fresh installation compiles its functions now, with one line in memory: beside the features of
            # a whole bucket that took a gigabyte more in every process.
            space.scored(lines.head(1), task.file)
            space.compiled = True
        added = space.added_later(task.file)
        if added.height:
            _write(space.scored(added, task.file).scores, task.of.work.added(task.file))
        tables = space.scored(lines, task.file)
        _write(tables.scores, scores)
        _write(tables.values, values)
    return row_count(scores)


def _write(frame: pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = unfinished(path)
    try:
        write_table(frame, beside)
    except BaseException:
        # Half a file would take room that a full disk does not have.
        beside.unlink(missing_ok=True)
        raise
    beside.replace(path)
