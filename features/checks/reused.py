"""Whether one transaction stands in several orders, or one waybill in several inventories."""

from __future__ import annotations

import polars as pl

from features.check import (
    NO_EXPORT,
    ORDER_KEY,
    TRANSACTION_KEY,
    WAYBILL_KEY,
    CheckedDay,
    as_findings,
    check_family,
)
from features.words.figures import ready_for_words

_OTHER_ORDER = tuple(f"other_{name}" for name in ORDER_KEY)


@check_family("payment_reused", "waybill_reused")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return declarations of the day whose transaction or waybill an inventory of the day or before has too.

    A number counts with whose it is: one number at two payment companies is two transactions, at two
    carriers two waybills. Parts of one order may have a transaction in common. Of exports only waybills
    are looked at: one receipt of money may be for many orders.
    """
    return pl.concat([_payments(day), _waybills(day)])


def _payments(day: CheckedDay) -> pl.DataFrame:
    used = day.transactions.select(*TRANSACTION_KEY, *ORDER_KEY).drop_nulls().unique()
    elsewhere = day.inventories.select(
        "declared_on",
        other=pl.col("declaration_id"),
        **{name: pl.col(key) for name, key in zip(_OTHER_ORDER, ORDER_KEY, strict=True)},
    )
    pairs = (
        day.parcels.filter(NO_EXPORT)
        .select("declaration_id", *ORDER_KEY)
        .join(used, on=ORDER_KEY)
        .join(used.rename(dict(zip(ORDER_KEY, _OTHER_ORDER, strict=True))), on=TRANSACTION_KEY)
        .filter(
            (pl.col("platform_id") != pl.col("other_platform_id"))
            | (pl.col("order_id") != pl.col("other_order_id"))
        )
        .join(elsewhere, on=_OTHER_ORDER)
        .filter(pl.col("declaration_id") != pl.col("other"))
    )
    first = pairs.sort("declared_on", "other", *TRANSACTION_KEY, *_OTHER_ORDER).group_by(
        "declaration_id", maintain_order=True
    )
    rows = first.agg(
        pl.col("declared_on", "other", *TRANSACTION_KEY, "other_order_id").first(),
        orders=pl.struct(_OTHER_ORDER).n_unique() + 1,
    )
    rows = ready_for_words(rows).select(
        "declaration_id",
        found=pl.format(
            "in {} orders, as {} of inventory {} of {}", "orders", "other_order_id", "other", "declared_on"
        ),
        expected=pl.lit("a transaction for 1 order"),
        basis=pl.format("transaction {} of {}", "transaction_id", "payment_company_id"),
    )
    return as_findings(rows, "payment_reused")


def _waybills(day: CheckedDay) -> pl.DataFrame:
    used = day.inventories.select(*WAYBILL_KEY, "declared_on", other=pl.col("declaration_id"))
    pairs = (
        day.parcels.select("declaration_id", *WAYBILL_KEY)
        .join(used, on=WAYBILL_KEY)
        .filter(pl.col("declaration_id") != pl.col("other"))
        .sort("declared_on", "other")
    )
    rows = (
        pairs.group_by("declaration_id", maintain_order=True)
        .agg(
            pl.col(*WAYBILL_KEY, "declared_on", "other").first(),
            inventories=pl.col("other").n_unique() + 1,
        )
        .pipe(ready_for_words)
        .select(
            "declaration_id",
            found=pl.format("in {} inventories, as {} of {}", "inventories", "other", "declared_on"),
            expected=pl.lit("a waybill in 1 inventory"),
            basis=pl.format("waybill {} of {}", "waybill_id", "carrier_id"),
        )
    )
    return as_findings(rows, "waybill_reused")
