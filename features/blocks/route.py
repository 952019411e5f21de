"""How the parcel travels."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.history.view import HistoryView

_CATEGORIES = {
    "origin": "origin_country",
    "dispatch": "dispatch_country",
    "destination": "destination_country",
    "direction": "direction",
    "trade_mode": "trade_mode",
    "office": "customs_office",
    "port": "port",
    "transport": "transport_mode",
}
_ROUTE_KEY = "hs6_origin_dispatch"


@block(keys=(_ROUTE_KEY,))
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Countries, mode, office and port as categories, and how often such goods took this route before."""
    frame = lines.select(
        *(pl.col(column).alias(f"route__{name}") for name, column in _CATEGORIES.items()),
        (pl.col("origin_country") == pl.col("dispatch_country"))
        .cast(pl.Float64)
        .alias("route__origin_is_dispatch"),
        (pl.col("customs_office") == pl.col("port")).cast(pl.Float64).alias("route__office_is_port"),
    )
    if history.has(_ROUTE_KEY):
        frame = frame.with_columns(
            history.before(_ROUTE_KEY)["lines"].cast(pl.Float64).alias("route__route_lines")
        )
    return frame
