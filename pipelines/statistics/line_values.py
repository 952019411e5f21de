"""What a goods line is worth in the statistics, in whole fen, cents and milligrams, and the cell it is in.

Whole numbers add up to the same in any order, and to the fen.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from configs.reference.facts import ReferenceDay
from features.arrays.hashing import hash_text

CELL_KEY: Final = ("direction", "trade_mode", "partner", "hs2", "hs4", "customs_office")
"""What a cell is; a part that a declaration does not say is null."""
READ_COLUMNS: Final = (
    *("declaration_id", "line_no", "direction", "trade_mode", "customs_office", "platform_id", "seller_id"),
    *("origin_country", "destination_country", "hs_code", "quantity", "unit", "total_price", "currency"),
    *("net_weight_kg", "freight", "insurance"),
)
"""The columns of declarations that statistics rest on."""
CURRENCY_OF_STATISTICS: Final = "USD"
NO_PRICE, NO_CURRENCY, NO_RATE, TOO_LARGE = "no_price", "no_currency", "no_rate", "too_large"
"""Why the value of a line is not known."""
# CNY 100 billion in a line is a slip of the pen; what stays below adds up without overflow.
_MOST: Final = 1e13
# Far below a fen, and far above what binary fractions add to decimal ones.
_NOISE_DECIMALS: Final = 5
_PARCEL: Final = "declaration_id"


def line_values(lines: pl.DataFrame, reference: ReferenceDay) -> pl.DataFrame:
    """Return each line with its cell and values: `CELL_KEY`, `declaration_id`, `line_no`, `quantity`, `unit`,
    `value_fen`, `value_cents` (of a US dollar), `weight_mg` (Int64), `enterprise` (UInt64), `unvalued`.

    An import is worth its price with its share of the parcel's freight and insurance, anything else its
    price. The share is by value, in equal parts where a parcel has none. Halves of a fen count as
    one. A value that is not known is null, and `unvalued` says why. The net weight is the parcel's, divided
    like the freight.

    Args:
        lines: `READ_COLUMNS` of whole parcels, all declared on one day.
        reference: the tables of that day, with the exchange rates.
    """
    priced = lines.with_columns(
        _rate=reference.cny_rate(lines["currency"]),
        enterprise=hash_text(lines.select(pl.coalesce("seller_id", "platform_id").fill_null("")).to_series()),
    )
    dollar = reference.cny_rate(pl.Series([CURRENCY_OF_STATISTICS]))[0]
    is_import = (pl.col("direction") == "import").fill_null(False)
    price = pl.col("total_price") * pl.col("_rate")
    whole = price.fill_null(0.0).sum().over(_PARCEL)
    share = pl.when(whole > 0).then(price.fill_null(0.0) / whole).otherwise(1.0 / pl.len().over(_PARCEL))
    beside = pl.sum_horizontal("freight", "insurance", ignore_nulls=True).fill_null(0.0)
    cny = price + pl.when(is_import).then(beside * pl.col("_share") * pl.col("_rate")).otherwise(0.0)
    partner = pl.when(is_import).then("origin_country")
    return (
        priced.with_columns(_share=share)
        .with_columns(_cny=cny)
        .with_columns(
            partner=partner.when(pl.col("direction") == "export").then("destination_country"),
            hs2=pl.col("hs_code").str.slice(0, 2),
            hs4=pl.col("hs_code").str.slice(0, 4),
            value_fen=_whole(pl.col("_cny") * 100),
            value_cents=_whole(pl.col("_cny") / pl.lit(dollar, pl.Float64) * 100),
            weight_mg=_whole(pl.col("net_weight_kg") * pl.col("_share") * 1e6),
        )
        .with_columns(unvalued=_why_unvalued())
        .select(
            *CELL_KEY,
            *("declaration_id", "line_no", "quantity", "unit"),
            *("value_fen", "value_cents", "weight_mg", "enterprise", "unvalued"),
        )
    )


def part_of_fen(value: pl.Expr, share: pl.Expr) -> pl.Expr:
    """Return so much of an amount in fen, in whole fen."""
    return _whole(value * share)


def _whole(value: pl.Expr) -> pl.Expr:
    """The nearest whole number, halves up, as seen in decimals; null beyond what one line can be."""
    nearest = (value.round(_NOISE_DECIMALS) + 0.5).floor()
    return pl.when(value.abs() < _MOST).then(nearest).cast(pl.Int64)


def _why_unvalued() -> pl.Expr:
    return (
        pl.when(pl.col("value_fen").is_not_null())
        .then(None)
        .when(pl.col("total_price").is_null())
        .then(pl.lit(NO_PRICE))
        .when(pl.col("currency").is_null())
        .then(pl.lit(NO_CURRENCY))
        .when(pl.col("_rate").is_null())
        .then(pl.lit(NO_RATE))
        .otherwise(pl.lit(TOO_LARGE))
    )
