"""All chances of a parcel, not only that of the risk with the largest value."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from models.estimates.parcel_table import parcel_table

_UNKNOWN = ("customs_office", "trade_mode", "seller_id", "buyer_id")


def parcel_chances(scores: pl.DataFrame, risks: Sequence[str]) -> pl.DataFrame:
    """`declaration_id`, `risk`, `line_no` (the likeliest line, the lowest number among equals) and
    `probability` (1 − Π(1 − p) over the lines), a row a parcel and risk that has a score.

    `scores` have `declaration_id`, `line_no` and a column a risk, of whole parcels in whatever order.

    >>> scores = pl.DataFrame({"declaration_id": ["A", "A"], "line_no": [1, 2], "food_safety": [0.5, 0.6]})
    >>> parcel_chances(scores, ["food_safety"]).rows()
    [('A', 'food_safety', 2, 0.8)]
    """
    unknown = [pl.lit(None, dtype=pl.String).alias(name) for name in _UNKNOWN]
    tables = [
        parcel_table(
            scores.select(
                "declaration_id", "line_no", *unknown,
                pl.col(risk).alias(f"probability_{risk}"), pl.lit(1.0).alias(f"value_{risk}"),
            ),
            [risk],
        )
        for risk in risks
    ]  # fmt: skip
    kept = [table.select("declaration_id", "risk", "line_no", "probability") for table in tables]
    return pl.concat(kept).drop_nulls("risk").sort("declaration_id", "risk")
