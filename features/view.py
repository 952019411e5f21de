"""The history as a frame of lines sees it on its day: what every feature block is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import polars as pl

from configs.schema import PipelineConfig
from features.day_tables import DayTables
from features.history import History, forward_weight
from features.keys import KeySpec, key_column, key_specs
from features.peers import look_up_peers

_BITS = 64.0
PRIOR = 0.01


@dataclass(frozen=True)
class DayContext:
    """Everything a line of `day` may look up: the history of the eve and the sums of the whole day."""

    day: date
    history: History
    today: DayTables
    config: PipelineConfig


@dataclass(frozen=True)
class HistoryView:
    """Look-ups of a `DayContext`, aligned with `lines`, a prepared and keyed frame of that day.

    `label` is the label of the risk for which the block is built; None where the block does not depend on
    one.
    """

    lines: pl.DataFrame
    context: DayContext
    label: str | None = None
    _cache: dict[str, dict[str, pl.DataFrame]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def day(self) -> date:
        """The day of the lines."""
        return self.context.day

    @cached_property
    def specs(self) -> tuple[KeySpec, ...]:
        """The keys that the history counts by."""
        return key_specs(self.context.config.history)

    def for_label(self, label: str) -> HistoryView:
        """The same view for the blocks that depend on a label."""
        return replace(self, label=label)

    def before(self, key: str) -> pl.DataFrame:
        """The history table of `key` at the close of the eve, a row a line; zero counts for a key never seen,
        null where the line has no such key."""
        return self._look_up("before", key, self.context.history.tables)

    def today(self, key: str) -> pl.DataFrame:
        """The sums of `key`, a party or a pair with `same_day`, over the whole day, a row a line."""
        return self._look_up("today", key, self.context.today.parties)

    def decayed(self, key: str, column: str, half_life_days: float) -> pl.Series:
        """A forward-decayed sum of `before(key)`, as it counts on the day of the lines."""
        return self.before(key)[column] / forward_weight(
            self.day, self.context.config.history.landmark, half_life_days
        )

    def peers(self, measure: str, *, goods: bool = False) -> pl.DataFrame:
        """`peers`, `median`, `sigma`, `level` (0 = the longest) of the most specific level with enough peers,
        a row a line; null where no level has enough. `measure` is one of `features.peers.MEASURES`; `goods`
        asks the levels of what the declaration calls the goods, whatever heading it claims.

        Raises KeyError for another measure.
        """
        config = self.context.config.peers
        levels = config.goods_levels if goods else config.levels
        peers = self.context.history.peers(self.day, self.context.config)
        return look_up_peers(self.lines, peers, measure, [level.name for level in levels])

    def _look_up(self, kind: str, key: str, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        if kind not in self._cache:
            specs = [spec for spec in self.specs if kind == "before" or spec.party or spec.same_day]
            plans = [self._joined(spec.name, tables[spec.name]) for spec in specs]
            self._cache[kind] = dict(zip((spec.name for spec in specs), pl.collect_all(plans), strict=True))
        return self._cache[kind][key]

    def _joined(self, key: str, table: pl.DataFrame) -> pl.LazyFrame:
        keys = self.lines.lazy().select(pl.col(key_column(key)).alias("key"))
        counts = [name for name, dtype in table.schema.items() if name != "key" and dtype.is_numeric()]
        return keys.join(table.lazy(), on="key", how="left", maintain_order="left").with_columns(
            pl.when(pl.col("key").is_not_null()).then(pl.col(counts).fill_null(0))
        )


def distinct(bitmap: pl.Series) -> pl.Series:
    """The number of distinct values behind a 64-bit bitmap, by linear counting; null where the bitmap is
    null.

    >>> distinct(pl.Series([0, 0b101, None], dtype=pl.UInt64)).round(2).to_list()
    [0.0, 2.03, None]
    """
    ones = bitmap.bitwise_count_ones().cast(pl.Float64)
    zeros = (_BITS - ones).clip(1.0)
    return (_BITS * (_BITS / zeros).log()).alias(bitmap.name)


def share_of(part: pl.Series, whole: pl.Series) -> pl.Series:
    """part / whole a row, null where the whole is not above zero.

    >>> share_of(pl.Series([1.0, 1.0]), pl.Series([4, 0])).to_list()
    [0.25, None]
    """
    return pl.select(pl.when(whole > 0).then(part / whole)).to_series()


def days_since(day: date, dates: pl.Series) -> pl.Series:
    """Whole days from each date to `day`, as Float64."""
    return (pl.select(pl.lit(day) - dates).to_series().dt.total_days()).cast(pl.Float64).alias(dates.name)


def hit_rates(view: HistoryView, label: str) -> pl.DataFrame:
    """Per key of the history its hit rate for `label`, lines inspected and findings: columns `<key>_rate`,
    `<key>_inspected`, `<key>_findings`, a row a line.

    The rate is decayed, and smoothed towards that of the shorter key: (findings + a x rate of the back-off) /
    (inspected + a), with a from the configuration (empirical Bayes with a fixed prior weight; Micci-Barreca,
    SIGKDD Explorations 3(1), 2001). It is null where nothing with the key was inspected, and the rate of all
    lines is no column: what is the same for every line of a day tells a model the date and nothing else.
    """
    config = view.context.config
    weight_now = forward_weight(view.day, config.history.landmark, config.history.result_half_life_days)
    counts = [
        f"{kind}__{label}" for kind in ("inspected", "findings", "inspected_decayed", "findings_decayed")
    ]
    frame = pl.concat(
        [view.before(spec.name).select(pl.col(counts).name.prefix(f"{spec.name}:")) for spec in view.specs],
        how="horizontal",
    )
    frame = frame.with_columns(pl.lit(PRIOR).alias("_rate"))
    done: set[str | None] = {None}
    waiting = list(view.specs)
    while waiting:
        ready = [spec for spec in waiting if spec.backoff in done]
        frame = frame.with_columns(
            _smoothed(spec, label, weight_now, config.hit_rates.smoothing) for spec in ready
        )
        done |= {spec.name for spec in ready}
        waiting = [spec for spec in waiting if spec not in ready]
    return frame.select(
        expression
        for spec in view.specs
        if spec.columns
        for expression in (
            pl.when(pl.col(f"{spec.name}:inspected__{label}") > 0).then(f"{spec.name}_rate"),
            pl.col(f"{spec.name}:inspected__{label}").cast(pl.Float64).alias(f"{spec.name}_inspected"),
            pl.col(f"{spec.name}:findings__{label}").cast(pl.Float64).alias(f"{spec.name}_findings"),
        )
    )


def _smoothed(spec: KeySpec, label: str, weight_now: float, smoothing: float) -> pl.Expr:
    inspected, findings = (
        pl.col(f"{spec.name}:{kind}_decayed__{label}") / weight_now for kind in ("inspected", "findings")
    )
    prior = pl.col(f"{spec.backoff or ''}_rate")
    return (
        ((findings + prior * smoothing) / (inspected + smoothing)).fill_null(prior).alias(f"{spec.name}_rate")
    )
