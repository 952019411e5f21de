"""Whether the documents of an import name one buyer, and one address."""

from __future__ import annotations

from typing import Final

import polars as pl

from features.check import (
    NO_EXPORT,
    ORDER_KEY,
    WAYBILL_KEY,
    CheckedDay,
    as_findings,
    check_family,
)
from features.contract.documents import NAMED_BY_NAME
from features.words.figures import listed, ready_for_words

_BY_NUMBER: Final = pl.when(pl.col("buyer_named_by").ne_missing(NAMED_BY_NAME)).then("buyer_id")


@check_family("buyer", "consignee")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return imports whose buyer, payer or address is not the same in all documents that have one.

    A buyer who is known by name and telephone alone has no identity number to compare.

    Identities and addresses are keyed hashes, made after normalisation; which documents differ is told, the
    hashes are not.
    """
    orders = day.order_heads.select(*ORDER_KEY, order_buyer=_BY_NUMBER, order_address="address_id")
    payers = (
        day.payments.drop_nulls("payer_id")
        .group_by(ORDER_KEY)
        .agg(payer=pl.col("payer_id").min(), last_payer=pl.col("payer_id").max())
    )
    waybills = day.waybills.select(*WAYBILL_KEY, waybill_address="address_id")
    parcels = (
        day.parcels.filter(NO_EXPORT)
        .join(orders, on=ORDER_KEY, how="left")
        .join(payers, on=ORDER_KEY, how="left")
        .join(waybills, on=WAYBILL_KEY, how="left")
    )
    return pl.concat([_buyers(parcels), _addresses(parcels)])


def _buyers(parcels: pl.DataFrame) -> pl.DataFrame:
    order, inventory = pl.col("order_buyer"), _BY_NUMBER
    payers = pl.col("payer"), pl.col("last_payer")
    rows = ready_for_words(parcels).select(
        "declaration_id",
        found=listed(
            _told(_other(order, *payers), "the payer is not the order's buyer"),
            _told(_other(inventory, *payers), "the payer is not the inventory's buyer"),
            _told(order != inventory, "the order's buyer is not the inventory's"),
            _told(payers[0] != payers[1], "several payers"),
        ),
        expected=pl.lit("one person in order, payment and inventory"),
        basis=_named("order_id", "order, payment and inventory of order "),
    )
    return as_findings(rows.filter(pl.col("found") != ""), "buyer")


def _addresses(parcels: pl.DataFrame) -> pl.DataFrame:
    order, waybill, inventory = (pl.col(name) for name in ("order_address", "waybill_address", "address_id"))
    rows = ready_for_words(parcels).select(
        "declaration_id",
        found=listed(
            _told(order != waybill, "the waybill's address is not the order's"),
            _told(order != inventory, "the inventory's address is not the order's"),
            _told(waybill != inventory, "the inventory's address is not the waybill's"),
        ),
        expected=pl.lit("one address in order, waybill and inventory"),
        basis=_named("waybill_id", "order, inventory and waybill "),
    )
    return as_findings(rows.filter(pl.col("found") != ""), "consignee")


def _other(person: pl.Expr, *others: pl.Expr) -> pl.Expr:
    return pl.any_horizontal(person != other for other in others)


def _told(differs: pl.Expr, words: str) -> pl.Expr:
    return pl.when(differs).then(pl.lit(words))


def _named(number: str, words: str) -> pl.Expr:
    return pl.concat_str(pl.lit(words), pl.col(number).fill_null("without a number"))
