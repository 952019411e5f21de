"""A day of N lines as Parquet files in the contract's columns, drawn from the simulated month before it.

How it is made:

- What is drawn, with replacement, is all that one buyer ordered on one day of the month, so that split orders
  and repeated buyers stay as they are. Goods, headings, names, routes, weights and quantities stay.
- Declaration, order and waybill numbers are new. Unit and total price change by one factor a line, 5% either
  way. One name in twelve gets an ending that makes it new.
- As many copies of the month's market stand beside each other as the day is larger than an average day of the
  month. Buyers, addresses and sellers of a copy are the month's own (known to the history) with the share
  that was known on the month's last day, but no more often than would give a party as many parcels on the day
  as it had in the whole month; the others are new, and the same within their copy.
- Half of the parcels are declared at another of `OFFICES` offices than the simulator's twelve.
- Of 10,000 lines 10 hold an invalid value that becomes null, 2 break the contract, 1 repeats another line and
  1 takes its key with another price.

Files hold the day in the order of time. Only one file's lines and the month are in memory.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.national.national_stores import DAY, OFFICES, SEED
from features.arrays.hashing import text_hashes
from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.simulation.world.randomness import Flags, Floats, Ints, Keys, hex_text, mix, salt, uniform
from pipelines.store.store import Store

LINES_OF_A_FILE = 500_000
PARTIES = ("buyer_id", "address_id", "seller_id")
_PRICE_SPREAD = 0.05
_NEW_NAMES = 1 / 12
_NULLED, _REJECTED, _REPEATED, _KEY_TAKEN = 10e-4, 2e-4, 1e-4, 1e-4
_OTHER_OFFICE = 0.5
_CHINA = timedelta(hours=8)
_LETTERS = pl.Series([chr(65 + high) + chr(65 + low) for high in range(26) for low in range(26)])


@dataclass(frozen=True)
class Made:
    """The files of a day, and what is to be said of it."""

    files: tuple[Path, ...]
    lines: int
    parcels: int
    known: dict[str, float]


class Month:
    """The lines of a store, in the order of baskets: all that one buyer ordered on one day.

    Args:
        store: the store with the month.
    """

    def __init__(self, store: Path) -> None:
        opened = Store.open(store)
        self.days = opened.declaration_days()
        lines = pl.concat(
            opened.read_declarations(day).select(*DECLARATION_COLUMNS).with_columns(pl.lit(day).alias("_day"))
            for day in self.days
        )
        buyer = pl.coalesce("buyer_id", "declaration_id").alias("_buyer")
        self.lines = lines.with_columns(buyer).sort("_day", "_buyer", "declaration_id", "line_no")
        basket = self.lines.select(pl.struct("_day", "_buyer").rle_id()).to_series().to_numpy()
        self.start = np.flatnonzero(np.diff(basket, prepend=-1)).astype(np.int64)
        self.length = np.diff(self.start, append=len(basket)).astype(np.int64)
        parcel = self.lines.select(pl.struct("_day", "declaration_id").rle_id()).to_series().to_numpy()
        self.opens_parcel: Flags = np.diff(parcel, prepend=-1) > 0

    @cached_property
    def hashes(self) -> dict[str, Keys]:
        """A hash of each party a line (lines,), 0 where there is none."""
        return {name: text_hashes(self.lines[name]) for name in PARTIES}

    @cached_property
    def seconds(self) -> Floats:
        """Seconds since midnight in China of every parcel of the month, sorted."""
        local = self.lines.filter(pl.Series(self.opens_parcel))["declared_at"] + _CHINA
        seconds = (local - local.dt.truncate("1d")).dt.total_seconds()
        return np.sort(seconds.to_numpy()).astype(np.float64)

    def known_shares(self) -> dict[str, float]:
        """The share of the last day's parcels whose party had parcels on an earlier day, by party."""
        parcels = self.lines.filter(pl.Series(self.opens_parcel))
        last, earlier = parcels.filter(_day=self.days[-1]), parcels.filter(pl.col("_day") < self.days[-1])
        return {
            name: float(last[name].drop_nulls().is_in(earlier[name].unique().implode()).mean() or 0.0)
            for name in PARTIES
        }


def make_day(month: Month, lines: int, folder: Path, *, lines_of_a_file: int = LINES_OF_A_FILE) -> Made:
    """Write a day of exactly `lines` lines into `folder`, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copies = max(1, round(lines / (month.lines.height / len(month.days))))
    # A known party has copies / days of the month's parcels on the day, times the share that is known.
    known = {name: min(share, len(month.days) / copies) for name, share in month.known_shares().items()}
    pieces = -(-lines // lines_of_a_file)
    bounds = [lines * piece // pieces for piece in range(pieces + 1)]
    files, parcels = [], 0
    for piece in range(pieces):
        draw = _Draw(month, np.random.default_rng([SEED, lines, piece]), copies, known)
        frame, count = draw.frame(bounds[piece + 1] - bounds[piece], parcels, (piece, pieces))
        files.append(folder / f"declarations-{piece:04d}.parquet")
        frame.write_parquet(files[-1])
        parcels += count
    return Made(tuple(files), lines, parcels, known)


@dataclass(frozen=True)
class _Draw:
    """One file of the day."""

    month: Month
    rng: np.random.Generator
    copies: int
    known: dict[str, float]

    def frame(self, lines: int, first_parcel: int, place: tuple[int, int]) -> tuple[pl.DataFrame, int]:
        """`lines` lines with parcels numbered from `first_parcel`, in the `place`-th of so many parts of the
        day; and how many parcels they are.
        """
        repeated = round(lines * (_REPEATED + _KEY_TAKEN))
        rows, copy, draw = self._rows(lines - repeated)
        parcel = np.cumsum(self.month.opens_parcel[rows] | (np.diff(draw, prepend=-1) != 0)) - 1
        count = int(parcel[-1]) + 1
        frame = self.month.lines[pl.Series(rows)].drop("_day", "_buyer")
        office = self._offices(frame["customs_office"], parcel)
        number = pl.Series(first_parcel + parcel).cast(pl.String).str.zfill(9)
        frame = frame.with_columns(
            office,
            (office + frame["declaration_id"].str.slice(4, 5) + number).alias("declaration_id"),
            self._declared_at(parcel, place).alias("declared_at"),
            *(self._party(name, rows, copy) for name in PARTIES),
            *self._numbers(frame, parcel, count),
            *self._prices(frame),
            self._names(frame["item_name"]),
        )
        return self._faulty(frame, repeated), count

    def _rows(self, lines: int) -> tuple[Ints, Ints, Ints]:
        """Rows of the month, the copy of the market and the draw that each stands for."""
        wanted = int(lines / self.month.length.mean() * 1.2) + 100
        baskets = self.rng.integers(0, len(self.month.start), wanted)
        lengths = self.month.length[baskets]
        while lengths.sum() < lines:
            more = self.rng.integers(0, len(self.month.start), wanted)
            baskets, lengths = np.concatenate([baskets, more]), np.append(lengths, self.month.length[more])
        draw = np.repeat(np.arange(len(baskets)), lengths)
        before = np.repeat(np.cumsum(lengths) - lengths, lengths)
        rows = np.repeat(self.month.start[baskets], lengths) + np.arange(len(draw)) - before
        copy = self.rng.integers(0, self.copies, len(baskets))
        return rows[:lines], copy[draw[:lines]], draw[:lines]

    def _party(self, name: str, rows: Ints, copy: Ints) -> pl.Series:
        kept = self.month.lines[name][pl.Series(rows)]
        hashes = self.month.hashes[name][rows]
        new = uniform(salt(SEED, f"known {name}"), hashes, copy) >= self.known[name]
        fresh = hex_text(mix(salt(SEED, f"new {name}"), hashes, copy))
        return fresh.zip_with(pl.Series(new) & kept.is_not_null(), kept).alias(name)

    def _offices(self, office: pl.Series, parcel: Ints) -> pl.Series:
        known = office.unique().drop_nulls().sort()
        others = pl.Series([f"{9000 + number}" for number in range(max(OFFICES - len(known), 1))])
        moves = self.rng.random(int(parcel[-1]) + 1) < _OTHER_OFFICE
        where = self.rng.integers(0, len(others), len(moves))
        return others[pl.Series(where[parcel])].zip_with(pl.Series(moves[parcel]), office).alias(office.name)

    def _declared_at(self, parcel: Ints, place: tuple[int, int]) -> pl.Series:
        """Moments that rise from parcel to parcel, spread over the day as those of the month."""
        (piece, pieces), count = place, int(parcel[-1]) + 1
        share = (piece + (np.arange(count) + 0.5) / count) / pieces
        seconds = self.month.seconds[(share * len(self.month.seconds)).astype(np.int64)]
        midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) - _CHINA
        micros = (int(midnight.timestamp()) + seconds[parcel].astype(np.int64)) * 1_000_000
        return pl.Series(micros).cast(pl.Datetime("us", "UTC"))

    def _numbers(self, frame: pl.DataFrame, parcel: Ints, count: int) -> list[pl.Series]:
        order, waybill = (
            pl.Series(self.rng.integers(10**9, 10**10, count)[parcel]).cast(pl.String) for _ in range(2)
        )
        return [
            (frame["order_id"].str.slice(0, 8) + order).alias("order_id"),
            (frame["waybill_id"].str.slice(0, 3) + waybill).alias("waybill_id"),
        ]

    def _prices(self, frame: pl.DataFrame) -> list[pl.Series]:
        factor = pl.Series(np.exp(_PRICE_SPREAD * self.rng.normal(size=frame.height)))
        return [_priced(frame[name], factor) for name in ("unit_price", "total_price")]

    def _names(self, name: pl.Series) -> pl.Series:
        first, second = (_LETTERS[pl.Series(self.rng.integers(0, 676, len(name)))] for _ in range(2))
        new = pl.Series(self.rng.random(len(name)) < _NEW_NAMES)
        return (name + " " + first + second).zip_with(new, name).alias("item_name")

    def _faulty(self, frame: pl.DataFrame, repeated: int) -> pl.DataFrame:
        chance = pl.Series(self.rng.random(frame.height))
        rejected, nulled = chance < _REJECTED, (chance > 0.5) & (chance < 0.5 + _NULLED)
        frame = frame.with_columns(frame["hs_code"].set(rejected, "n/a"), frame["quantity"].set(nulled, 0.0))
        again = frame[pl.Series(self.rng.integers(0, frame.height, repeated))]
        other = pl.Series(np.arange(repeated) < repeated * _KEY_TAKEN / (_REPEATED + _KEY_TAKEN))
        raised = (again["total_price"] + 1.0).zip_with(other, again["total_price"])
        return pl.concat([frame, again.with_columns(raised)])


def _priced(price: pl.Series, factor: pl.Series) -> pl.Series:
    """Prices times a factor; whole ones stay whole, none becomes 0."""
    whole, moved = price == price.round(0), price * factor
    return (
        moved.round(0).clip(1.0).zip_with(whole.fill_null(False), moved.round(2).clip(0.01)).alias(price.name)
    )
