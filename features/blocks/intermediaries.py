"""Through whom the parcel comes."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.history.view import HistoryView

_CATEGORIES = {"platform": "platform_id", "agent": "agent_id", "carrier": "carrier_id"}


@block()
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Platform, agent and carrier as categories."""
    return lines.select(
        pl.col(column).alias(f"intermediaries__{name}") for name, column in _CATEGORIES.items()
    )
