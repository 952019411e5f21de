"""Whether the amounts of an order, of its payments and of its inventory agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from features.check import ORDER_KEY, CheckedDay, as_findings, check_family
from features.words.figures import amount_of, listed, money, ready_for_words

_PARTS: Final = ("goods_value", "freight", "tax_total", "discount")
# Amounts have five decimals at most.
_DECIMALS: Final = 6


@check_family("amount")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return parcels with amounts that differ beyond the tolerance, one row a parcel; imports and exports.

    Compared are goods value + freight + tax - discount with what the order says was paid; the sum of its
    payments with the same; and the totals of the lines of order and inventory. An amount that is missing
    is not 0: an export's order (303), which says neither tax nor discount nor what was paid, is compared by
    its lines alone. An order that came in several inventories is compared with one of them or with all.
    Amounts in different currencies are not compared.
    """
    order_heads = day.order_heads.select(*ORDER_KEY, *_PARTS, "paid_total", "paid_currency")
    frame = (
        day.parcels.select("declaration_id", *ORDER_KEY)
        .join(order_heads, on=ORDER_KEY)
        .join(_sums(day.payments, ORDER_KEY, "amount", "payment"), on=ORDER_KEY, how="left")
        .join(_sums(day.orders, ORDER_KEY, "total_price", "ordered"), on=ORDER_KEY, how="left")
        .join(_sums(day.lines, ("declaration_id",), "total_price", "declared"), on="declaration_id")
        .join(_sums(day.inventories, ORDER_KEY, "total", "together"), on=ORDER_KEY, how="left")
    )
    goods, freight, tax, discount = (pl.col(name) for name in _PARTS)
    frame = frame.with_columns(owed_total=goods + freight + tax - discount, owed_currency="paid_currency")
    tolerance = day.config.amount_tolerance_cny
    rates = {
        f"{name}_rate": day.reference.cny_rate(frame[f"{name}_currency"]) for name in ("paid", "ordered")
    }
    frame = frame.with_columns(**rates)
    identity = _differ("owed", "paid", tolerance)
    paid = _differ("payment", "paid", tolerance)
    whole = _differ("together", "ordered", tolerance).fill_null(True)
    lines = _differ("declared", "ordered", tolerance) & whole
    sum_owed = pl.format(
        "goods {} + freight {} + tax {} - discount {} = {}",
        *(amount_of(part) for part in (goods, freight, tax, discount)),
        _money("owed"),
    )
    rows = ready_for_words(frame).select(
        "declaration_id",
        found=listed(
            pl.when(identity).then(pl.format("order paid {}", _money("paid"))),
            pl.when(paid).then(pl.format("payment {}", _money("payment"))),
            pl.when(lines).then(pl.format("inventory lines {}", _money("declared"))),
        ),
        expected=listed(
            pl.when(identity).then(sum_owed),
            pl.when(paid).then(pl.format("order paid {}", _money("paid"))),
            pl.when(lines).then(pl.format("order lines {}", _money("ordered"))),
        ),
        basis=pl.format("order {} of {}", "order_id", "platform_id"),
    )
    return as_findings(rows.filter(pl.col("found") != ""), "amount")


def _sums(rows: pl.DataFrame, key: Sequence[str], amount: str, name: str) -> pl.DataFrame:
    """The sum of an amount over rows of a key as `<name>_total`, and `<name>_currency`.

    Null where one of the amounts is not known, or where they are in several currencies.
    """
    currency = pl.col("currency").drop_nulls()
    is_known = (pl.col(amount).null_count() == 0) & (currency.n_unique() <= 1)
    return (
        rows.drop_nulls(key)
        .group_by(key)
        .agg(
            pl.when(is_known).then(pl.col(amount).sum()).alias(f"{name}_total"),
            pl.when(is_known).then(currency.first()).alias(f"{name}_currency"),
        )
    )


def _money(name: str) -> pl.Expr:
    return money(pl.col(f"{name}_total"), pl.col(f"{name}_currency"))


def _differ(one: str, other: str, tolerance: float) -> pl.Expr:
    """Whether two amounts of one currency differ by more than the tolerance in CNY; null where one is absent.

    Without a rate of the currency the tolerance is in the currency itself.
    """
    ours, theirs = pl.col(f"{one}_currency"), pl.col(f"{other}_currency")
    comparable = ours.is_null() | theirs.is_null() | (ours == theirs)
    rate = pl.col(f"{other}_rate").fill_null(1.0)
    difference = (pl.col(f"{one}_total") - pl.col(f"{other}_total")).abs() * rate
    return comparable & (difference.round(_DECIMALS) > tolerance)
