"""Who is behind the parcel: volume, value, spread and age of each party, from the days before."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.history.needs import KeyKind
from features.history.peers import MILLI
from features.history.view import HistoryView, days_since, distinct, share_of
from features.prepare import FEN_PER_CNY

# An age beyond this says no more than that the party is an old one; left open, it would be the date.
OLD = 60.0


@block(keys=(KeyKind.PARTY,))
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Per party: days since first (60 at most) and last seen (null for a new one), lines ever and lately,
    mean value of a line in CNY, distinct headings, sellers and buyers, the share of its lines that came with
    a first-time other side, and how far its prices used to be from those of their peers (mean log ratio).
    """
    half_lives = history.config.history.activity_half_lives_days
    columns = []
    for spec in history.specs:
        state, name = history.before(spec.name), f"party__{spec.name}"
        seen = state["lines"].cast(pl.Float64)
        columns += [
            days_since(history.day, state["first_day"]).clip(upper_bound=OLD).alias(f"{name}_age_days"),
            days_since(history.day, state["last_day"]).alias(f"{name}_quiet_days"),
            seen.alias(f"{name}_lines"),
            (state["value_fen"] / FEN_PER_CNY).alias(f"{name}_value_cny"),
            share_of(state["value_fen"] / FEN_PER_CNY, seen).alias(f"{name}_mean_value_cny"),
            share_of(state["first_timers"], seen).alias(f"{name}_first_timer_share"),
            (share_of(state["price_milli_decayed"], state["priced_decayed"]) / MILLI).alias(
                f"{name}_price_level"
            ),
            *(
                history.decayed(spec.name, f"lines_{half_life:g}d", half_life).alias(
                    f"{name}_lines_{half_life:g}d"
                )
                for half_life in half_lives
            ),
            *(
                distinct(state[other]).alias(f"{name}_{other}")
                for other in ("headings", "sellers", "buyers")
                if not spec.name.startswith(other.removesuffix("s"))
            ),
        ]
    frame = pl.DataFrame(columns)
    if "party__address_first_timer_share" in frame.columns:
        frame = frame.rename({"party__address_first_timer_share": "party__address_new_sellers_share"})
    return frame
