"""What `monitor` compares: the features of a day and of some days before it, and who was new on each day.

The history is taken from disk where it was kept and folded forward once, through every day up to the one that
is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from configs.schema.monitoring import MonitoringConfig
from configs.schema.risk import RiskConfig
from features.arrays.hashing import hash_text
from features.assemble import FeatureSet, assemble
from features.history.day_tables import DayTables
from features.history.keys import key_column
from features.history.state import History
from features.history.view import DayContext
from models.estimates.parcel_table import UNASSIGNED
from models.watch.column_shifts import Sampled
from pipelines.history.chronicle import Chronicle
from pipelines.history.profiles import load_profile, usable_profile
from pipelines.store.day_table import DayTable
from pipelines.work.progress import Progress

NEWCOMERS = {
    "seller": "sellers",
    "buyer": "buyers",
    "address": "addresses",
    "hs6": "headings",
    "item_key": "item names",
}
"""Keys of the history that `monitor` looks for newcomers in, and what people call them."""

_PARTS = 1_000_000


@dataclass(frozen=True)
class DaySample:
    """Sampled lines of a day: their office, and their features by block; `lines` counts the whole day.

    A block that depends on the label stands once a label, as `block (label)`.
    """

    day: date
    lines: int
    sampled: Sampled


@dataclass(frozen=True)
class WatchedDays:
    """The day, the days it is compared with, and by day and key of `NEWCOMERS` how many `lines` had the key
    and for how many of them (`new`) it had never been seen.
    """

    today: DaySample
    before: Sequence[DaySample]
    newcomers: pl.DataFrame


def reference_days(days: Sequence[date], day: date, config: MonitoringConfig) -> list[date]:
    """The days of the weeks before `day` whose features it is compared with, oldest first.

    Days of the same weekday come first, because weekdays differ; the others are spread evenly.

    >>> days = [date(2026, 11, 1) + timedelta(days=number) for number in range(20)]
    >>> config = MonitoringConfig(weeks=2, reference_days=3)
    >>> [str(day) for day in reference_days(days, date(2026, 11, 20), config)]
    ['2026-11-06', '2026-11-13', '2026-11-14']
    """
    first = day - timedelta(weeks=config.weeks)
    window = [known for known in days if first <= known < day]
    chosen = [known for known in window if known.weekday() == day.weekday()][-config.reference_days :]
    rest = [known for known in window if known not in chosen]
    lacking = min(config.reference_days - len(chosen), len(rest))
    chosen += [rest[(2 * place + 1) * len(rest) // (2 * lacking)] for place in range(lacking)]
    return sorted(chosen)


def watched_days(
    chronicle: Chronicle, day: date, before: Sequence[date], risks: Sequence[RiskConfig], progress: Progress
) -> WatchedDays:
    """Return the features of sampled lines of `day` and of the days `before` it, which must be in order."""
    walk = _Walk(chronicle, risks)
    with progress.task("days compared", total=len(before) + 1) as task:
        samples = []
        for wanted in (*before, day):
            samples.append(walk.to(wanted))
            task.advance()
    return WatchedDays(samples[-1], samples[:-1], walk.newcomers())


@dataclass
class _Walk:
    """Goes forward through the days; holds the history of the eve of the day it stands before."""

    chronicle: Chronicle
    risks: Sequence[RiskConfig]
    history: History | None = None
    counted: list[tuple[date, str, int, int]] = field(default_factory=list)

    def to(self, day: date) -> DaySample:
        """Fold the days up to the eve of `day`, take its sample, and fold it too."""
        history = self._start(day)
        for past in self.chronicle.days(history.as_of, day - timedelta(days=1)):
            lines = self.chronicle.prepared(past)
            history = self._folded(history, past, lines, self.chronicle.tables(lines, past, history))
        lines = self.chronicle.prepared(day)
        today = self.chronicle.tables(lines, day, history)
        sample = self._sample(history, day, lines, today)
        self.history = self._folded(history, day, lines, today)
        return sample

    def newcomers(self) -> pl.DataFrame:
        """By day and key: lines that have the key, and lines whose key was never seen before the day."""
        schema = {"day": pl.Date, "key": pl.String, "lines": pl.Int64, "new": pl.Int64}
        return pl.DataFrame(self.counted, schema=schema, orient="row")

    def _start(self, day: date) -> History:
        """The history so far, or a stored one that is nearer to the eve of `day`."""
        stored = usable_profile(self.chronicle.store, day, self.chronicle.spec)
        if self.history is None:
            return self.chronicle.stored_history(day)
        if stored is not None and self.history.as_of is not None and stored > self.history.as_of:
            folder = self.chronicle.store.layout.partition(DayTable.PROFILES, stored)
            return load_profile(folder, self.chronicle.spec)
        return self.history

    def _folded(self, history: History, day: date, lines: pl.DataFrame, today: DayTables) -> History:
        for key in NEWCOMERS:
            column = key_column(key)
            if column in lines.columns and lines.height:
                known = history.tables[key].select(pl.col("key").alias(column))
                named = lines.select(column).drop_nulls()
                new = named.join(known, on=column, how="anti").height
                self.counted.append((day, key, named.height, new))
        return self.chronicle.step(history, day, today, self.chronicle.results(day))

    def _sample(self, history: History, day: date, lines: pl.DataFrame, today: DayTables) -> DaySample:
        settings = self.chronicle.settings
        wanted = settings.pipeline.monitoring.sample_lines
        drawn = sampled_parcels(lines, wanted)
        context = DayContext(day, history, today, settings.pipeline.features)
        built = assemble(drawn, context, self.chronicle.reference.on(day), self.risks)
        offices = drawn["customs_office"].fill_null(UNASSIGNED)
        return DaySample(day, lines.height, Sampled(offices, _blocks(built)))


def sampled_parcels(lines: pl.DataFrame, wanted: int) -> pl.DataFrame:
    """The lines of whole parcels, about `wanted` lines; of two tables of a day the same parcels."""
    share = min(1.0, wanted / max(lines.height, 1))
    return lines.filter(hash_text(lines["declaration_id"]) % _PARTS < share * _PARTS)


def _blocks(built: FeatureSet) -> dict[str, pl.DataFrame]:
    named = dict(built.shared)
    for label, blocks in built.by_label.items():
        named |= {f"{name} ({label})": frame for name, frame in blocks.items()}
    return {name: frame for name, frame in named.items() if frame.width}
