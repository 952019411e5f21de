"""Which bucket of its day a line is in: a range of the hash of its parcel's buyer.

A day is read as it was known at its close. Where later messages changed or withdrew declarations of the day,
what they replaced lies under `changes/` and is read from there, bucket by bucket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from features.contract.china_time import closing_moment
from features.contract.declarations import LINE_KEY
from pipelines.store.day_table import DayTable
from pipelines.store.digests import file_digest, read_notes
from pipelines.store.files import read_tables, read_whole, scan_tables, write_table
from pipelines.store.layout import Layout, bucket_name, bucket_of
from pipelines.store.spool import complete

COUNTED: Final = "_counted"
"""Whether a version that no longer holds is what counts of its declaration on its day."""
_HASH: Final = "_bucket"
_DAYS_AT_ONCE: Final = 4
_ENDED: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "sent_at": pl.Datetime("us", "UTC"),
    "held_until": pl.Datetime("us", "UTC"),
}
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


def overlaps(path: Path, low: int, high: int) -> bool:
    """Return whether the bucket of a file has hashes in a range, both ends inclusive.

    >>> [overlaps(Path("bucket-001-of-002.parquet"), 0, high) for high in (1000, TOP)]
    [False, True]
    """
    first, last = bucket_range(*bucket_of(path))
    return first <= high and last >= low


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


def write_buckets(lines: pl.DataFrame, folder: Path, bucket_rows: int) -> None:
    """Write the buckets of a day, of about `bucket_rows` lines each."""
    count = bucket_count(lines.height, bucket_rows)
    numbers = bucket_numbers(bucket_hash(lines), count)
    for number in range(count):
        write_bucket(lines.filter(numbers == number), folder, number, count)


def declared_days(layout: Layout) -> list[date]:
    """Return the days that had declarations at their close, oldest first.

    Raises:
        StoreError: what was withdrawn cannot be read.
    """
    days = {*layout.days(DayTable.DECLARATIONS)}
    withdrawn = {*layout.days(DayTable.CHANGED_DECLARATIONS)} - days
    return sorted(days | {day for day in withdrawn if ended_lines(layout, day)[COUNTED].any()})


def buckets_at_close(layout: Layout, day: date) -> list[Path]:
    """Return the files of a day's buckets; where all was withdrawn later, the one that would be there."""
    whole = layout.partition(DayTable.DECLARATIONS, day) / bucket_name(0, 1)
    return layout.buckets(day) or ([] if _written(layout, whole) else [whole])


def lines_at_close(
    layout: Layout, path: Path, schema: Mapping[str, pl.DataType], columns: list[str]
) -> pl.DataFrame:
    """Return the lines of a bucket as they were known at the close of its day, sorted by key.

    Of a declaration that was first sent later than that its first version counts.

    Raises:
        StoreError: a file cannot be read, or is damaged.
    """
    others = _others(layout, path)
    if others.is_empty():
        return read_tables([path], schema, columns)
    wanted = {name: schema[name] for name in dict.fromkeys([*columns, *LINE_KEY])}
    stored = read_tables(_written(layout, path), schema, list(wanted))
    left = stored.join(others, on="declaration_id", how="anti")
    return pl.concat([left, _counted(layout, path, wanted)]).sort(*LINE_KEY).select(columns)


def lines_added_later(
    layout: Layout, path: Path, schema: Mapping[str, pl.DataType], columns: list[str]
) -> pl.DataFrame:
    """Return the lines of a bucket that changes after the close of its day brought, sorted by key.

    The store holds them, and the day did not know them.

    Raises:
        StoreError: a file cannot be read, or is damaged.
    """
    others = _others(layout, path)
    if others.is_empty():
        return read_tables([], schema, columns)
    known = ended_lines(layout, _day_of(path)).filter(COUNTED).select(LINE_KEY)
    wanted = list(dict.fromkeys([*columns, *LINE_KEY]))
    stored = read_tables(_written(layout, path), schema, wanted).join(others, on="declaration_id", how="semi")
    return stored.join(known, on=LINE_KEY, how="anti").sort(*LINE_KEY).select(columns)


def scan_at_close(layout: Layout, path: Path, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Scan the same lines in any order, with exactly the columns of `schema`, the key among them."""
    others = _others(layout, path)
    if others.is_empty():
        return scan_tables([path], schema)
    parts = [scan_tables([file], schema) for file in _written(layout, path)]
    left = [part.join(others.lazy(), on="declaration_id", how="anti") for part in parts]
    return pl.concat([*left, _counted(layout, path, schema).lazy()])


def ended_lines(layout: Layout, day: date) -> pl.DataFrame:
    """Return the versions of a day's lines that no longer hold: the columns of their files, and `COUNTED`.

    Raises:
        StoreError: they cannot be read.
    """
    files = layout.files(DayTable.CHANGED_DECLARATIONS, day)
    return _ended(tuple(files), day, tuple(map(file_digest, files)))


def _counted(layout: Layout, path: Path, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Versions that no longer hold, count on their day, and are of this bucket."""
    low, high = bucket_range(*bucket_of(path))
    lines = ended_lines(layout, _day_of(path)).filter(COUNTED, pl.col(_HASH).is_between(low, high))
    return complete(lines, schema.items())


def _others(layout: Layout, path: Path) -> pl.DataFrame:
    """The declarations of which another version counts than the one that the store holds."""
    return ended_lines(layout, _day_of(path)).filter(COUNTED).select("declaration_id").unique()


def _written(layout: Layout, path: Path) -> list[Path]:
    """The file of a bucket; none where messages withdrew all that the day had."""
    is_there = bool(layout.buckets(_day_of(path)) or read_notes(layout.digests(path.parent)))
    return [path] if is_there or _others(layout, path).is_empty() else []


def _day_of(path: Path) -> date:
    return date.fromisoformat(path.parent.name.rpartition("=")[2])


# Asked for with every bucket of a day.
@lru_cache(maxsize=_DAYS_AT_ONCE)
def _ended(files: tuple[Path, ...], day: date, _digests: tuple[bytes, ...]) -> pl.DataFrame:
    if not files:
        return pl.DataFrame(schema={**_ENDED, COUNTED: pl.Boolean(), _HASH: pl.UInt64()})
    lines = pl.concat(map(read_whole, files), how="diagonal").with_row_index("_row")
    close, sent = closing_moment(day), pl.col("sent_at")
    held = lines.filter(sent.is_null() | (sent < close), pl.col("held_until") >= close)
    later = lines.filter(sent >= close).join(held, on="declaration_id", how="anti")
    firsts = later.filter(sent == sent.min().over("declaration_id"))
    counted = pl.concat([held, firsts])
    counted = counted.select("_row", bucket_hash(counted).alias(_HASH), pl.lit(True).alias(COUNTED))
    return (
        lines.join(counted, on="_row", how="left").with_columns(pl.col(COUNTED).fill_null(False)).drop("_row")
    )
