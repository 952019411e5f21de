"""What happened on one day, summed by key: the step of the history's fold and the same-day features.

All sums are of integers or bitwise unions, so buckets may be summed in any order and merged: the result is
the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from configs.schema import PipelineConfig
from features.hashing import text_hashes
from features.keys import key_column, key_specs
from features.peers import count_prices, price_levels_of

if TYPE_CHECKING:
    from features.history import History

_SUM_COLUMNS = ("lines", "parcels", "value_fen", "first_timers", "priced", "price_milli")
_UNION_COLUMNS = ("headings", "sellers", "buyers")


@dataclass(frozen=True)
class DayTables:
    """`parties`: a frame by key name (`key`, `lines`, for parties and `same_day` keys `parcels` and
    `value_fen`, for parties `first_timers`, `priced`, `price_milli`, bitmaps); `prices`: a frame by measure
    and level (`key`, `bin`, `count`)."""

    parties: Mapping[str, pl.DataFrame]
    prices: Mapping[str, pl.DataFrame]


def day_tables(lines: pl.DataFrame, day: date, eve: History, config: PipelineConfig) -> DayTables:
    """Sums the prepared and keyed `lines` of `day`, or of one bucket of it, as the history of the eve sees
    them.

    A line is a first-timer's where the other side (the seller; for a seller, the buyer) was never seen before
    that day. `price_milli` adds up how far the unit prices are from those of their peers (`priced` lines have
    any): peers by name where there are some, by heading elsewhere.
    """
    specs, peers = key_specs(config.history), config.peers
    known = {name: eve.tables[name] for name in ("seller", "buyer") if name in eve.tables}
    levels = [level.name for level in (*peers.goods_levels, *peers.levels)]
    marked = lines.with_columns(
        price_levels_of(lines, eve.peers(day, config), levels),
        _bit(lines["_hs4"], "_heading_bit"),
        _bit(lines["seller_id"], "_seller_bit"),
        _bit(lines["buyer_id"], "_buyer_bit"),
        _is_new(lines, known, "seller").alias("_new_seller"),
        _is_new(lines, known, "buyer").alias("_new_buyer"),
    )
    plans = []
    for spec in specs:
        key = pl.col(key_column(spec.name)).alias("key")
        expressions = [pl.len().cast(pl.Int64).alias("lines")]
        if spec.party or spec.same_day:
            expressions += [
                pl.col("declaration_id").n_unique().cast(pl.Int64).alias("parcels"),
                pl.col("_total_fen").sum().alias("value_fen"),
            ]
        if spec.party:
            other = "_new_buyer" if spec.name == "seller" else "_new_seller"
            expressions += [
                pl.col(other).sum().cast(pl.Int64).alias("first_timers"),
                pl.col("_price_milli").count().cast(pl.Int64).alias("priced"),
                pl.col("_price_milli").sum().alias("price_milli"),
                pl.col("_heading_bit").bitwise_or().alias("headings"),
                pl.col("_seller_bit").bitwise_or().alias("sellers"),
                pl.col("_buyer_bit").bitwise_or().alias("buyers"),
            ]
        plans.append(marked.lazy().filter(key.is_not_null()).group_by(key).agg(expressions))
    parties = dict(zip((spec.name for spec in specs), pl.collect_all(plans), strict=True))
    return DayTables(parties, count_prices(lines, peers.columns_by_level))


def merge_day_tables(parts: Sequence[DayTables]) -> DayTables:
    """The sums of a whole day from those of its buckets."""
    if len(parts) == 1:
        return parts[0]
    parties = {name: merge_parties([part.parties[name] for part in parts]) for name in parts[0].parties}
    prices = {name: merge_prices([part.prices[name] for part in parts]) for name in parts[0].prices}
    return DayTables(parties, prices)


def merge_prices(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One sketch of a whole day, or of some of its keys, from those of its buckets."""
    return pl.concat(frames).group_by("key", "bin").agg(pl.col("count").sum())


def merge_parties(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The sums of a key over a whole day, or of some of its values, from those of its buckets."""
    columns = frames[0].columns
    return (
        pl.concat(frames)
        .group_by("key")
        .agg(
            *(pl.col(name).sum() for name in _SUM_COLUMNS if name in columns),
            *(pl.col(name).bitwise_or() for name in _UNION_COLUMNS if name in columns),
        )
        .select(columns)
    )


def _bit(values: pl.Series, name: str) -> pl.Series:
    """A bitmap with the one bit that stands for the value; no bit where it is null."""
    hashes = text_hashes(values)
    bits = np.uint64(1) << (hashes >> np.uint64(17) & np.uint64(63))
    bits[hashes == 0] = 0
    return pl.Series(name, bits, dtype=pl.UInt64)


def _is_new(lines: pl.DataFrame, known: Mapping[str, pl.DataFrame], party: str) -> pl.Series:
    keys = lines[key_column(party)] if key_column(party) in lines.columns else None
    if keys is None or party not in known:
        return pl.Series(party, [False]).new_from_index(0, lines.height)
    seen = known[party].filter(pl.col("lines") > 0)["key"]
    return keys.is_not_null() & ~keys.is_in(seen.implode()).fill_null(value=False)
