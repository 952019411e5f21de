"""What was agreed and done about each parcel: amounts, payment, and when each document was sent."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from features.arrays.hashing import hash_text
from pipelines.simulation.world.randomness import Ints, mix, salt

_LATER_SHARE: Final = 0.06
_DISCOUNTED_SHARE: Final = 0.2
_PAYMENT_COMPANIES: Final = ("4401980001", "3301980002", "1101980003")
_MOMENTS: Final = ("order_at", "payment_at", "waybill_at", "paid_at", "early_at", "late_at")
SHARED_BY_WAYBILL: Final = ("carrier_id", "waybill_id", "address_id", "gross_weight_kg")
"""What two parcels with one waybill have in common, so that nothing else is wrong about them."""
# Offset in seconds before the declaration, from and to.
_BEFORE: Final = {"order": (1200, 21_600), "payment": (600, 1100), "waybill": (60, 590)}


def trade_terms(parcels: pl.DataFrame, seed: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return the parcels with amounts of the order, its payment, and the moments `order_at`, `payment_at`,
    `waybill_at` (sent), `paid_at`, `early_at` (before the close) and `late_at` (after it).

    Amounts are in the parcel's currency. Every draw is made for every parcel, so that what happens to one
    changes no other. Where `kind` is null some documents are sent after the declaration, on its day.
    """
    count, plain = parcels.height, pl.col("kind").is_null()
    later = rng.random((count, 3)) < _LATER_SHARE
    left = pl.col("closes_at") - pl.col("declared_at")
    moments = {}
    for place, (name, (least, most)) in enumerate(_BEFORE.items()):
        before = as_seconds(rng.integers(least, most, count))
        after = pl.Series(rng.uniform(0.02, 0.9, count))
        is_later = plain & pl.col("has_time") & pl.Series(later[:, place])
        moments[f"{name}_at"] = (
            pl.when(is_later)
            .then(pl.col("declared_at") + left * after)
            .otherwise(pl.col("declared_at") - before)
        )
    retail = pl.col("is_retail")
    value = pl.col("goods_value")
    discount = np.where(rng.random(count) < _DISCOUNTED_SHARE, rng.uniform(0.02, 0.1, count), 0.0)
    tax = pl.Series(rng.uniform(0.07, 0.12, count))
    company = pl.Series(_PAYMENT_COMPANIES)[rng.integers(0, len(_PAYMENT_COMPANIES), count)]
    number = mix(salt(seed, "transaction"), hash_text(parcels["declaration_id"]).to_numpy())
    serial = pl.Series(10**15 + (number % np.uint64(9 * 10**15)).astype(np.int64)).cast(pl.String)
    early, late = pl.Series(rng.uniform(0.1, 0.9, count)), as_seconds(rng.integers(300, 60_000, count))
    result = parcels.with_columns(**moments).with_columns(
        order_freight=pl.col("freight").fill_null(0.0),
        discount=pl.when(retail).then((value * pl.Series(discount)).round(2)).otherwise(0.0),
        tax_total=pl.when(retail).then((value * tax).round(2)).otherwise(0.0),
        payment_company_id=company,
        transaction_id="P" + serial,
        paid_at=pl.min_horizontal(pl.col("order_at") + pl.duration(seconds=60), "payment_at"),
        early_at=pl.col("declared_at") + left * early,
        late_at=pl.col("closes_at") + late,
        off=pl.max_horizontal(value * 0.05, 20.0 / pl.col("cny")).round(2),
        _doubled=pl.col("kind") == "quantity_and_total",
        _further=pl.col("kind") == "further_order_line",
        cents=pl.min_horizontal(0.4 / pl.col("cny"), 0.4).round(2),
    )
    added = (
        pl.when("_doubled").then(pl.max_horizontal("goods_total", "off"))
        .when("_further").then("off").otherwise(0.0)
    )  # fmt: skip
    result = result.with_columns(added=added)
    return (
        _with_reuse(result)
        .with_columns(
            pl.col(_MOMENTS).dt.truncate("1s"),
            paid_total=(
                value + pl.col("added") + pl.col("order_freight") + pl.col("tax_total") - pl.col("discount")
            ).round(2),
        )
        .drop("_doubled", "_further")
    )


def as_seconds(counts: Ints) -> pl.Series:
    """Return numbers of seconds as durations."""
    return pl.Series(counts * 1_000_000).cast(pl.Duration("us"))


def _with_reuse(parcels: pl.DataFrame) -> pl.DataFrame:
    """Let the second of two parcels be paid by the transaction of the first, or go with its waybill.

    `is_later_of_two` marks the second, `first_on` and `second_on` are the days of the two. A parcel without a
    second is as usual.
    """
    paired = pl.col("kind").is_in(["payment_reused", "waybill_reused"]).fill_null(value=False)
    place = pl.when(paired).then(pl.int_range(pl.len()).over("kind"))
    parcels = parcels.with_columns(_pair=place // 2, _second=(place % 2 == 1).fill_null(value=False))
    group = ["kind", "_pair"]
    reused = dict.fromkeys(("payment_company_id", "transaction_id"), "payment_reused")
    reused |= dict.fromkeys(SHARED_BY_WAYBILL, "waybill_reused")
    # Known on no earlier day than the declaration's.
    floored = pl.max_horizontal(pl.col("order_at"), pl.col("opens_at") + pl.duration(seconds=1))
    return (
        parcels.with_columns(
            *(
                pl.when(pl.col("_second") & (pl.col("kind") == kind))
                .then(pl.col(name).first().over(group))
                .otherwise(name)
                .alias(name)
                for name, kind in reused.items()
            ),
            pl.when(paired).then(pl.len().over(group)).otherwise(0).alias("_both"),
            is_later_of_two="_second",
            first_on=pl.when(paired).then(pl.col("declared_on").first().over(group)),
            second_on=pl.when(paired).then(pl.col("declared_on").last().over(group)),
        )
        .with_columns(
            order_at=pl.when(paired).then(floored).otherwise("order_at"),
            payment_at=pl.when(paired)
            .then(pl.max_horizontal(pl.col("payment_at"), pl.col("opens_at") + pl.duration(seconds=2)))
            .otherwise("payment_at"),
            kind=pl.when(paired & (pl.col("_both") < 2)).then(None).otherwise("kind"),
        )
        .drop("_pair", "_second", "_both")
    )
