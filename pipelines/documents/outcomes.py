"""How inspections ended, as receipts of customs and tax bills say it.

Pure functions of frames. A receipt says nothing of which risk was found, so its label is `irregularity`.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from features.contract.china_time import china_day
from features.contract.declarations import LINE_KEY
from features.contract.inspections import INSPECTION_KEY

IRREGULARITY: Final = "irregularity"
_INSPECTED: Final = 500
_RELEASED: Final = (800, 899)
_HELD: Final = (501, 502, 503, 505, 599, 700)
OUTCOME_COLUMNS: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "inspected_on": pl.Date(),
    "reported_on": pl.Date(),
    IRREGULARITY: pl.Boolean(),
    "assessed_unit_price": pl.Float64(),
}
"""Of an inspection's row, what documents know."""


def receipt_outcomes(receipts: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each line of each parcel that customs opened and then released or held.

    An inspection is the first receipt 500; it ends with the first receipt of release or of another fate that
    is not before it. An ending without a 500 is no inspection.

    Args:
        receipts: `declaration_id`, `status` and `sent_at`.
        lines: `declaration_id` and `line_no` of parcels.
    """
    opened = receipts.filter(pl.col("status") == _INSPECTED)
    opened = opened.group_by("declaration_id").agg(_opened_at=pl.col("sent_at").min())
    ends = receipts.filter(pl.col("status").is_in([*_RELEASED, *_HELD]))
    ends = ends.join(opened, on="declaration_id").filter(pl.col("sent_at") >= pl.col("_opened_at"))
    first = ends.sort("sent_at", "status").unique("declaration_id", keep="first", maintain_order=True)
    ended = first.select(
        "declaration_id",
        china_day(first["_opened_at"]).alias("inspected_on"),
        china_day(first["sent_at"]).alias("reported_on"),
        pl.col("status").is_in(_HELD).alias(IRREGULARITY),
    )
    rows = lines.select(LINE_KEY).join(ended, on="declaration_id")
    return rows.with_columns(assessed_unit_price=pl.lit(None, pl.Float64)).select(*OUTCOME_COLUMNS)


def assessed_prices(taxes: pl.DataFrame, inspected: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return the price that customs established of inspected lines, on the day from which it is known.

    A bill's taxable price, in CNY, includes the line's share of freight and insurance, by value. It joins the
    last inspection reported by the day of the bill, else the first one, and is known from the later of both.

    Args:
        taxes: lines of bills that hold: `declaration_id`, `line_no`, `taxable_price`, `sent_at`.
        inspected: `INSPECTION_KEY` and `inspected_on` of inspections.
        lines: lines of whole parcels with quantity, total price, freight and insurance, and `cny_rate`, what
            one unit of their currency is in CNY.
    """
    value = pl.col("total_price").sum().over("declaration_id")
    beside = pl.sum_horizontal("freight", "insurance", ignore_nulls=True)
    share = pl.when(value > 0).then(pl.col("total_price") / value)
    priced = lines.select(*LINE_KEY, "quantity", "cny_rate", _beside=beside * share)
    bills = taxes.sort("sent_at").unique(LINE_KEY, keep="last", maintain_order=True)
    bills = bills.select(*LINE_KEY, "taxable_price", china_day(bills["sent_at"]).alias("_billed_on"))
    joined = bills.join(priced, on=LINE_KEY).join(
        inspected.select(*INSPECTION_KEY, "inspected_on"), on=LINE_KEY
    )
    is_before = pl.col("reported_on") <= pl.col("_billed_on")
    nearest = joined.with_columns(
        _rank=pl.when(is_before).then(pl.col("reported_on").to_physical())
        .otherwise(-pl.col("reported_on").to_physical())
    )  # fmt: skip
    chosen = nearest.sort("_rank").unique(LINE_KEY, keep="last", maintain_order=True)
    price = (pl.col("taxable_price") / pl.col("cny_rate") - pl.col("_beside")) / pl.col("quantity")
    rows = chosen.with_columns(
        assessed_unit_price=price.round(4),
        reported_on=pl.max_horizontal("reported_on", "_billed_on"),
        irregularity=pl.lit(None, pl.Boolean),
    )
    return rows.filter(pl.col("assessed_unit_price") >= 0).select(*OUTCOME_COLUMNS)


def outcomes_with_prices(outcomes: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Return outcomes and prices with one row for each line and day of report."""
    both = pl.concat([outcomes, prices])
    return both.group_by(INSPECTION_KEY, maintain_order=True).agg(
        pl.col("inspected_on").first(),
        pl.col(IRREGULARITY).drop_nulls().first(),
        pl.col("assessed_unit_price").drop_nulls().first(),
    ).select(*OUTCOME_COLUMNS)  # fmt: skip
