"""Price and weight of similar goods: histograms on a log scale, folded day by day, read as quantiles.

Exports are compared with exports and imports with imports: what a country sells abroad costs something else.

A sketch is a count per (key, bin of the natural logarithm); counts are integers, so merging is exact and
order does not matter. The quantiles are within half a bin (about 5%) of the true ones. Source of the idea:
Masson, Rim, Lee, "DDSketch", PVLDB 12(12), 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from features.arrays.distinct import distinct_keys, distinct_pairs
from features.arrays.group_sums import lines_of
from features.arrays.hashing import as_series, combined_hashes, mixed, text_hashes
from features.arrays.key_index import Indexes, KeyIndex, wanted_keys
from features.arrays.quantiles import BIN_WIDTH, quantiles_of, take_first
from features.arrays.types import BoolArray, FloatArray, UInt64Array
from features.history.keys import hashed_columns

PRICE_SCHEMA = {"key": pl.UInt64(), "bin": pl.Int16(), "count": pl.Int64(), "weight": pl.Float64()}
MEASURES = {"kg": "_log_cny_per_kg", "unit": "_log_unit_price_cny", "weight": "_log_kg_per_unit"}
_LIMIT = 30.0
_ABOVE_ANY_BIN = 1 << 15
_FARTHEST = 3.0
_OF_EXPORTS = np.uint64(0x9E3779B97F4A7C15)
# The least sigma that a deviation is measured in: peers may all have the same price.
MIN_SIGMA = 0.2
# Log ratios are added up as whole thousandths.
MILLI = 1000.0


def with_measures(
    prepared: pl.DataFrame,
    levels: Mapping[str, Sequence[str]],
    hashed: Mapping[str, UInt64Array] | None = None,
) -> pl.DataFrame:
    """Adds what the sketches need: per measure its natural logarithm (null where not positive and finite) and
    per measure and commodity level the hash of the level. Prices and weights per unit are kept apart by unit,
    all of them by `_is_export`. `hashed` are the hashes of columns that are known already.
    """
    quantity = pl.when(pl.col("quantity") > 0).then(pl.col("quantity"))
    measured = prepared.with_columns(
        _log(pl.col("_total_cny") / pl.col("_line_kg")).alias("_log_cny_per_kg"),
        _log(pl.col("_unit_price_cny")).alias("_log_unit_price_cny"),
        _log(pl.col("_line_kg") / quantity).alias("_log_kg_per_unit"),
    )
    parts = hashed_columns(prepared, [name for columns in levels.values() for name in columns], hashed)
    unit, is_export = text_hashes(prepared["unit"].fill_null("")), prepared["_is_export"].to_numpy()
    keys = []
    for level, columns in levels.items():
        hashes = [parts[name] for name in columns]
        keys += [
            as_series(name, _by_direction(combined_hashes(of), is_export))
            for name, of in (
                (peer_column("kg", level), hashes),
                (peer_column("unit", level), [*hashes, unit]),
            )
        ]
    return measured.with_columns(keys)


def _by_direction(keys: UInt64Array, is_export: BoolArray) -> UInt64Array:
    """The keys (lines,), those of exports changed; 0 stays 0."""
    if not is_export.any():
        return keys
    of_exports = np.maximum(mixed(keys ^ _OF_EXPORTS), np.uint64(1))
    return np.where(is_export & (keys != 0), of_exports, keys)


def peer_column(measure: str, level: str) -> str:
    """The column of a prepared frame with the hash of a commodity level for a measure."""
    return f"_peers_{'kg' if measure == 'kg' else 'unit'}_{level}"


def sketch_names(levels: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of all sketches: one per measure and commodity level."""
    return [f"{measure}-{level}" for measure in MEASURES for level in levels]


def count_prices(lines: pl.DataFrame, levels: Mapping[str, Sequence[str]]) -> dict[str, pl.DataFrame]:
    """Counts of the day's lines by sketch, key and bin."""
    counts = {}
    for measure in MEASURES:
        bins = lines.select(price_bins(measure)).to_series()
        shifted = (bins.cast(pl.Int64) + _ABOVE_ANY_BIN).fill_null(0).cast(pl.UInt64).to_numpy()
        for level in levels:
            keys = wanted_keys(lines[peer_column(measure, level)])
            groups = distinct_pairs(keys, shifted)
            counts[f"{measure}-{level}"] = pl.DataFrame(
                {"key": keys[groups.firsts], "bin": bins.gather(groups.firsts), "count": lines_of(groups)}
            )
    return counts


def price_bins(measure: str) -> pl.Expr:
    """The bin of each line of a measured frame, by the name of a measure; null where it has none."""
    return (pl.col(MEASURES[measure]) / BIN_WIDTH).floor().cast(pl.Int16)


def add_prices(before: pl.LazyFrame, day: pl.DataFrame, weight: float) -> pl.LazyFrame:
    """One sketch, or some of its keys, with the counts of a day whose lines have the weight `weight`."""
    counted = day.lazy().with_columns((pl.col("count") * weight).alias("weight")).select(*PRICE_SCHEMA)
    return (
        pl.concat([before, counted]).group_by("key", "bin").agg(pl.col("count").sum(), pl.col("weight").sum())
    )


@dataclass(frozen=True)
class PeerSketches:
    """The sketches as they count on a day: its forward-decay weight, and by level how many peers suffice."""

    sketches: Mapping[str, pl.DataFrame]
    weight_now: float
    fewest: Mapping[str, int]
    indexes: Indexes = field(default_factory=Indexes, repr=False, compare=False)


def look_up_peers(
    lines: pl.DataFrame, peers: PeerSketches, measure: str, levels: Sequence[str]
) -> pl.DataFrame:
    """`peers`, `median`, `sigma`, `level` (0 = the first) of the first of `levels` with enough peers, a row a
    line; null where no level has enough. `measure` is one of `MEASURES`.

    `peers` are lines ever, `sigma` is the interquartile range / 1.349. Median and sigma are on the log scale,
    interpolated within a bin. Only the keys of `lines` are read from the sketches: these hold every name that
    was ever declared.

    Raises:
        KeyError: there is no such measure.
    """
    MEASURES[measure]
    figures = np.full((4, lines.height), np.nan)
    for position, level in enumerate(levels):
        keys = wanted_keys(lines[peer_column(measure, level)])
        same = distinct_keys(keys)
        quantiles = _quantiles(peers, f"{measure}-{level}", keys[same.firsts], peers.fewest[level])
        take_first(quantiles, same.groups, float(position), figures)
    return pl.DataFrame(
        [
            pl.Series(name, values, nan_to_null=True)
            for name, values in zip(("peers", "median", "sigma", "level"), figures, strict=True)
        ]
    )


def _quantiles(peers: PeerSketches, name: str, keys: UInt64Array, fewest: int) -> FloatArray:
    """Peers, median and sigma (3, keys) of distinct keys; NaN where fewer than `fewest` decayed lines are."""
    sketch = peers.sketches[name]
    # A median is found by adding up from the lowest bin.
    index = peers.indexes.of(f"price {name}", sketch, then_by="bin")
    if index is None:
        sketch = sketch.filter(pl.col("key").is_in(pl.Series(keys).implode())).sort("key", "bin")
        index = KeyIndex.of(sketch["key"].to_numpy())
    bins, counts, weights = (sketch[column].to_numpy() for column in ("bin", "count", "weight"))
    least = fewest * peers.weight_now
    quantiles: FloatArray = quantiles_of(index.places(keys), index.keys, bins, counts, weights, least)
    return quantiles


def price_levels_of(lines: pl.DataFrame, peers: PeerSketches, levels: Sequence[str]) -> pl.Series:
    """Thousandths of the log of unit price over that of its peers, Int64 a line; null without peers.

    Whole numbers, so that sums do not depend on the order of lines; at most three in either direction, so
    that one wrong unit does not drown a party's other lines.
    """
    median = look_up_peers(lines, peers, "unit", levels)["median"]
    deviation = (lines["_log_unit_price_cny"] - median).clip(-_FARTHEST, _FARTHEST)
    return (deviation * MILLI).round(0).cast(pl.Int64).alias("_price_milli")


def _log(positive: pl.Expr) -> pl.Expr:
    logarithm = positive.log()
    return pl.when((positive > 0) & logarithm.is_finite() & (logarithm.abs() < _LIMIT)).then(logarithm)
