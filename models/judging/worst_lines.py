"""The lines on which a model was most wrong: findings ranked lowest, and clean lines ranked highest."""

from __future__ import annotations

import numpy as np
import polars as pl

from features.assemble import CARRIED_COLUMNS, KEY_COLUMNS
from features.contract.declarations import TEXT_COLUMNS
from models.risk.risk_model import RiskModel

MISS = "miss"
FALSE_ALARM = "false alarm"
_SHOWN = 10
_BLOCKS = 3
_FURTHER = (
    *("price__total_cny", "price__unit_price_cny", "price__cny_per_kg", "price__quantity"),
    *("weight__gross_kg", "weight__net_kg", "weight__kg_per_unit", "route__dispatch"),
    *("reported_on", "recovered_tax_cny"),
)


def worst_lines(judged: pl.DataFrame, later: pl.DataFrame, model: RiskModel) -> pl.DataFrame:
    """At most ten misses and ten false alarms, the worst first.

    `judged` are the lines of an evaluation (`found`, `probability`, `selection`), `later` the feature frame
    of the same lines in the same order, `model` the one that predicted them, which was not trained on them.
    Columns: `kind`, key, text, carried and some feature columns as far as known, `declared_on`, `selection`,
    `probability`, `rank` (1 = the highest probability of all lines), and `why`: the blocks that moved the
    probability most, each with what it added to the log-odds.
    """
    probability, found = judged["probability"].to_numpy(), judged["found"].to_numpy()
    order = np.argsort(-probability, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    misses = order[::-1][found[order[::-1]]][:_SHOWN]
    alarms = order[~found[order]][:_SHOWN]
    wanted = (*KEY_COLUMNS, "declared_on", "selection", *TEXT_COLUMNS, *CARRIED_COLUMNS, *_FURTHER)
    columns = [name for name in wanted if name in later.columns]
    chosen = np.concatenate([misses, alarms])
    shown = later[chosen]
    return shown.select(
        pl.Series("kind", [MISS] * len(misses) + [FALSE_ALARM] * len(alarms), dtype=pl.String),
        pl.Series("rank", rank[chosen]),
        pl.Series("probability", probability[chosen]),
        *columns,
        pl.Series("why", _why(model, shown), dtype=pl.String),
    )


def _why(model: RiskModel, shown: pl.DataFrame) -> list[str]:
    if shown.is_empty():
        return []
    words = []
    for row in model.contributions(shown).iter_rows(named=True):
        largest = sorted(row.items(), key=lambda part: (-abs(part[1]), part[0]))[:_BLOCKS]
        words.append(", ".join(f"{block.replace('_', ' ')} {added:+.2f}" for block, added in largest))
    return words
