"""Price and weight of similar goods: histograms on a log scale, folded day by day, read as quantiles.

A sketch is a count per (key, bin of the natural logarithm); counts are integers, so merging is exact and
order does not matter. The quantiles are within half a bin (about 5%) of the true ones. Source of the idea:
Masson, Rim, Lee, "DDSketch", PVLDB 12(12), 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from features.hashing import as_series, combined_hashes, text_hashes
from features.keys import hashed_column

BIN_WIDTH = 0.1
PRICE_SCHEMA = {"key": pl.UInt64(), "bin": pl.Int16(), "count": pl.Int64(), "weight": pl.Float64()}
MEASURES = {"kg": "_log_cny_per_kg", "unit": "_log_unit_price_cny", "weight": "_log_kg_per_unit"}
_LIMIT = 30.0
_IQR_TO_SIGMA = 1.349
_FARTHEST = 3.0
# Log ratios are added up as whole thousandths.
MILLI = 1000.0


def with_measures(prepared: pl.DataFrame, levels: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Adds what the sketches need: per measure its natural logarithm (null where not positive and finite) and
    per measure and commodity level the hash of the level. Prices and weights per unit are kept apart by unit.
    """
    quantity = pl.when(pl.col("quantity") > 0).then(pl.col("quantity"))
    measured = prepared.with_columns(
        _log(pl.col("_total_cny") / pl.col("_line_kg")).alias("_log_cny_per_kg"),
        _log(pl.col("_unit_price_cny")).alias("_log_unit_price_cny"),
        _log(pl.col("_line_kg") / quantity).alias("_log_kg_per_unit"),
    )
    parts = {name: hashed_column(prepared, name) for columns in levels.values() for name in columns}
    unit = text_hashes(prepared["unit"].fill_null(""))
    keys = []
    for level, columns in levels.items():
        hashes = [parts[name] for name in columns]
        keys += [
            as_series(peer_column("kg", level), combined_hashes(hashes)),
            as_series(peer_column("unit", level), combined_hashes([*hashes, unit])),
        ]
    return measured.with_columns(keys)


def peer_column(measure: str, level: str) -> str:
    """The column of a prepared frame with the hash of a commodity level for a measure."""
    return f"_peers_{'kg' if measure == 'kg' else 'unit'}_{level}"


def sketch_names(levels: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of all sketches: one per measure and commodity level."""
    return [f"{measure}-{level}" for measure in MEASURES for level in levels]


def count_prices(lines: pl.DataFrame, levels: Mapping[str, Sequence[str]]) -> dict[str, pl.DataFrame]:
    """Counts of the day's lines by sketch, key and bin."""
    bins = lines.lazy().with_columns(
        (pl.col(column) / BIN_WIDTH).floor().cast(pl.Int16).alias(f"_bin_{measure}")
        for measure, column in MEASURES.items()
    )
    plans = [
        bins.select(pl.col(peer_column(measure, level)).alias("key"), pl.col(f"_bin_{measure}").alias("bin"))
        .drop_nulls()
        .group_by("key", "bin")
        .agg(pl.len().cast(pl.Int64).alias("count"))
        for measure in MEASURES
        for level in levels
    ]
    return dict(zip(sketch_names(levels), pl.collect_all(plans), strict=True))


def fold_prices(
    before: Mapping[str, pl.DataFrame], day: Mapping[str, pl.DataFrame], weight: float
) -> dict[str, pl.DataFrame]:
    """The sketches after a day whose lines count with the forward-decay weight `weight`."""
    plans = {
        name: fold_sketch(sketch.lazy(), day[name], weight)
        for name, sketch in before.items()
        if name in day and not day[name].is_empty()
    }
    return {**before, **dict(zip(plans, pl.collect_all(list(plans.values())), strict=True))}


def fold_sketch(before: pl.LazyFrame, day: pl.DataFrame, weight: float) -> pl.LazyFrame:
    """One sketch, or some of its keys, after a day whose lines count with the weight `weight`."""
    counted = day.lazy().with_columns((pl.col("count") * weight).alias("weight")).select(*PRICE_SCHEMA)
    return (
        pl.concat([before, counted])
        .group_by("key", "bin")
        .agg(pl.col("count").sum(), pl.col("weight").sum())
    )


@dataclass(frozen=True)
class PeerSketches:
    """The sketches as they count on a day: its forward-decay weight, and by level how many peers say
    something."""

    sketches: Mapping[str, pl.DataFrame]
    weight_now: float
    fewest: Mapping[str, int]


def look_up_peers(
    lines: pl.DataFrame, peers: PeerSketches, measure: str, levels: Sequence[str]
) -> pl.DataFrame:
    """`peers`, `median`, `sigma`, `level` (0 = the first) of the first of `levels` with enough peers, a row a
    line; null where no level has enough. `measure` is one of `MEASURES`.

    Only the keys of `lines` are read from the sketches: these hold every name that was ever declared.

    Raises KeyError for another measure.
    """
    MEASURES[measure]
    plans = []
    for position, level in enumerate(levels):
        keys = lines.lazy().select(pl.col(peer_column(measure, level)).alias("key"))
        asked = peers.sketches[f"{measure}-{level}"].lazy().join(keys.unique(), on="key", how="semi")
        plans.append(
            keys.join(
                quantile_table(asked, peers.weight_now, peers.fewest[level]),
                on="key", how="left", maintain_order="left",
            ).select(
                pl.when(pl.col("peers").is_not_null())
                .then(pl.struct("peers", "median", "sigma", pl.lit(float(position)).alias("level")))
                .alias(level)
            )
        )  # fmt: skip
    if not plans:
        nothing = pl.lit(None, dtype=pl.Float64)
        return lines.select(nothing.alias(name) for name in ("peers", "median", "sigma", "level"))
    found = pl.concat(pl.collect_all(plans), how="horizontal")
    return found.select(pl.coalesce(levels).alias("found")).unnest("found")


def price_levels_of(lines: pl.DataFrame, peers: PeerSketches, levels: Sequence[str]) -> pl.Series:
    """Thousandths of the log of unit price over that of its peers, Int64 a line; null without peers.

    Whole numbers, so that sums do not depend on the order of lines; at most three in either direction, so
    that one wrong unit does not drown a party's other lines.
    """
    median = look_up_peers(lines, peers, "unit", levels)["median"]
    deviation = (lines["_log_unit_price_cny"] - median).clip(-_FARTHEST, _FARTHEST)
    return (deviation * MILLI).round(0).cast(pl.Int64).alias("_price_milli")


def quantile_table(sketch: pl.LazyFrame, weight_now: float, min_peers: int) -> pl.LazyFrame:
    """Per key with at least `min_peers` decayed lines: `peers` (lines ever), `median`, `sigma` (interquartile
    range / 1.349).

    Median and sigma are on the log scale, interpolated within a bin.
    """
    ordered = (
        sketch.sort("key", "bin")
        .with_columns(pl.col("weight").cum_sum().over("key").alias("upto"))
        # Not `sum`: it adds up in an order that depends on which other keys are there.
        .with_columns(pl.col("upto").last().over("key").alias("total"))
        .filter(pl.col("total") >= min_peers * weight_now)
    )
    return ordered.group_by("key").agg(
        pl.col("count").sum().cast(pl.Float64).alias("peers"),
        _quantile(0.5).alias("median"),
        ((_quantile(0.75) - _quantile(0.25)) / _IQR_TO_SIGMA).alias("sigma"),
    )


def _quantile(share: float) -> pl.Expr:
    """Interpolates within the bin in which the cumulated weight passes `share` of the total."""
    target = pl.col("total") * share
    reached = pl.col("upto") >= target
    inside = (target - (pl.col("upto") - pl.col("weight"))) / pl.col("weight")
    return ((pl.col("bin").cast(pl.Float64) + inside) * BIN_WIDTH).filter(reached).first()


def _log(positive: pl.Expr) -> pl.Expr:
    logarithm = positive.log()
    return pl.when((positive > 0) & logarithm.is_finite() & (logarithm.abs() < _LIMIT)).then(logarithm)
