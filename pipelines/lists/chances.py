"""Which chances of a listed parcel are told beside that of the risk it is listed for."""

from __future__ import annotations

import polars as pl

LEAST_TOLD = 0.05
"""Less is explained for the listed risk only, and told only where it is that risk's or above it."""
CHANCES = "chances"
CHANCES_TYPE: pl.DataType = pl.List(
    pl.Struct(
        {"risk": pl.String(), "line_no": pl.Int32(), "probability": pl.Float64(), "reason_1": pl.String()}
    )
)
"""Of the column with a parcel's chances; the first reason in another language is a further field."""


def with_chances(listed: pl.DataFrame, chances: pl.DataFrame) -> pl.DataFrame:
    """The listed parcels with those of their chances that are told, the largest first, in `CHANCES`.

    `chances` has a row a parcel and risk: `declaration_id`, `risk`, `line_no`, `probability`, and reasons.
    """
    of_list = listed.select("declaration_id", pl.col("risk", "probability").name.prefix("_listed_"))
    probability = pl.col("probability")
    is_listed = (pl.col("risk") == pl.col("_listed_risk")).fill_null(value=False)
    is_likelier = (probability > pl.col("_listed_probability")).fill_null(value=False)
    told = chances.join(of_list, on="declaration_id", how="inner", maintain_order="left").filter(
        is_listed | is_likelier | (probability >= LEAST_TOLD)
    )
    first = [name for name in chances.columns if name.partition("@")[0] == "reason_1"]
    ordered = told.sort("declaration_id", "probability", "risk", descending=[False, True, False])
    nested = ordered.group_by("declaration_id", maintain_order=True).agg(
        pl.struct("risk", "line_no", "probability", *first).alias(CHANCES)
    )
    return listed.join(nested, on="declaration_id", how="left", maintain_order="left")
