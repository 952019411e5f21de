"""What goes back of the parcel's seller, buyer, address and goods: how much, how soon, is it that."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.history.view import HistoryView, share_of
from features.pattern import RETURN_KEYS, returned_column
from features.prepare import CNY_PER_FEN

_HISTORY_KEYS = {"seller": "seller", "buyer": "buyer", "address": "address", "goods": "hs6"}
_OF_LINES = {"days": "days", "near_limit": "near_limit_share", "differs": "differing_share"}


@block(keys=tuple(_HISTORY_KEYS.values()))
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Per key: lines that go back and their value (CNY), both as a share of what was declared; days from
    release to application, and the shares of returns just within the limit and of other goods or weights.

    Declared is what the longest memory of activity holds; of goods, which have none, all that ever was. Null
    where the patterns of the day are not known, and shares where nothing was declared before; no columns for
    a store that knows none.
    """
    if returned_column("seller", "lines") not in lines.columns:
        return lines.select()
    columns = []
    for key in RETURN_KEYS:
        name = f"returns__{key}"
        back = lines[returned_column(key, "lines")].cast(pl.Float64)
        columns += [
            back.alias(f"{name}_lines"),
            (lines[returned_column(key, "value_fen")] * CNY_PER_FEN).alias(f"{name}_value_cny"),
            *(lines[returned_column(key, fact)].alias(f"{name}_{told}") for fact, told in _OF_LINES.items()),
        ]
        if history.has(_HISTORY_KEYS[key]):
            columns.append(share_of(back, _declared(history, _HISTORY_KEYS[key])).alias(f"{name}_share"))
    return pl.DataFrame(columns)


def _declared(history: HistoryView, key: str) -> pl.Series:
    """How many lines of the key were declared lately, as far as the history tells."""
    spec = next(spec for spec in history.specs if spec.name == key)
    if not spec.party:
        return history.before(key)["lines"].cast(pl.Float64)
    half_life = max(history.config.history.activity_half_lives_days)
    return history.decayed(key, f"lines_{half_life:g}d", half_life)
