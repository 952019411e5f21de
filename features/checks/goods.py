"""Whether an order line and the inventory line of the same number say the same goods."""

from __future__ import annotations

from typing import Final

import polars as pl

from features.check import ORDER_KEY, CheckedDay, as_findings, check_family
from features.words.figures import figure, listed, money, ready_for_words

# Prices have up to five decimals in one document and are rounded to the fen in another.
_PRICE_ROUNDING: Final = 0.005
# Decimal numbers of five decimals, as doubles.
_ROUNDING: Final = 1e-6
_SHARE: Final = 1e-9


@check_family("goods")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return lines that differ from the order in item number, quantity or unit price; imports and exports.

    Each of the three is compared where both documents say it; prices where they are in one currency, and
    as exactly as the fen. Lines that only one of them has are told by the totals (`amount`).
    """
    ordered = day.orders.select(
        *ORDER_KEY,
        "line_no",
        ordered_item=_item_number("item_no"),
        ordered_quantity="quantity",
        ordered_price="unit_price",
        ordered_currency="currency",
    )
    lines = day.lines.with_columns(item=_item_number("item_no"))
    pairs = lines.join(ordered, on=[*ORDER_KEY, "line_no"])
    item = pl.col("item") != pl.col("ordered_item")
    quantity = _apart("quantity", _ROUNDING)
    one_currency = pl.col("currency").is_null() | pl.col("ordered_currency").is_null()
    one_currency |= pl.col("currency") == pl.col("ordered_currency")
    price = _apart("price", _PRICE_ROUNDING + _ROUNDING) & one_currency
    pairs = (
        ready_for_words(pairs)
        .rename({"unit_price": "price"})
        .select(
            "declaration_id",
            "line_no",
            found=listed(
                pl.when(item).then(pl.format("item number {}", "item")),
                pl.when(quantity).then(pl.format("quantity {}", figure(pl.col("quantity")))),
                pl.when(price).then(pl.format("price {}", money(pl.col("price"), pl.col("currency")))),
            ),
            expected=listed(
                pl.when(item).then(pl.format("item number {}", "ordered_item")),
                pl.when(quantity).then(pl.format("quantity {}", figure(pl.col("ordered_quantity")))),
                pl.when(price).then(
                    pl.format("price {}", money(pl.col("ordered_price"), pl.col("ordered_currency")))
                ),
            ),
            basis=pl.format("order {} of {}", "order_id", "platform_id"),
        )
    )
    return as_findings(pairs.filter(pl.col("found") != ""), "goods")


def _item_number(name: str) -> pl.Expr:
    """The item number as it is compared, null where it is empty."""
    trimmed = pl.col(name).str.strip_chars().str.to_uppercase()
    return pl.when(trimmed != "").then(trimmed)


def _apart(name: str, allowed: float) -> pl.Expr:
    """Whether two numbers differ by more than the decimals they are written with."""
    ours, theirs = pl.col(name), pl.col(f"ordered_{name}")
    return (ours - theirs).abs() > allowed + _SHARE * pl.max_horizontal(ours.abs(), theirs.abs())
