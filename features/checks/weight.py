"""Whether waybill and inventory say the same gross weight."""

from __future__ import annotations

import polars as pl

from features.check import WAYBILL_KEY, CheckedDay, as_findings, check_family
from features.words.figures import figure, ready_for_words

# What is left of a difference of decimal numbers that are at the tolerance.
_ROUNDING = 1e-9


@check_family("weight")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return parcels whose weights differ by more than both tolerances; imports and exports."""
    weighed = day.waybills.select(*WAYBILL_KEY, weighed="gross_weight_kg")
    pairs = day.parcels.join(weighed, on=WAYBILL_KEY)
    declared = pl.col("gross_weight_kg")
    difference = (declared - pl.col("weighed")).abs()
    share = day.config.weight_tolerance_share * pl.max_horizontal(declared, "weighed")
    apart = (difference > share + _ROUNDING) & (difference > day.config.weight_tolerance_kg + _ROUNDING)
    rows = ready_for_words(pairs.filter(apart)).select(
        "declaration_id",
        found=pl.format("inventory {} kg", figure(declared)),
        expected=pl.format("waybill {} kg", figure(pl.col("weighed"))),
        basis=pl.format("waybill {} of {}", "waybill_id", "carrier_id"),
    )
    return as_findings(rows, "weight")
