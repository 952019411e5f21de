"""When the parcel was declared, in China's time (UTC+8)."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.history.view import HistoryView


@block()
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Hour (null where the source gives days only), weekday (1 = Monday) and day of the month."""
    local = pl.col("declared_at").dt.convert_time_zone("Asia/Shanghai")
    midnight = (local.dt.hour() == 0) & (local.dt.minute() == 0) & (local.dt.second() == 0)
    return lines.select(
        pl.when(~midnight).then(local.dt.hour()).cast(pl.Float64).alias("calendar__hour"),
        local.dt.weekday().cast(pl.Float64).alias("calendar__weekday"),
        local.dt.day().cast(pl.Float64).alias("calendar__day_of_month"),
    )
