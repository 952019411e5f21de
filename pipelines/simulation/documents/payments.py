"""Payments and receipts of money for parcels, and what is wrong about some."""

from __future__ import annotations

import polars as pl

from features.contract.documents import PAYMENTS

_FIRST_SHARE = 0.4


def payments_of(parcels: pl.DataFrame) -> pl.DataFrame:
    """Return the payments: a row each, in the table's columns and those of a version.

    `parcels` are those of `trade_terms`; an export's payment is the receipt of its goods' value and freight.
    """
    kind, retail = pl.col("kind").fill_null(""), pl.col("is_retail")
    paid = (
        pl.when(retail)
        .then("paid_total")
        .otherwise(pl.col("goods_value") + pl.col("added") + pl.col("order_freight"))
    )
    off = (
        pl.when(kind.is_in(["payment_amount", "head_sum", "cancelled_before_close"])).then("off")
        .when(kind.is_in(["payment_off_by_cents", "order_off_by_cents"])).then("cents").otherwise(0.0)
    )  # fmt: skip
    rows = parcels.filter(retail | pl.col("is_export"), kind != "payment_never").with_columns(
        seller_id=pl.when(~retail).then("seller_id"),
        payer_id=pl.when(retail & (kind == "payer"))
        .then("stranger")
        .when(retail & (kind == "borrowed_allowance"))
        .then("ring_head")
        .when(retail)
        .then("buyer_id"),
        telephone_id=pl.when(retail).then("telephone_id"),
        amount=(paid + off).round(2),
        paid_at=pl.when(kind == "paid_late").then("late_at").otherwise("paid_at"),
        sent_at=pl.when(kind == "payment_after_close").then("late_at").otherwise("payment_at"),
        app_type=pl.lit(None, pl.String),
        app_status=pl.when(kind == "payment_draft").then(pl.lit("1")),
        spelling=pl.when(kind == "identity_in_small_letters").then(pl.lit("case")),
    )
    return _in_two_parts(rows).select(*PAYMENTS.stated, "app_type", "app_status", "spelling")


def _in_two_parts(rows: pl.DataFrame) -> pl.DataFrame:
    """Divide the amount of some between two transactions, the order's and one more."""
    divided = (pl.col("kind") == "two_payments").fill_null(value=False)
    first = (pl.col("amount") * _FIRST_SHARE).round(2)
    rest = rows.filter(divided).with_columns(
        amount=(pl.col("amount") - first).round(2), transaction_id=pl.col("transaction_id") + "B"
    )
    return pl.concat([rows.with_columns(amount=pl.when(divided).then(first).otherwise("amount")), rest])
