"""What happened on one day, summed by key: the step of the history's fold and the same-day features.

All sums are of integers or bitwise unions, so buckets may be summed in any order and merged: the result is
the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from configs.schema.pipeline import FeaturesConfig
from features.arrays.distinct import distinct_keys, distinct_text
from features.arrays.group_sums import distinct_parcels, lines_of, sums_of, union_of
from features.arrays.key_index import Indexes, Rows, rows_of_keys, wanted_keys
from features.arrays.types import IntArray, UInt64Array
from features.history.keys import hashed_column, key_column, key_specs
from features.history.peers import count_prices, price_levels_of
from features.history.state import History

UNION_COLUMNS = ("headings", "sellers", "buyers")


@dataclass(frozen=True)
class DayTables:
    """`parties`: a frame by key name (`key`, `lines`, for parties and `same_day` keys `parcels` and
    `value_fen`, for parties `first_timers`, `priced`, `price_milli`, bitmaps); `prices`: a frame by measure
    and level (`key`, `bin`, `count`).
    """

    parties: Mapping[str, pl.DataFrame]
    prices: Mapping[str, pl.DataFrame]
    indexes: Indexes = field(default_factory=Indexes, init=False, repr=False, compare=False)

    def rows_of(self, key: str, wanted: UInt64Array) -> Rows:
        """The row of the sums of `key` for each hash (lines,); NOT_FOUND, and NO_KEY for 0."""
        return rows_of_keys(self.indexes, key, self.parties[key], wanted)


def day_tables(lines: pl.DataFrame, day: date, eve: History, config: FeaturesConfig) -> DayTables:
    """Sums the prepared and keyed `lines` of `day`, or of one bucket of it, as the history of the eve sees
    them.

    A line is a first-timer's where the other side (the seller; for a seller, the buyer) was never seen before
    that day. `price_milli` adds up how far the unit prices are from those of their peers (`priced` lines have
    any): peers by name where there are some, by heading elsewhere.
    """
    peers = config.peers
    levels = [level.name for level in (*peers.goods_levels, *peers.levels)]
    prices = price_levels_of(lines, eve.peers(day, config), levels)
    parcels = distinct_text(lines["declaration_id"]).groups
    value_fen = lines["_total_fen"].to_numpy()
    priced = prices.is_not_null().cast(pl.Int64).to_numpy()
    price_milli = prices.fill_null(0).to_numpy()
    new = {name: _is_new(lines, eve, name) for name in ("seller", "buyer")}
    bitmaps = [_bits(lines, column) for column in ("_hs4", "seller_id", "buyer_id")]
    parties = {}
    for spec in key_specs(config.history):
        keys = wanted_keys(lines[key_column(spec.name)])
        groups = distinct_keys(keys)
        columns = {"key": keys[groups.firsts], "lines": lines_of(groups)}
        if spec.party or spec.same_day:
            columns |= {"parcels": distinct_parcels(groups, parcels), "value_fen": sums_of(groups, value_fen)}
        if spec.party:
            columns |= {
                "first_timers": sums_of(groups, new["buyer" if spec.name == "seller" else "seller"]),
                "priced": sums_of(groups, priced),
                "price_milli": sums_of(groups, price_milli),
                **{name: union_of(groups, bits) for name, bits in zip(UNION_COLUMNS, bitmaps, strict=True)},
            }
        parties[spec.name] = pl.DataFrame(columns)
    return DayTables(parties, count_prices(lines, peers.columns_by_level))


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
            pl.col(name).bitwise_or() if name in UNION_COLUMNS else pl.col(name).sum()
            for name in columns
            if name != "key"
        )
        .select(columns)
    )


def _bits(lines: pl.DataFrame, column: str) -> UInt64Array:
    """Bitmaps (lines,) with the one bit that stands for the value; no bit where it is null."""
    hashes = hashed_column(lines, column)
    bits = np.uint64(1) << (hashes >> np.uint64(17) & np.uint64(63))
    bits[hashes == 0] = 0
    return bits


def _is_new(lines: pl.DataFrame, eve: History, party: str) -> IntArray:
    """1 where a line has the party and no line before that day had it (lines,)."""
    if party not in eve.tables or key_column(party) not in lines.columns:
        return np.zeros(lines.height, dtype=np.int64)
    has_party = wanted_keys(lines[key_column(party)]) != 0
    new: IntArray = (has_party & first_seen(lines, eve, party).is_null().to_numpy()).astype(np.int64)
    return new


def first_seen(lines: pl.DataFrame, eve: History, party: str) -> pl.Series:
    """The day on which the party of each line was first declared, null where it never was (Date)."""
    nothing = pl.Series("first_day", [None], dtype=pl.Date).new_from_index(0, lines.height)
    if party not in eve.tables or key_column(party) not in lines.columns:
        return nothing
    rows = pl.Series(eve.rows_of(party, wanted_keys(lines[key_column(party)])))
    places = rows.clip(0).cast(pl.get_index_type()).set(rows < 0, None)
    known = eve.tables[party]["first_day"]
    return known.gather(places) if len(known) else nothing
