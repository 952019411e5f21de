"""The further columns of a source: whatever its mapping keeps beyond the contract's."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.contract.declarations import DECLARATION_COLUMNS
from features.history.view import HistoryView


@block()
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """`extra__<column>` as it is: text as a category, numbers as Float64."""
    extras = sorted(
        name for name in lines.columns if not name.startswith("_") and name not in DECLARATION_COLUMNS
    )
    return lines.select(
        pl.col(name)
        .cast(pl.String if lines.schema[name] == pl.String else pl.Float64)
        .alias(f"extra__{name}")
        for name in extras
    )
