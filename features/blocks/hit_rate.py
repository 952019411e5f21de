"""Past findings of parties, commodities and combinations, from results reported before the day."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.history.hit_rates import key_hit_rates
from features.history.needs import KeyKind
from features.history.view import HistoryView


@block(label=True, keys=(KeyKind.EVERY,))
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Per key: smoothed rate, lines inspected and findings so far, for the label of the risk at hand."""
    rates = key_hit_rates(history)
    return rates.rename({name: f"hit_rate__{name}" for name in rates.columns})
