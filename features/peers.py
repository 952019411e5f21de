"""Price and weight of similar goods: histograms on a log scale, folded day by day, read as quantiles.

A sketch is a count per (key, bin of the natural logarithm); counts are integers, so merging is exact and
order does not matter. The quantiles are within half a bin (about 5%) of the true ones. Source of the idea:
Masson, Rim, Lee, "DDSketch", PVLDB 12(12), 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from features.hashing import combine, hash_text

BIN_WIDTH = 0.1
PRICE_SCHEMA = {"key": pl.UInt64(), "bin": pl.Int16(), "count": pl.Int64(), "weight": pl.Float64()}
MEASURES = {"kg": "_log_cny_per_kg", "unit": "_log_unit_price_cny", "weight": "_log_kg_per_unit"}
_LIMIT = 30.0
_IQR_TO_SIGMA = 1.349
_DERIVED = {"hs2": "_hs2", "hs4": "_hs4", "hs6": "_hs6"}


def with_measures(prepared: pl.DataFrame) -> pl.DataFrame:
    """Adds the natural logarithms of CNY per kg, CNY per unit and kg per unit; null where not positive and
    finite."""
    quantity = pl.when(pl.col("quantity") > 0).then(pl.col("quantity"))
    return prepared.with_columns(
        _log(pl.col("_total_cny") / pl.col("_line_kg")).alias("_log_cny_per_kg"),
        _log(pl.col("_unit_price_cny")).alias("_log_unit_price_cny"),
        _log(pl.col("_line_kg") / quantity).alias("_log_kg_per_unit"),
    )


def sketch_names(levels: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of all sketches: one per measure and commodity level."""
    return [f"{measure}-{level}" for measure in MEASURES for level in levels]


def peer_keys(lines: pl.DataFrame, columns: Sequence[str], measure: str) -> pl.Series:
    """The hash of the commodity level; prices and weights per unit are kept apart by unit."""
    parts = [hash_text(lines[_DERIVED.get(column, column)]) for column in columns]
    if measure != "kg":
        parts.append(hash_text(lines["unit"].fill_null("")))
    return combine(parts, "key")


def count_prices(lines: pl.DataFrame, levels: Mapping[str, Sequence[str]]) -> dict[str, pl.DataFrame]:
    """Counts of the day's lines by sketch, key and bin."""
    counts = {}
    for measure, column in MEASURES.items():
        bins = (lines[column] / BIN_WIDTH).floor().cast(pl.Int16).alias("bin")
        for level, columns in levels.items():
            frame = pl.DataFrame([peer_keys(lines, columns, measure), bins]).drop_nulls()
            counts[f"{measure}-{level}"] = frame.group_by("key", "bin").agg(
                pl.len().cast(pl.Int64).alias("count")
            )
    return counts


def fold_prices(
    before: Mapping[str, pl.DataFrame], day: Mapping[str, pl.DataFrame], weight: float
) -> dict[str, pl.DataFrame]:
    """The sketches after a day whose lines count with the forward-decay weight `weight`."""
    after = {}
    for name, sketch in before.items():
        if name not in day or day[name].is_empty():
            after[name] = sketch
            continue
        step = day[name].with_columns((pl.col("count") * weight).alias("weight")).select(*PRICE_SCHEMA)
        after[name] = (
            pl.concat([sketch, step])
            .group_by("key", "bin")
            .agg(pl.col("count").sum(), pl.col("weight").sum())
        )
    return after


def quantile_table(sketch: pl.DataFrame, weight_now: float, min_peers: int) -> pl.DataFrame:
    """Per key with at least `min_peers` decayed lines: `peers` (lines ever), `median`, `sigma` (interquartile
    range / 1.349).

    Median and sigma are on the log scale, interpolated within a bin.
    """
    ordered = (
        sketch.sort("key", "bin")
        .with_columns(
            pl.col("weight").cum_sum().over("key").alias("upto"),
            pl.col("weight").sum().over("key").alias("total"),
        )
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
