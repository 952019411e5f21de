"""What goes back of each seller, buyer, address and kind of goods: how much, how soon, and is it that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from features.check import CheckedDay
from features.contract.china_time import china_day
from features.contract.declarations import LINE_KEY
from features.pattern import APPLIED_COLUMNS, RETURN_KEYS, RETURNED_COLUMNS

# The last part of the period in which goods may go back: whoever waits on purpose, waits for it.
_NEAR_LIMIT_FROM: Final = 0.8
_FEN_PER_CNY: Final = 100.0
_HS6: Final = 6
_OFFSETS: Final = {"days": "d", "months": "mo"}
_BOTH: Final = ("seller_id", "buyer_id", "hs_code", "unit", "quantity", "legal_unit", "legal_quantity")


def lines_applied_for(day: CheckedDay) -> pl.DataFrame:
    """Return the lines for whose return was applied on the day, in `APPLIED_COLUMNS` and the order of keys.

    Each line once, as its last application of the day says. What was declared is told by the inventory; of a
    line that no inventory has only what the application says is known.
    """
    declared = day.returned_lines.select(
        *LINE_KEY,
        *("address_id", "total_price", "currency", "declared_at", "released_at"),
        pl.col("direction").alias("declared_direction"),
        *(pl.col(name).alias(f"declared_{name}") for name in _BOTH),
    )
    rows = (
        day.returns.filter("is_new")
        .sort(*LINE_KEY, "sent_at", "own_number")
        .unique(LINE_KEY, keep="last", maintain_order=True)
        .select(*LINE_KEY, "direction", "applied_at", *_BOTH)
        .join(declared, on=LINE_KEY, how="left", maintain_order="left")
    )
    rows = rows.with_columns(rate=day.reference.cny_rate(rows["currency"]))
    periods = {row["rule"]: row for row in day.reference["return_periods"].iter_rows(named=True)}
    applied_on = china_day(pl.col("applied_at"))
    since = china_day(pl.coalesce("released_at", "declared_at"))
    elapsed = (applied_on - since).dt.total_days()
    allowed = (_last_day(since, periods) - since).dt.total_days()
    known = rows.with_columns(
        applied_on=applied_on,
        seller_id=pl.coalesce("declared_seller_id", "seller_id"),
        buyer_id=pl.coalesce("declared_buyer_id", "buyer_id"),
        hs6=pl.coalesce("declared_hs_code", "hs_code").str.slice(0, _HS6),
        value_fen=(pl.col("total_price") * _share_of_line() * pl.col("rate") * _FEN_PER_CNY).round(),
        days=elapsed,
        near_limit=(elapsed >= allowed * _NEAR_LIMIT_FROM) & (elapsed <= allowed),
        differs=_differs(day.config.weight_tolerance_share),
    )
    return known.select(pl.col(name).cast(dtype) for name, dtype in APPLIED_COLUMNS.items())


def returned_by_key(applied: pl.DataFrame) -> pl.DataFrame:
    """Return what goes back of each key, in `RETURNED_COLUMNS` and their order.

    A line that was applied for on several days counts once, as the last of them says.

    Args:
        applied: `lines_applied_for` of days.
    """
    lines = applied.sort("applied_on", *APPLIED_COLUMNS).unique(LINE_KEY, keep="last", maintain_order=True)
    # Means of whole numbers: the order of the rows is of no consequence.
    facts = [
        pl.len().alias("lines"),
        pl.col("value_fen").sum(),
        pl.col("days", "near_limit", "differs").mean(),
    ]
    parts = [pl.DataFrame(schema=RETURNED_COLUMNS)]
    for column in RETURN_KEYS.values():
        counted = lines.drop_nulls(column).group_by(column).agg(facts)
        parts.append(
            counted.select(
                (pl.col(name) if name in counted.columns else pl.lit(None)).cast(dtype).alias(name)
                for name, dtype in RETURNED_COLUMNS.items()
            )
        )
    return pl.concat(parts).sort(list(RETURN_KEYS.values()))


def _share_of_line() -> pl.Expr:
    """Which part of the line goes back; null where its quantity is not known, or in another unit."""
    one_unit = pl.col("unit").eq_missing(pl.col("declared_unit")) | pl.col("unit").is_null()
    share = pl.when(one_unit).then(pl.col("quantity") / pl.col("declared_quantity"))
    return share.clip(upper_bound=1.0)


def _last_day(since: pl.Expr, periods: Mapping[str, Any]) -> pl.Expr:
    """The last day of the period in which the goods may go back; null where no rule holds."""
    way = pl.coalesce("declared_direction", "direction", pl.lit("import"))
    last = pl.lit(None, pl.Date())
    for rule in ("import", "export"):
        if period := periods.get(rule):
            offset = f"{int(period['count'])}{_OFFSETS[period['unit']]}"
            last = pl.when(way == rule).then(since.dt.offset_by(offset)).otherwise(last)
    return last


def _differs(tolerance: float) -> pl.Expr:
    """Whether what goes back has another heading, or another statutory quantity a unit (kilograms, of most
    goods); null where neither can be compared.
    """
    back, declared = (
        pl.col(f"{prefix}legal_quantity") / pl.col(f"{prefix}quantity") for prefix in ("", "declared_")
    )
    heading = pl.col("hs_code").str.slice(0, _HS6) != pl.col("declared_hs_code").str.slice(0, _HS6)
    comparable = (pl.col("unit") == pl.col("declared_unit")) & (
        pl.col("legal_unit") == pl.col("declared_legal_unit")
    )
    weight = (back - declared).abs() > tolerance * pl.max_horizontal(back, declared)
    weight = pl.when(comparable).then(weight)
    return pl.coalesce(heading | weight, heading, weight)
