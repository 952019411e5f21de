"""Weight against what such goods weigh."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.history.peers import MIN_SIGMA
from features.history.view import HistoryView


@block()
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Weights in kg, the tare's share, and a unit's weight against its peers', by heading and by name."""
    peers, goods = history.peers("weight"), history.peers("weight", goods=True)
    net, gross = pl.col("net_weight_kg"), pl.col("gross_weight_kg")
    logarithm = lines["_log_kg_per_unit"]
    deviation, goods_deviation = (
        (logarithm - of["median"]) / of["sigma"].clip(MIN_SIGMA) for of in (peers, goods)
    )
    return lines.select(
        net.alias("weight__net_kg"),
        gross.alias("weight__gross_kg"),
        pl.col("_line_kg").alias("weight__line_kg"),
        pl.col("_log_kg_per_unit").exp().alias("weight__kg_per_unit"),
        ((gross - net) / gross).alias("weight__tare_share"),
        (net == net.round(0)).cast(pl.Float64).alias("weight__round_kg"),
        pl.col("package_count").cast(pl.Float64).alias("weight__packages"),
    ).with_columns(
        peers["peers"].alias("weight__peers"),
        peers["median"].exp().alias("weight__peer_median_kg_per_unit"),
        deviation.alias("weight__deviation"),
        goods["peers"].alias("weight__goods_peers"),
        goods_deviation.alias("weight__goods_deviation"),
        (goods["median"] - peers["median"]).alias("weight__goods_above_heading"),
    )
