"""The goods model of a training: one for all risks, from a sample of all lines of the days that it knows."""

from __future__ import annotations

from datetime import date

import polars as pl

from features.arrays.hashing import drawn_lines
from features.assemble import as_declared
from features.prepare import prepare_lines
from models.goods.fitting import fit_goods_model
from models.goods.goods_model import GoodsModel
from pipelines.history.chronicle import Chronicle

_MOST_LINES = 150_000


def goods_model(chronicle: Chronicle, until: date) -> GoodsModel | None:
    """Fit the goods model on lines of every day up to `until`, inspected or not; None with too few of them.

    As many of each day are drawn, by a hash of their parcel. Days are read here and not taken from the replay
    of features: a backtest trains again from features that it has kept, without a replay.
    """
    store, settings = chronicle.store, chronicle.settings
    days = [day for day in store.declaration_days() if day <= until]
    parts = []
    for day in days:
        drawn = drawn_lines(store.read_declarations(day), _MOST_LINES // len(days))
        reference = chronicle.reference.on(day)
        lines = prepare_lines(drawn, reference, settings.pipeline.features)
        parts.append(as_declared(lines).with_columns(reference.tax_rate(lines).alias("tax_rate")))
    if not parts:
        return None
    return fit_goods_model(pl.concat(parts), settings.pipeline.training.seed)
