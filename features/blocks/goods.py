"""What is declared: the heading as a category, its unit, and how complete the declaration is."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.contract.declarations import DECLARATION_COLUMNS
from features.history.view import HistoryView

_OPTIONAL = (
    *("item_name", "item_model", "barcode", "quantity", "unit_price", "gross_weight_kg", "net_weight_kg"),
    *("origin_country", "seller_id", "buyer_id", "address_id", "waybill_id", "order_id"),
)
_KEYS = ("hs_code", "hs6", "hs4")


@block(keys=_KEYS)
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Heading levels, units and currency as categories, earlier lines of the heading, and missing columns."""
    optional = [name for name in _OPTIONAL if name in DECLARATION_COLUMNS]
    frame = lines.select(
        pl.col("_hs2").alias("goods__hs2"),
        pl.col("_hs4").alias("goods__hs4"),
        pl.col("_hs6").alias("goods__hs6"),
        pl.col("unit").alias("goods__unit"),
        pl.col("legal_unit").alias("goods__legal_unit"),
        pl.col("currency").alias("goods__currency"),
        pl.col("hs_code").str.len_bytes().cast(pl.Float64).alias("goods__hs_digits"),
        pl.col("line_no").cast(pl.Float64).alias("goods__line_no"),
        pl.col("_pieces").alias("goods__pieces"),
        pl.col("barcode").is_not_null().cast(pl.Float64).alias("goods__has_barcode"),
        pl.sum_horizontal(pl.col(name).is_null().cast(pl.Float64) for name in optional).alias(
            "goods__missing_columns"
        ),
    )
    counts = [
        history.before(name)["lines"].cast(pl.Float64).alias(f"goods__{name}_lines")
        for name in _KEYS
        if history.has(name)
    ]
    return frame.with_columns(counts)
