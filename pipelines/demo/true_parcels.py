"""Simulated parcels as they really are: nothing but evaluation may read this."""

from __future__ import annotations

from datetime import date

import polars as pl

from configs.errors import DataError
from features.contract.declarations import LINE_KEY
from models.estimates.parcel_table import UNASSIGNED
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store


def true_parcels(store: Store, day: date) -> pl.DataFrame:
    """One row a parcel of a simulated day.

    Columns: declared_on (Date), declaration_id, customs_office (as the lists have it), one Boolean column per
    label (whether any of the parcel's lines has the risk), and `tax_shortfall_cny` (sum over its lines).

    Raises:
        DataError: the store has no truth of that day, as real data never has.
    """
    file = store.layout.file(DayTable.TRUTH, day)
    if not file.exists():
        raise DataError(
            f"expected the truth about {day} at {file}, found none: only `parcel-risk simulate` writes it"
        )
    truth = pl.read_parquet(file, glob=False, hive_partitioning=False)
    labels = [name for name, dtype in truth.schema.items() if dtype == pl.Boolean]
    return (
        store.read_declarations(day, [*LINE_KEY, "customs_office"])
        .join(truth, on=LINE_KEY, how="left", validate="1:1")
        .sort(LINE_KEY)
        .group_by("declaration_id", maintain_order=True)
        .agg(
            pl.col("customs_office").replace("", None).drop_nulls().first().fill_null(UNASSIGNED),
            pl.col(labels).any(),
            pl.col("tax_shortfall_cny").sum(),
        )
        .select(pl.lit(day).alias("declared_on"), pl.all())
    )
