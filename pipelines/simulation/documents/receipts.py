"""What customs answers to inventories, and the tax bills that follow."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from features.contract.documents import RECEIPTS, TAXES
from pipelines.simulation.documents.trade import as_seconds

_RELEASED: Final = 800
_CLEARED: Final = 899
_INSPECTED: Final = 500
_DETAINED: Final = (501, 502, 503, 505, 599, 700)
_ACCEPTED: Final = 120
_ANSWERED_SHARE, _ACCEPTED_SHARE, _CLEARED_SHARE, _NUMBERLESS_SHARE, _BILLED_SHARE = 0.8, 0.1, 0.15, 0.1, 0.6
_DUTY, _VAT, _CONSUMPTION = 0.0, 0.091, 0.0


def outcomes_of(
    parcels: pl.DataFrame, inspected: pl.Series, detained: pl.Series, rng: np.random.Generator
) -> pl.DataFrame:
    """Return the parcels with what became of them: `is_answered`, `is_inspected`, `ending`, `ended_at`.

    Args:
        parcels: those of `trade_terms`.
        inspected: the numbers of the parcels that were opened; all of these are answered.
        detained: the numbers of those among them that were not let go.
        rng: the generator; every draw is made for every parcel.

    `released_at` is null for parcels that were not released, or not answered.
    """
    count = parcels.height
    is_inspected = pl.col("declaration_id").is_in(inspected.unique().implode())
    is_detained = is_inspected & pl.col("declaration_id").is_in(detained.unique().implode())
    answered = pl.Series(rng.random(count) < _ANSWERED_SHARE)
    cleared = pl.Series(rng.random(count) < _CLEARED_SHARE)
    ways = pl.Series(_DETAINED)[rng.integers(0, len(_DETAINED), count)]
    soon, opened, later = (
        as_seconds(60 * rng.integers(least, most, count))
        for least, most in ((20, 400), (30, 300), (300, 4000))
    )
    inspected_at = pl.col("declared_at") + opened
    ended_at = pl.when(is_inspected).then(inspected_at + later).otherwise(pl.col("declared_at") + soon)
    ending = pl.when(is_detained).then(ways).when(cleared).then(_CLEARED).otherwise(_RELEASED)
    is_answered = answered | is_inspected
    return parcels.with_columns(
        is_answered=is_answered,
        is_inspected=is_inspected,
        inspected_at=pl.when(is_inspected).then(inspected_at.dt.truncate("1s")),
        ending=pl.when(is_answered).then(ending),
        ended_at=pl.when(is_answered).then(ended_at.dt.truncate("1s")),
        released_at=pl.when(is_answered & ~is_detained).then(ended_at.dt.truncate("1s")),
    )


def receipts_of(outcomes: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Return the receipts (622, 604) of parcels with outcomes, in the table's columns.

    A few of imports with a number of the declarant's own do not name the inventory.
    """
    count = outcomes.height
    numberless = pl.Series(rng.random(count) < _NUMBERLESS_SHARE) & outcomes["own_number"].is_not_null()
    numberless &= outcomes["direction"] == "import"
    accepted = pl.Series(rng.random(count) < _ACCEPTED_SHARE)
    answered = outcomes.with_columns(_numberless=numberless, _accepted=accepted).filter("is_answered")
    parts = [
        answered.with_columns(status=pl.col("ending"), sent_at=pl.col("ended_at")),
        answered.filter("is_inspected").with_columns(
            status=pl.lit(_INSPECTED), sent_at=pl.col("inspected_at")
        ),
        answered.filter("_accepted").with_columns(
            status=pl.lit(_ACCEPTED), sent_at=pl.col("declared_at") + pl.duration(minutes=1)
        ),
    ]
    rows = pl.concat([part.with_columns(pl.col("status").cast(pl.Int32)) for part in parts])
    number = pl.when(~pl.col("_numberless")).then("declaration_id")
    return rows.with_columns(
        declaration_id=number, sent_at=pl.col("sent_at").dt.truncate("1s")
    ).select(*RECEIPTS.stated)  # fmt: skip


def taxes_of(
    lines: pl.DataFrame, outcomes: pl.DataFrame, assessed: pl.DataFrame, rng: np.random.Generator
) -> pl.DataFrame:
    """Return the tax bills of some inspected and released retail imports in CNY, in the table's columns.

    Args:
        lines: the declarations' lines.
        outcomes: the parcels of `outcomes_of`.
        assessed: `declaration_id`, `line_no` and `assessed_unit_price` where customs set one; for others
            the declared price counts.
        rng: the generator.

    The taxable price is that of the goods with their share of freight and insurance, by declared value.
    Columns of the whole bill (`duty_of_bill`, `vat_of_bill`, `consumption_of_bill`) join the table's.
    """
    billed = pl.Series(rng.random(outcomes.height) < _BILLED_SHARE)
    heads = outcomes.filter(
        billed, "is_retail", "is_inspected", pl.col("released_at").is_not_null(), pl.col("currency") == "CNY"
    )
    heads = heads.select(
        "declaration_id", "goods_value", "released_at", charges=pl.sum_horizontal("freight", "insurance")
    )
    goods = lines.join(heads, on="declaration_id").join(
        assessed, on=["declaration_id", "line_no"], how="left"
    )
    value = pl.coalesce(pl.col("assessed_unit_price") * pl.col("quantity"), "total_price")
    share = (
        pl.when(pl.col("goods_value") > 0).then(pl.col("total_price") / pl.col("goods_value")).otherwise(0.0)
    )
    priced = goods.with_columns(taxable_price=(value + share * pl.col("charges")).round(5))
    bill = pl.col("declaration_id")
    return priced.with_columns(
        customs_duty=(pl.col("taxable_price") * _DUTY).round(2),
        value_added_tax=(pl.col("taxable_price") * _VAT).round(2),
        consumption_tax=(pl.col("taxable_price") * _CONSUMPTION).round(2),
        tax_bill_id="T" + bill,
        status=pl.lit(1, pl.Int32),
        sent_at=(pl.col("released_at") + pl.duration(hours=2)).dt.truncate("1s"),
    ).with_columns(
        duty_of_bill=pl.col("customs_duty").sum().over(bill),
        vat_of_bill=pl.col("value_added_tax").sum().over(bill),
        consumption_of_bill=pl.col("consumption_tax").sum().over(bill),
    ).select(*TAXES.stated, "duty_of_bill", "vat_of_bill", "consumption_of_bill")  # fmt: skip
