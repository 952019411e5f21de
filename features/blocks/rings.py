"""What the parcel shares with those of other buyers: payer, telephone, goods and address; and allowances that
are used up as soon as their owner is first seen.
"""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from configs.reference.limit import or_nan
from features.block import block
from features.history.view import HistoryView, days_since
from features.pattern import RING_DEFAULTS, ring_column
from features.prepare import CNY_PER_FEN

_NEW_DAYS = 30


@block(keys=("buyer",))
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Other buyers that the payer pays for, buyers with the order's telephone, parcels with the same goods to
    the address and their buyers; and the share of the year's allowance that a buyer has used who was first
    seen at most 30 days ago (0 for others, null for exports).

    Null where the patterns of the day are not known; no columns for a store that knows none.
    """
    if ring_column("payer_buyers") not in lines.columns:
        return lines.select()
    columns = [lines[ring_column(name)].cast(pl.Float64).alias(f"rings__{name}") for name in RING_DEFAULTS]
    if history.has("buyer"):
        used = _allowance_of_newcomers(history, reference)
        is_known = lines[ring_column("payer_buyers")].is_not_null() & ~lines["_is_export"]
        columns.append(pl.select(pl.when(is_known).then(used)).to_series().alias("rings__newcomer_allowance"))
    return pl.DataFrame(columns)


def _allowance_of_newcomers(history: HistoryView, reference: ReferenceDay) -> pl.Series:
    known, today = history.before("buyer"), history.today("buyer")["value_fen"]
    age = days_since(history.day, known["first_day"]).fill_null(0.0)
    facts = pl.DataFrame({"age": age, "year": known["year"], "year_fen": known["year_fen"], "today": today})
    before = pl.when(pl.col("year") == history.day.year).then("year_fen").otherwise(0)
    used = (before + pl.col("today")) * (CNY_PER_FEN / or_nan(reference.yearly_allowance_cny))
    return facts.select(pl.when(pl.col("age") <= _NEW_DAYS).then(used).otherwise(0.0)).to_series()
