"""Parcels that share their payer, their telephone or their goods and address with those of other buyers."""

from __future__ import annotations

import polars as pl

from features.check import ORDER_KEY, CheckedDay
from features.pattern import RING_COLUMNS, RING_DEFAULTS, Shared

_BASKET = ("address_id", "basket")


def find_rings(day: CheckedDay, shared: Shared) -> pl.DataFrame:
    """Return one row a parcel of the day that shares something, in `RING_COLUMNS` and the order of numbers.

    A household shares, too: how many there are tells the two apart, and that is all that is said.
    """
    parcels = day.parcels.select("declaration_id", *ORDER_KEY)
    heads = day.order_heads.select(*ORDER_KEY, "telephone_id")
    filled = (pl.col(name).fill_null(value).cast(RING_COLUMNS[name]) for name, value in RING_DEFAULTS.items())
    facts = (
        parcels.join(_payers(day, shared), on=ORDER_KEY, how="left")
        .join(heads, on=ORDER_KEY, how="left")
        .join(_telephones(shared), on="telephone_id", how="left")
        .join(_baskets(shared.baskets), on="declaration_id", how="left")
        .select("declaration_id", *filled)
    )
    told = pl.any_horizontal(pl.col(name) > value for name, value in RING_DEFAULTS.items())
    return facts.filter(told).sort("declaration_id")


def foreign_payers(day: CheckedDay) -> pl.DataFrame:
    """Return `payer_id` of everyone who pays for an order of another buyer, once."""
    buyers = day.order_heads.select(*ORDER_KEY, "buyer_id")
    paid = day.payments.join(buyers, on=ORDER_KEY).filter(pl.col("payer_id") != pl.col("buyer_id"))
    return paid.select("payer_id").unique()


def _payers(day: CheckedDay, shared: Shared) -> pl.DataFrame:
    """By order, for how many others its payer paid; of several payers the largest number."""
    others = shared.payers.filter(pl.col("payer_id") != pl.col("buyer_id"))
    counted = _buyers_by(others, "payer_id", "payer_buyers")
    paid = day.payments.join(foreign_payers(day), on="payer_id", how="semi").join(counted, on="payer_id")
    return paid.group_by(ORDER_KEY).agg(pl.col("payer_buyers").max())


def _telephones(shared: Shared) -> pl.DataFrame:
    return _buyers_by(shared.telephones, "telephone_id", "telephone_buyers")


def _buyers_by(pairs: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    return pairs.group_by(column).agg(pl.col("buyer_id").drop_nulls().n_unique().alias(name))


def _baskets(baskets: pl.DataFrame) -> pl.DataFrame:
    counted = baskets.drop_nulls(_BASKET).group_by(_BASKET)
    sums = counted.agg(
        pl.col("declaration_id").n_unique().alias("basket_parcels"),
        pl.col("buyer_id").drop_nulls().n_unique().alias("basket_buyers"),
    )
    return baskets.select("declaration_id", *_BASKET).join(sums, on=_BASKET).drop(_BASKET)
