"""What buyers of a day bought in its calendar year of the headings of which a person may buy so much."""

from __future__ import annotations

from datetime import date

import polars as pl

from configs.reference.facts import ReferenceDay
from features.check import BOUGHT_COLUMNS, RETAIL_IMPORT
from features.contract.china_time import closing_moment
from features.contract.declarations import LINE_KEY
from features.contract.documents import RETURNS
from pipelines.checks.known_declarations import days_between, known_over
from pipelines.documents.known import known_documents
from pipelines.store.store import Store


def bought_in_year(store: Store, day: date, lines: pl.DataFrame, reference: ReferenceDay) -> pl.DataFrame:
    """Return the year's retail imports up to the day, as known at its close, in `BOUGHT_COLUMNS`.

    Of the buyers of `lines` and the headings that have a limit, with what was applied for to go back; lines
    of the day that were sent later are among them. Empty where no list of limits is loaded.
    """
    prefixes = reference["positive_list"].filter(pl.col("quantity").is_not_null())["hs_prefix"].to_list()
    limited = pl.any_horizontal(
        pl.lit(False), *(pl.col("hs_code").str.starts_with(prefix) for prefix in prefixes)
    )
    columns = [name for name in BOUGHT_COLUMNS if name not in ("returned", "is_late")]
    of_day = lines.filter(RETAIL_IMPORT, limited, pl.col("buyer_id").is_not_null()).select(columns)
    if of_day.is_empty():
        return pl.DataFrame(schema=BOUGHT_COLUMNS)
    before, buyers = closing_moment(day), of_day.select("buyer_id").unique().lazy()
    known = (
        known_over(store, days_between(store, date(day.year, 1, 1), day), before)
        .filter(RETAIL_IMPORT, limited)
        .join(buyers, on="buyer_id", how="semi")
        .select(columns)
        .collect(engine="streaming")
    )
    late = of_day.join(known, on=LINE_KEY, how="anti").with_columns(is_late=True)
    bought = pl.concat([known.with_columns(is_late=False), late])
    returned = (
        known_documents(store.layout, RETURNS, before)
        .join(bought.lazy().select(LINE_KEY), on=LINE_KEY, how="semi")
        .group_by(LINE_KEY)
        .agg(returned=pl.col("quantity").sum())
        .collect(engine="streaming")
    )
    bought = bought.join(returned, on=LINE_KEY, how="left").with_columns(pl.col("returned").fill_null(0.0))
    return bought.select(*BOUGHT_COLUMNS)
