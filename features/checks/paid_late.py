"""Whether an import was paid by the close of its declaration's day."""

from __future__ import annotations

import polars as pl

from features.check import NO_EXPORT, ORDER_KEY, CheckedDay, as_findings, check_family
from features.words.figures import china_minute, ready_for_words


@check_family("paid_late")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return imports with a payment, known at the close of the day, that says a later moment.

    The money for an export comes when it comes.
    """
    paid = day.payments.group_by(ORDER_KEY).agg(pl.col("paid_at").max())
    rows = (
        day.parcels.filter(NO_EXPORT)
        .join(paid, on=ORDER_KEY)
        .filter(pl.col("paid_at") >= day.closes_at)
        .pipe(ready_for_words)
        .select(
            "declaration_id",
            found=pl.format("paid at {}", china_minute(pl.col("paid_at"))),
            expected=pl.lit(f"paid by the close of {day.day}"),
            basis=pl.format("payment for order {} of {}", "order_id", "platform_id"),
        )
    )
    return as_findings(rows, "paid_late")
