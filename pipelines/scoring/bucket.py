"""The two functions that the nightly job maps over the buckets of a day, in any process.

`sum_bucket` adds up the lines of a bucket by key. When `pipelines/scoring/fold_day.py` has added up the
buckets, `score_bucket` computes features with the history of the eve and the sums of the day, and writes
probabilities and values. What they need is named by paths, so that the same task runs in this process, in
another one or on another machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

import polars as pl

from configs.loader import load_settings
from configs.reference.facts import ReferenceDay
from configs.schema.capacity import Spoken
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from features.arrays.hashing import text_hashes
from features.arrays.types import FloatArray
from features.assemble import FeatureSet, assemble, prepare_lines
from features.contract.declarations import LINE_KEY
from features.history.state import History
from features.history.view import DayContext
from features.novelty import novelty
from models.risk.risk_model import RiskModel
from models.text.score import text_scores
from pipelines.history.chronicle import Chronicle
from pipelines.history.day_sums import load_today, save_sums
from pipelines.history.mapped import mapped_history
from pipelines.store.day_work import DayWork
from pipelines.store.files import row_count, unfinished, write_table
from pipelines.store.store import Store

NOVELTY, GOODS = "_novelty", "_goods"
"""Columns beside the values of a line: how little like it was inspected, a hash of the goods' name."""


@dataclass(frozen=True)
class DayTask:
    """A day to score: where its store, its history of the eve, stored and laid open, and its working files
    are, and with which models.

    `champions` are pairs of a risk's name and its model's folder. `run` names all that the results depend on,
    so that a process that lives on does not mistake another run's day for this one. Each process reads the
    settings from the folder `overlay`; `spoken` are the languages, which the command line may have changed.
    """

    run: str
    store: Path
    overlay: Path | None
    spoken: Spoken
    day: date
    eve: Path
    opened: Path
    work: DayWork
    champions: tuple[tuple[str, Path], ...]

    def bucket(self, file: Path) -> BucketTask:
        """The task of one bucket file."""
        return BucketTask(self, file)


@dataclass(frozen=True)
class BucketTask:
    """One bucket file of a day."""

    of: DayTask
    file: Path


@dataclass
class Workspace:
    """What a process reads once for all buckets of a day; `compiled` once it has scored a line."""

    task: DayTask
    compiled: bool = False

    @cached_property
    def settings(self) -> Settings:
        """The configuration."""
        settings = load_settings(self.task.overlay)
        capacity = settings.capacity.speaking(self.task.spoken)
        return settings.model_copy(update={"capacity": capacity})

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
        """The history at the close of the eve, laid open before."""
        return mapped_history(self.task.eve, self.task.opened, self.settings)

    def context(self, file: Path) -> DayContext:
        """All that a line of a bucket may look up."""
        today = load_today(self.task.work, file, self.chronicle.specs)
        return DayContext(self.task.day, self.eve, today, self.settings.pipeline)

    def lines(self, file: Path, of: pl.DataFrame | None = None) -> pl.DataFrame:
        """The prepared lines of a bucket: all, or those of whole parcels that have a `declaration_id` in
        `of`."""
        lines = self.chronicle.store.read_declaration_files([file])
        if of is not None:
            lines = lines.join(of, on="declaration_id", how="semi", maintain_order="left")
        return prepare_lines(lines, self.reference, self.settings.pipeline)

    def features(self, lines: pl.DataFrame, file: Path) -> FeatureSet:
        """Features of prepared lines of a bucket, for the risks that have a champion."""
        risks = [self.settings.risks[name] for name, _ in self.task.champions]
        return assemble(lines, self.context(file), self.reference, risks)

    def scored(self, lines: pl.DataFrame, file: Path) -> Scored:
        """Scores and values of prepared lines of a bucket."""
        return scored(lines, self.features(lines, file), self.settings, self.task.champions)


@lru_cache(maxsize=1)
def workspace(task: DayTask) -> Workspace:
    """The workspace of a day, kept by the process while it works on that day."""
    return Workspace(task)


def sum_bucket(task: BucketTask) -> None:
    """Writes the sums by key of one bucket's lines; a bucket whose sums are there is not added up again."""
    folder = task.of.work.sums(task.file)
    if not folder.exists():
        space = workspace(task.of)
        save_sums(folder, space.chronicle.tables(space.lines(task.file), task.of.day, space.eve))


def score_bucket(task: BucketTask) -> int:
    """Writes the scores and values of one bucket and returns its number of lines.

    `scores/<bucket>`: declaration_id, line_no, one Float64 column per configured risk, null where it has no
    champion. `values/<bucket>`: declaration_id, line_no, one Float64 column per configured risk: CNY that a
    finding is worth; and `NOVELTY` and `GOODS`. A bucket whose two files are there is not computed again.
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
        found = space.scored(lines, task.file)
        _write(found.scores, scores)
        _write(found.values, values)
    return row_count(scores)


@dataclass(frozen=True)
class Scored:
    """The tables `scores` and `values` of some lines, see `score_bucket`."""

    scores: pl.DataFrame
    values: pl.DataFrame


def scored(
    lines: pl.DataFrame, features: FeatureSet, settings: Settings, champions: Sequence[tuple[str, Path]]
) -> Scored:
    """The scores and values of prepared lines with these features; `champions` as in `DayTask`."""
    keys = lines.select(LINE_KEY)
    texts = scores_of_text(champions, lines)
    by_risk = {
        name: predict(dict(champions).get(name), features, risk, texts.get(name))
        for name, risk in settings.risks.items()
    }
    modelled = [settings.risks[name] for name, _ in champions]
    beside = [
        novelty((features.for_risk(risk) for risk in modelled), lines.height).alias(NOVELTY),
        pl.Series(GOODS, text_hashes(lines["_item_key"])).replace(0, None),
    ]
    worth = [value.alias(name) for name, (_, value) in by_risk.items()]
    return Scored(
        keys.with_columns(probability.alias(name) for name, (probability, _) in by_risk.items()),
        keys.with_columns(*worth, *beside),
    )


def scores_of_text(champions: Sequence[tuple[str, Path]], lines: pl.DataFrame) -> dict[str, FloatArray]:
    """What the text says of each line (lines,), by risk whose champion reads it; together, because reading
    costs more than scoring."""
    models = {risk: champion_model(folder).encoder.text for risk, folder in champions}
    reading = {risk: model for risk, model in models.items() if model is not None}
    return dict(zip(reading, text_scores(list(reading.values()), lines), strict=True))


def predict(
    champion: Path | None,
    features: FeatureSet,
    risk: RiskConfig,
    text_score: FloatArray | None = None,
) -> tuple[pl.Series, pl.Series]:
    """Probabilities and values of a finding in CNY; both null for a risk without a champion."""
    if champion is None:
        nothing = pl.Series(risk.name, [None], dtype=pl.Float64).new_from_index(0, features.lines.height)
        return nothing, nothing
    scores = champion_model(champion).score(features.for_risk(risk), text_score=text_score)
    return pl.Series(risk.name, scores.probability), pl.Series(risk.name, scores.value_cny)


@lru_cache(maxsize=16)
def champion_model(folder: Path) -> RiskModel:
    """The model of a folder, read once a process."""
    return RiskModel.load(folder)


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
