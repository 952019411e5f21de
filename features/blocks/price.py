"""Declared value against what similar goods were declared at."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.history.peers import MIN_SIGMA
from features.history.view import HistoryView
from features.prepare import CNY_PER_FEN

_ROUND_STEPS = 10.0


@block()
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """CNY values, arithmetic of the line, and robust deviations (in standard deviations of the log price)
    from peers of the same heading and from those of the same name.
    """
    per_kg, per_unit = history.peers("kg"), history.peers("unit")
    goods_per_kg, goods_per_unit = history.peers("kg", goods=True), history.peers("unit", goods=True)
    frame = lines.select(
        pl.col("_total_cny").alias("price__total_cny"),
        pl.col("_unit_price_cny").alias("price__unit_price_cny"),
        pl.col("_rate").alias("price__cny_rate"),
        pl.col("quantity").alias("price__quantity"),
        pl.col("_log_cny_per_kg").exp().alias("price__cny_per_kg"),
        (pl.col("_parcel_fen") * CNY_PER_FEN).alias("price__parcel_total_cny"),
        (pl.col("quantity") * pl.col("unit_price") / pl.col("total_price"))
        .log()
        .alias("price__total_mismatch"),
        (pl.col("freight") * pl.col("_rate") / pl.col("_total_cny")).alias("price__freight_share"),
        (pl.col("insurance") * pl.col("_rate") / pl.col("_total_cny")).alias("price__insurance_share"),
        (pl.col("unit_price") % _ROUND_STEPS == 0).cast(pl.Float64).alias("price__round_unit_price"),
    )
    return frame.with_columns(
        reference.tax_rate(lines).alias("price__tax_rate"),
        *_against_peers(lines["_log_cny_per_kg"], per_kg, "kg", "cny_per_kg"),
        *_against_peers(lines["_log_unit_price_cny"], per_unit, "unit", "unit_cny"),
        *_against_peers(lines["_log_cny_per_kg"], goods_per_kg, "goods_kg", "goods_cny_per_kg"),
        *_against_peers(lines["_log_unit_price_cny"], goods_per_unit, "goods_unit", "goods_unit_cny"),
        # Goods of this name against goods of this heading: a cheaper heading than the name's.
        (goods_per_unit["median"] - per_unit["median"]).alias("price__goods_above_heading"),
    )


def _against_peers(logarithm: pl.Series, peers: pl.DataFrame, name: str, unit: str) -> list[pl.Series]:
    deviation = (logarithm - peers["median"]) / peers["sigma"].clip(MIN_SIGMA)
    return [
        peers["peers"].alias(f"price__peers_{name}"),
        peers["level"].alias(f"price__peer_level_{name}"),
        peers["median"].exp().alias(f"price__peer_median_{unit}"),
        (logarithm - peers["median"]).exp().alias(f"price__ratio_{name}"),
        deviation.alias(f"price__deviation_{name}"),
    ]
