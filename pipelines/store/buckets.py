"""Which bucket of its day a line is in: a range of the hash of its parcel's buyer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from features.contract.declarations import LINE_KEY
from pipelines.store.files import write_table
from pipelines.store.layout import bucket_name

_HASH_BITS: Final = 64
TOP: Final = (1 << _HASH_BITS) - 1


def bucket_count(rows: int, bucket_rows: int) -> int:
    """Return the power of two that keeps a bucket near `bucket_rows` lines.

    >>> [bucket_count(rows, 100) for rows in (0, 100, 101, 500)]
    [1, 1, 2, 8]
    """
    count = 1
    while count * bucket_rows < rows:
        count *= 2
    return count


def bucket_hash(lines: pl.DataFrame, parcel: Sequence[str] = ("declaration_id",)) -> pl.Series:
    """Return what decides each line's bucket: the hash of its parcel's buyer, else of its declaration.

    All lines of a declaration share it, even where only some of them name the buyer, so that a bucket always
    holds whole parcels.

    Args:
        lines: frame with `declaration_id` and `buyer_id`, holding whole declarations.
        parcel: columns that tell parcels apart, where the frame holds several days.
    """
    party = lines.select(
        pl.coalesce(pl.col("buyer_id").min().over(*parcel), "declaration_id").alias("_bucket_hash")
    ).to_series()
    return hash_text(party)


def bucket_numbers(hashes: pl.Series, count: int) -> pl.Series:
    """Return the bucket of each line: the top bits of its hash, so doubling the count splits every bucket."""
    if count == 1:
        return pl.Series(hashes.name, [0], dtype=pl.UInt64).new_from_index(0, len(hashes))
    shift = _HASH_BITS - (count.bit_length() - 1)
    return hashes // (1 << shift)


def bucket_range(number: int, count: int) -> tuple[int, int]:
    """Return the lowest and highest hash of a bucket, both inclusive."""
    width = (1 << _HASH_BITS) // count
    return number * width, (number + 1) * width - 1


def hash_ranges(rows: int, most: int) -> list[tuple[int, int]]:
    """Return ranges of the hash, both ends inclusive, that hold about `most` of `rows` rows each.

    >>> hash_ranges(10, 10)
    [(0, 18446744073709551615)]
    >>> len(hash_ranges(25, 10))
    4
    """
    count = bucket_count(rows, most)
    return [bucket_range(number, count) for number in range(count)]


def write_bucket(lines: pl.DataFrame, folder: Path, number: int, count: int) -> None:
    """Write one bucket of a day, sorted by key."""
    ordered = lines.sort(*LINE_KEY)
    del lines  # the caller has handed them over; two copies of a bucket need not be held while it is written
    write_table(ordered, folder / bucket_name(number, count))
