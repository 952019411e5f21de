"""How a table's days and buckets are named, sorted and written, so that equal rows give equal bytes."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from configs.errors import StoreError
from features.arrays.hashing import hash_text
from features.contract.declarations import LINE_KEY

UNKNOWN_DAY = "__HIVE_DEFAULT_PARTITION__"
BUCKET_PATTERN = re.compile(r"bucket-(\d+)-of-(\d+)\.parquet")
_HASH_BITS = 64
TOP = (1 << _HASH_BITS) - 1
_ROW_GROUP = 65_536
_SYSTEM_ERROR = re.compile(r"(?:underlying IO error: )?([^:(]+) \(os error (\d+)\)")


def partition_name(column: str, day: date | None) -> str:
    """The hive-style folder of a day; a null day has hive's own name for it.

    >>> partition_name("declared_on", date(2026, 11, 20))
    'declared_on=2026-11-20'
    """
    return f"{column}={UNKNOWN_DAY if day is None else day.isoformat()}"


def partition_days(folder: Path, column: str) -> list[date]:
    """The days that a table has, oldest first; folders that are not a day of this column are passed over."""
    days = []
    prefix = f"{column}="
    if not folder.is_dir():
        return []
    for path in folder.iterdir():
        if path.name.startswith(prefix) and path.is_dir():
            text = path.name.removeprefix(prefix)
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                days.append(date.fromisoformat(text))
    return sorted(days)


def bucket_count(rows: int, bucket_rows: int) -> int:
    """The power of two that keeps a bucket near ``bucket_rows`` lines.

    >>> [bucket_count(rows, 100) for rows in (0, 100, 101, 500)]
    [1, 1, 2, 8]
    """
    count = 1
    while count * bucket_rows < rows:
        count *= 2
    return count


def bucket_name(number: int, count: int) -> str:
    """The file of a bucket.

    >>> bucket_name(3, 8)
    'bucket-003-of-008.parquet'
    """
    return f"bucket-{number:03d}-of-{count:03d}.parquet"


def bucket_of(path: Path) -> tuple[int, int]:
    """The number of a bucket's file and how many buckets its day has.

    >>> bucket_of(Path("bucket-003-of-008.parquet"))
    (3, 8)
    """
    match = BUCKET_PATTERN.fullmatch(path.name)
    if match is None:
        raise ValueError(f"expected a name like bucket-003-of-008.parquet, got {path.name}")
    return int(match[1]), int(match[2])


def bucket_hash(lines: pl.DataFrame, parcel: Sequence[str] = ("declaration_id",)) -> pl.Series:
    """What decides a line's bucket: the hash of its parcel's buyer, of the declaration where there is none.

    All lines of a declaration share it, also where only some of them name the buyer, so that a bucket
    always holds whole parcels.

    Args:
        lines: frame with ``declaration_id`` and ``buyer_id``, holding whole declarations.
        parcel: columns that tell parcels apart, where the frame holds several days.
    """
    party = lines.select(
        pl.coalesce(pl.col("buyer_id").min().over(*parcel), "declaration_id").alias("_bucket_hash")
    ).to_series()
    return hash_text(party)


def bucket_numbers(hashes: pl.Series, count: int) -> pl.Series:
    """The bucket of each line: the top bits of its hash, so doubling the count splits each bucket in two."""
    if count == 1:
        return pl.Series(hashes.name, [0], dtype=pl.UInt64).new_from_index(0, len(hashes))
    shift = _HASH_BITS - (count.bit_length() - 1)
    return hashes // (1 << shift)


def bucket_range(number: int, count: int) -> tuple[int, int]:
    """The lowest and highest hash of a bucket, both inclusive."""
    width = (1 << _HASH_BITS) // count
    return number * width, (number + 1) * width - 1


def hash_ranges(rows: int, most: int) -> list[tuple[int, int]]:
    """Ranges of the hash, both ends inclusive, that hold about `most` of `rows` rows each.

    >>> hash_ranges(10, 10)
    [(0, 18446744073709551615)]
    >>> len(hash_ranges(25, 10))
    4
    """
    count = bucket_count(rows, most)
    return [bucket_range(number, count) for number in range(count)]


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write Parquet whose bytes depend on the frame's content alone, not on how it was put together.

    Raises:
        OSError: the system refused, for example on a full disk.
    """
    with writing(path):
        frame.rechunk().write_parquet(
            path, compression="zstd", compression_level=1, row_group_size=_ROW_GROUP
        )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell of a file that the system refuses in the block as it does: Polars calls a full disk a failed
    computation, or leaves its number out.

    Raises:
        OSError: the system refused, with its number and the path.
    """
    try:
        yield
    except (pl.exceptions.ComputeError, OSError) as error:
        refused = _SYSTEM_ERROR.search(str(error))
        if refused is None or getattr(error, "errno", None) is not None:
            raise
        raise OSError(int(refused[2]), refused[1].strip(), str(path)) from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Tell of a file of the store that the block cannot read.

    Raises:
        StoreError: the system refuses, or the file is not the Parquet that it should be.
    """
    try:
        yield
    except OSError as error:
        said = _SYSTEM_ERROR.search(str(error))
        reason = error.strerror or (said[1].strip() if said else "the system refused")
        raise StoreError(f"{path} cannot be read: {reason}. Restore it from a backup of the store") from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowInvalid) as error:
        raise StoreError(
            f"{path} is damaged: expected Parquet. Restore it from a backup of the store"
        ) from error


def row_count(path: Path) -> int:
    """The number of rows of a Parquet file, from its footer.

    Raises:
        StoreError: the file cannot be read, or is damaged.
    """
    with reading(path):
        return int(pq.read_metadata(path).num_rows)


def lines_that_can_be_read(files: Iterable[Path]) -> list[int]:
    """The number of rows of each file whose footer can be read; what is wrong with the others is told where
    they are read."""
    counts = []
    for file in files:
        with suppress(StoreError):
            counts.append(row_count(file))
    return counts


def file_digest(path: Path) -> bytes:
    """The SHA-256 of a file (32 bytes)."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").digest()


def filled(lines: pl.DataFrame, names: Iterable[str]) -> set[str]:
    """Which of some columns hold anything."""
    return {name for name in names if lines[name].null_count() < lines.height}


def read_tables(
    paths: list[Path], schema: Mapping[str, pl.DataType], columns: list[str] | None
) -> pl.DataFrame:
    """Files of one table as a frame with exactly ``columns`` (default: all of ``schema``).

    A column that a file does not have is null there.
    """
    wanted = list(schema) if columns is None else columns
    if not paths:
        return pl.DataFrame(schema={name: schema[name] for name in wanted})
    return pl.concat([_read_one(path, schema, wanted) for path in paths], rechunk=False)


def scan_table(path: Path, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """One file with exactly the columns of ``schema``, not yet read; a column that it lacks is null."""
    return pl.scan_parquet(path, schema=schema, missing_columns="insert", hive_partitioning=False, glob=False)


def _read_one(path: Path, schema: Mapping[str, pl.DataType], wanted: list[str]) -> pl.DataFrame:
    with reading(path):
        present = pl.read_parquet_schema(path)
        # A frame without columns has no height, so at least one is read even where none is asked for.
        there = [name for name in wanted if name in present] or list(present)[:1]
        frame = pl.read_parquet(path, columns=there, hive_partitioning=False, glob=False)
    missing = [pl.lit(None, dtype=schema[name]).alias(name) for name in wanted if name not in present]
    return frame.with_columns(missing).select(*wanted)


def unfinished(path: Path) -> Path:
    """A name beside ``path`` to write to before it is renamed, which no other process has.

    Processes of two machines may have the same number, and a cluster that has lost sight of a worker gives
    its task to another while the first still writes.
    """
    return path.with_name(f".{path.name}.{uuid4().hex}")


def put_in(file: Path, target: Path) -> None:
    """The same file under a second name, without copying it where the file system can do that."""
    try:
        target.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, target)


def with_contract_first(frame: pl.DataFrame, contract: list[str]) -> pl.DataFrame:
    """Contract columns in their order, then by name the further ones that hold anything.

    Empty further columns are left out, so that a day's bytes do not depend on what other sources brought.
    """
    further = sorted(
        name for name in frame.columns if name not in contract and frame[name].null_count() < frame.height
    )
    return frame.select(contract + further)


def write_bucket(lines: pl.DataFrame, folder: Path, number: int, count: int) -> None:
    """Write one bucket of a day, sorted by key."""
    ordered = lines.sort(*LINE_KEY)
    del lines  # the caller has handed them over; two copies of a bucket need not be held while it is written
    write_table(ordered, folder / bucket_name(number, count))
