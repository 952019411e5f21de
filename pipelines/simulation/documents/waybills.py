"""Waybills of parcels and when they were signed for, and what is wrong about some."""

from __future__ import annotations

import numpy as np
import polars as pl

from features.contract.documents import WAYBILLS

_SIGNED_SHARE = 0.8
_SPELLINGS = {"waybill_address_blanks": "blanks"}


def waybills_of(parcels: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Return the waybills: a row each, with its last status, in the table's columns and those of a version.

    `parcels` are those of `trade_terms`. `consignee_id` is who gets the parcel.
    """
    kind, retail = pl.col("kind").fill_null(""), pl.col("is_retail")
    count = parcels.height
    hours, signed = pl.Series(rng.integers(20, 90, count)), pl.Series(rng.random(count) < _SIGNED_SHARE)
    weight = pl.col("gross_weight_kg")
    carried = pl.col("carrier_id").is_not_null() & pl.col("waybill_id").is_not_null()
    second = (kind == "waybill_reused") & pl.col("is_later_of_two")
    rows = parcels.with_columns(_hours=hours, _signed=signed).filter(
        carried & (retail | pl.col("is_export")), kind != "waybill_never", ~second
    )
    status_at = (pl.col("declared_at") + pl.duration(hours="_hours")).dt.truncate("1s")
    signed_for = retail & pl.col("_signed") & (kind != "waybill_draft")
    return rows.with_columns(
        seller_id=pl.when(~retail).then("seller_id"),
        order_id=pl.when(retail).then("order_id"),
        consignee_id="buyer_id",
        telephone_id=pl.when(retail).then("telephone_id"),
        address_id=pl.when(kind == "waybill_address").then("stranger").when(retail).then("address_id"),
        master_bill_id=pl.lit(None, pl.String),
        gross_weight_kg=pl.when(kind == "weight").then(weight * 1.4 + 0.3)
        .when(kind == "weight_rounded").then(weight * 1.05)
        .when(kind == "weight_of_light_parcel").then(weight + 0.08)
        .otherwise(weight).round(3),
        sent_at=pl.when(kind == "waybill_after_close").then("late_at").otherwise("waybill_at"),
        status=pl.when(signed_for).then(pl.lit("S")),
        status_at=pl.when(signed_for).then(status_at),
        status_sent_at=pl.when(signed_for).then(status_at + pl.duration(minutes=30)),
        app_type=pl.lit(None, pl.String),
        app_status=pl.when(kind == "waybill_draft").then(pl.lit("1")),
        spelling=kind.replace_strict(_SPELLINGS, default=None, return_dtype=pl.String),
    ).select(*WAYBILLS.stated, "consignee_id", "app_type", "app_status", "spelling")  # fmt: skip
