"""Whether order, payment and waybill of a retail import had come in at the close of its day."""

from __future__ import annotations

from typing import Final

import polars as pl

from features.check import ORDER_KEY, RETAIL_IMPORT, WAYBILL_KEY, CheckedDay, as_findings, check_family
from features.words.figures import ready_for_words

_NAMES: Final = {
    "platform_id": "platform",
    "order_id": "order",
    "carrier_id": "carrier",
    "waybill_id": "waybill",
}


@check_family("order_missing", "payment_missing", "waybill_missing")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return retail imports (9610, 1210, 1239) without one of the three documents.

    An inventory that lacks the number of order or waybill, or the code of platform or carrier, has none: the
    finding says which it lacks. A payment is one for the order.
    """
    return pl.concat(
        [
            _missing(day, "order", day.orders, ORDER_KEY),
            _missing(day, "payment", day.payments, ORDER_KEY),
            _missing(day, "waybill", day.waybills, WAYBILL_KEY),
        ]
    )


def _missing(day: CheckedDay, name: str, documents: pl.DataFrame, key: tuple[str, str]) -> pl.DataFrame:
    there = documents.select(key).unique()
    maker, number = key
    article = "an" if name == "order" else "a"
    told = pl.lit(f"no {name} for order ") if name == "payment" else pl.lit(f"no {name} ")
    rows = (
        day.parcels.filter(RETAIL_IMPORT)
        .join(there, on=key, how="anti")
        .pipe(ready_for_words)
        .select(
            "declaration_id",
            found=pl.when(pl.all_horizontal(pl.col(key).is_not_null()))
            .then(pl.concat_str(told, number, pl.lit(" of "), maker))
            .otherwise(pl.concat_str(pl.lit("the inventory names "), _lacking(key))),
            expected=pl.lit(f"{article} {name} by the close of {day.day}"),
            basis=pl.lit(name),
        )
    )
    return as_findings(rows, f"{name}_missing", "open")


def _lacking(key: tuple[str, str]) -> pl.Expr:
    """What an inventory does not name of a key; empty where it names both."""
    return pl.concat_str(
        [pl.when(pl.col(column).is_null()).then(pl.lit(f"no {_NAMES[column]}")) for column in key],
        separator=" and ",
        ignore_nulls=True,
    )
