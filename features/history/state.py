"""The state of the history: one table per key (`features/history/keys.py`) plus price sketches.

Decayed sums use forward decay: what happened on day t is added with the weight 2^((t - landmark) /
half-life), and a reader divides by the weight of its own day. A row is never rescaled, so an update is one
addition and the bits of a sum do not depend on how many quiet days lay between. Source: Cormode, Shkapenyuk,
Srivastava, Xu, "Forward Decay: A Practical Time Decay Model for Streaming Systems", ICDE 2009.

Distinct counts are 64-bit bitmaps (linear counting; Whang, Vander-Zanden, Taylor, ACM TODS 15(2), 1990):
merging is a bitwise or, so order and repetition change nothing. They saturate near 250.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from configs.schema.pipeline import FeaturesConfig, HistoryConfig
from features.arrays.key_index import Indexes, Rows, rows_of_keys
from features.arrays.types import UInt64Array
from features.history.keys import KeySpec, key_specs
from features.history.peers import PRICE_SCHEMA, PeerSketches
from features.history.prior_strength import RateMoments, sampled, strengths


@dataclass(frozen=True)
class History:
    """What is known at the close of `as_of`; `None` before the first day.

    `tables`: one frame per key name with a unique UInt64 `key`. `prices`: one frame per measure and level.
    Stored ones are sorted by key, which look-ups make use of. `lineage` names the files it was folded from,
    where the caller keeps track of them.
    """

    as_of: date | None
    labels: tuple[str, ...]
    lineage: str = ""
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    prices: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    indexes: Indexes = field(default_factory=Indexes, init=False, repr=False, compare=False)
    _moments: dict[tuple[str, str], RateMoments] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def strengths(self, label: str, config: FeaturesConfig) -> dict[str, float]:
        """By key, how many inspections the hit rate of the shorter key weighs as much as for a label."""
        specs = key_specs(config.history)
        learned = {spec.name: self._moments_of(spec.name, label) for spec in specs}
        return strengths(specs, learned, config.hit_rates)

    def _moments_of(self, key: str, label: str) -> RateMoments:
        if (key, label) not in self._moments:
            table = self.tables[key]
            rows = sampled(table["key"].to_numpy())
            parts = (table[f"{kind}__{label}"][rows] for kind in ("inspected", "findings"))
            counts = ((part.fill_null(0) if part.null_count() else part).to_numpy() for part in parts)
            self._moments[key, label] = RateMoments.of(*counts)
        return self._moments[key, label]

    def rows_of(self, key: str, wanted: UInt64Array) -> Rows:
        """The row of the table of `key` for each hash (lines,); NOT_FOUND, and NO_KEY for 0."""
        return rows_of_keys(self.indexes, key, self.tables[key], wanted)

    def peers(self, day: date, config: FeaturesConfig) -> PeerSketches:
        """The sketches of prices and weights as they count on `day`."""
        weight = forward_weight(day, config.history.landmark, config.history.price_half_life_days)
        return PeerSketches(self.prices, weight, config.peers.fewest_by_level, self.indexes)

    @classmethod
    def empty(cls, config: HistoryConfig, labels: Sequence[str], price_levels: Sequence[str]) -> History:
        """The history before the first day: every table there, no rows."""
        ordered = tuple(sorted(labels))
        tables = {
            spec.name: pl.DataFrame(schema=table_schema(spec, config, ordered)) for spec in key_specs(config)
        }
        return cls(
            None, ordered, "", tables, {name: pl.DataFrame(schema=PRICE_SCHEMA) for name in price_levels}
        )


def forward_weight(day: date, landmark: date, half_life_days: float) -> float:
    """The weight of what happens on `day`.

    >>> forward_weight(date(2020, 3, 1), date(2020, 1, 1), 60)
    2.0
    """
    return float(2.0 ** ((day - landmark).days / half_life_days))


def table_schema(spec: KeySpec, config: HistoryConfig, labels: Sequence[str]) -> dict[str, pl.DataType]:
    """Column names and types of the history table of one key."""
    schema: dict[str, pl.DataType] = {
        "key": pl.UInt64(),
        "first_day": pl.Date(),
        "last_day": pl.Date(),
        "lines": pl.Int64(),
    }
    if spec.party:
        for half_life in config.activity_half_lives_days:
            schema[f"lines_{half_life:g}d"] = pl.Float64()
            schema[f"value_fen_{half_life:g}d"] = pl.Float64()
        schema |= {
            "value_fen": pl.Int64(),
            "year": pl.Int32(),
            "year_fen": pl.Int64(),
            "headings": pl.UInt64(),
            "sellers": pl.UInt64(),
            "buyers": pl.UInt64(),
            "first_timers": pl.Int64(),
            "priced_decayed": pl.Float64(),
            "price_milli_decayed": pl.Float64(),
        }
    for label in labels:
        schema |= {
            f"inspected__{label}": pl.Int64(),
            f"findings__{label}": pl.Int64(),
            f"inspected_decayed__{label}": pl.Float64(),
            f"findings_decayed__{label}": pl.Float64(),
        }
    return schema
