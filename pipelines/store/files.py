"""Reading and writing the files of a table, so that equal rows give equal bytes and faults name the file."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from configs.errors import StoreError
from pipelines.store.day_table import DayTable
from pipelines.store.digests import RESTORE, intact
from pipelines.store.layout import Layout

_ROW_GROUP = 65_536
_SYSTEM_ERROR = re.compile(r"(?:underlying IO error: )?([^:(]+) \(os error (\d+)\)")


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
    """Raise what the system reports about a file that the block writes.

    Polars calls a full disk a failed computation, or leaves the error's number out.

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
    """Name the file of the store that the block cannot read.

    Raises:
        StoreError: the system refuses, or the file is not Parquet.
    """
    try:
        yield
    except OSError as error:
        refused = _SYSTEM_ERROR.search(str(error))
        reason = error.strerror or (refused[1].strip() if refused else "the system refused")
        raise StoreError(f"{path} cannot be read: {reason}. {RESTORE}") from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowInvalid) as error:
        raise StoreError(f"{path} is damaged: expected Parquet. {RESTORE}") from error


def read_json(path: Path, cure: str = RESTORE) -> dict[str, Any]:
    """Return the content of a file of the store that is a JSON object; `cure` says what to do without it.

    Raises:
        StoreError: it cannot be read, or is damaged; a file that is empty is.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}. {cure}") from error
    except ValueError:
        content = None
    if isinstance(content, dict):
        return content
    found = f"{path.stat().st_size:,} bytes that are none"
    raise StoreError(f"{path} is damaged: expected a JSON object, found {found}. {cure}")


def row_count(path: Path) -> int:
    """Return the number of rows of a Parquet file, from its footer.

    Raises:
        StoreError: the file cannot be read, or is damaged.
    """
    with reading(path):
        return int(pq.read_metadata(path).num_rows)


def lines_that_can_be_read(files: Iterable[Path]) -> list[int]:
    """Return the number of rows of each file whose footer can be read, without a word about the others."""
    counts = []
    for file in files:
        with suppress(StoreError):
            counts.append(row_count(file))
    return counts


def filled(lines: pl.DataFrame, names: Iterable[str]) -> set[str]:
    """Return which of some columns hold anything."""
    return {name for name in names if lines[name].null_count() < lines.height}


def read_tables(
    paths: list[Path], schema: Mapping[str, pl.DataType], columns: list[str] | None
) -> pl.DataFrame:
    """Return files of one table as a frame with exactly `columns` (default: all of `schema`).

    A column that a file lacks is null there.

    Raises:
        StoreError: a file cannot be read, or is damaged.
    """
    wanted = list(schema) if columns is None else columns
    if not paths:
        return pl.DataFrame(schema={name: schema[name] for name in wanted})
    return pl.concat([_read_one(path, schema, wanted) for path in paths], rechunk=False)


def read_whole(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """Return a file of the store with the columns that it has, or `columns` of them.

    Raises:
        StoreError: it cannot be read, or is damaged.
    """
    with reading(path):
        return pl.read_parquet(intact(path), columns=columns, hive_partitioning=False, glob=False)


def scan_table(path: Path, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Return a scan of one file with exactly the columns of `schema`; a column that it lacks is null."""
    return scan_tables([path], schema)


def scan_tables(paths: list[Path], schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Return the same of several files, one below the other."""
    return pl.scan_parquet(
        paths,
        schema=schema,
        missing_columns="insert",
        extra_columns="ignore",
        hive_partitioning=False,
        glob=False,
    )


def _read_one(path: Path, schema: Mapping[str, pl.DataType], wanted: list[str]) -> pl.DataFrame:
    with reading(path):
        present = pl.read_parquet_schema(intact(path))
        # A frame without columns has no height, so at least one is read even where none is asked for.
        held = [name for name in wanted if name in present] or list(present)[:1]
        frame = pl.read_parquet(path, columns=held, hive_partitioning=False, glob=False)
    missing = [pl.lit(None, dtype=schema[name]).alias(name) for name in wanted if name not in present]
    return frame.with_columns(missing).select(*wanted)


def unfinished(path: Path) -> Path:
    """Return a path beside `path` to write to before renaming, which no other process has.

    Processes of two machines may have the same number, and a cluster that has lost sight of a worker gives
    its task to another while the first still writes.
    """
    return path.with_name(f".{path.name}.{uuid4().hex}")


def put_in(file: Path, target: Path) -> None:
    """Give a file a second name, without copying it where the file system allows that."""
    try:
        target.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, target)


def put_day_in(there: Layout, here: Layout, table: DayTable, day: date) -> None:
    """Give the files of a day, with what was noted of them, a second name in another store."""
    folder, place = there.partition(table, day), here.partition(table, day)
    names = {file: place / file.name for file in folder.iterdir()}
    if (noted := there.digests(folder)).exists():
        names[noted] = here.digests(place)
    for file, second in names.items():
        second.parent.mkdir(parents=True, exist_ok=True)
        put_in(file, second)


def with_contract_first(frame: pl.DataFrame, contract: list[str]) -> pl.DataFrame:
    """Return the contract's columns in their order, then by name the further ones that hold anything.

    Empty further columns are left out, so that a day's bytes do not depend on what other sources brought.
    """
    return frame.select(contract + sorted(filled(frame, set(frame.columns) - set(contract))))
