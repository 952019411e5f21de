"""The taxable value of a line, and the value of its parcel that limits are about: goods, freight, insurance.

Amounts of a parcel are added up in fen, so that the sum does not depend on the order of its lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

FEN: Final = 100.0
CNY_PER_FEN: Final = 0.01
GOODS_FEN, COSTS_FEN, PARCEL_LINES = "_goods_fen", "_costs_fen", "_parcel_lines"
"""Of the parcel of a line: its goods in fen, its freight and insurance in fen, and how many lines it has."""
_MAX_FEN: Final = 9.0e15
VALUE_INPUTS: Final[dict[str, pl.DataType]] = {
    "total_price": pl.Float64(),
    "freight": pl.Float64(),
    "insurance": pl.Float64(),
}


def in_fen(amount_cny: pl.Expr) -> pl.Expr:
    """Return an amount in whole fen (Int64), null where it is not known or too large."""
    fen = (amount_cny * FEN).round(0)
    return pl.when(fen.abs() <= _MAX_FEN).then(fen).cast(pl.Int64)


def with_parcel_fen(lines: pl.LazyFrame, parcel: Sequence[str], cny_rate: str = "cny_rate") -> pl.LazyFrame:
    """Return lines with what is known of the parcel of each, in fen: `GOODS_FEN` and `COSTS_FEN` (Int64).

    Freight and insurance are those of the parcel, repeated on its lines: the largest, where they are not one.
    A parcel with a line of unknown value has no value of goods; freight that nobody states counts as none.

    Args:
        lines: whole parcels, with `VALUE_INPUTS`.
        parcel: columns that tell parcels apart.
        cny_rate: the column with the CNY value of a unit of the currency.
    """
    # Before the windows: within one, an expression is computed parcel by parcel.
    amounts = _amounts(cny_rate)
    price, freight, insurance = map(pl.col, amounts)
    is_known = price.count().over(parcel) == pl.len().over(parcel)
    costs = freight.max().over(parcel).fill_null(0) + insurance.max().over(parcel).fill_null(0)
    goods = pl.when(is_known).then(price.sum().over(parcel))
    valued = lines.with_columns(**amounts).with_columns(goods.alias(GOODS_FEN), costs.alias(COSTS_FEN))
    return valued.drop(*amounts)


def parcel_fen(
    lines: pl.LazyFrame, parcel: Sequence[str], *further: pl.Expr, cny_rate: str = "cny_rate"
) -> pl.LazyFrame:
    """Return a row a parcel with the same, and what `further` makes of its lines, in any order."""
    amounts = _amounts(cny_rate)
    price, freight, insurance = map(pl.col, amounts)
    goods = pl.when(price.count() == pl.len()).then(price.sum())
    costs = freight.max().fill_null(0) + insurance.max().fill_null(0)
    valued = lines.with_columns(**amounts).group_by(parcel)
    return valued.agg(goods.alias(GOODS_FEN), costs.alias(COSTS_FEN), *further)


def _amounts(cny_rate: str) -> dict[str, pl.Expr]:
    return {f"_fen_of_{name}": in_fen(pl.col(name) * pl.col(cny_rate)) for name in VALUE_INPUTS}


def taxable_cny() -> pl.Expr:
    """Return the taxable value of each line in CNY: its value and, by value, its share of the costs.

    Of a frame with `total_price`, `cny_rate` and the columns of `with_parcel_fen`.
    """
    value = pl.col("total_price") * pl.col("cny_rate")
    share = pl.when(pl.col(GOODS_FEN) > 0).then(in_fen(value) / pl.col(GOODS_FEN)).otherwise(0.0)
    return value + pl.col(COSTS_FEN) * pl.lit(CNY_PER_FEN) * share
