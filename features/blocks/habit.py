"""Whether this is what the party usually does: how many of its earlier lines had these goods, this origin."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.history.needs import KeyKind
from features.history.view import HistoryView, share_of


@block(keys=(KeyKind.EVERY,))
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """For each combination that backs off to a party: earlier lines, and their share of all earlier lines of
    the party. Null where the party is new or unknown.
    """
    parties = {spec.name for spec in history.specs if spec.party}
    columns = []
    for spec in history.specs:
        if spec.backoff not in parties:
            continue
        same = history.before(spec.name)["lines"].cast(pl.Float64)
        every = history.before(spec.backoff)["lines"]
        share = share_of(same, every).alias(f"habit__{spec.name}_share")
        columns += [same.alias(f"habit__{spec.name}_lines"), share]
    return pl.DataFrame(columns)
