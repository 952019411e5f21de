"""Past findings of parties, commodities and combinations, from results reported before the day."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.history.hit_rates import key_hit_rates
from features.history.view import HistoryView

DEPENDS_ON_LABEL = True


def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Per key: smoothed rate, lines inspected and findings so far, for the label of the risk at hand.

    Raises ValueError where the view has no label.
    """
    if history.label is None:
        raise ValueError("hit rates belong to a label: use HistoryView.for_label")
    rates = key_hit_rates(history, history.label)
    return rates.rename({name: f"hit_rate__{name}" for name in rates.columns})
