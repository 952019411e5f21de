"""The history of the eve unpacked for look-ups: its columns as plain numbers in files that processes map.

A process that reads Parquet to look something up holds all of it, and so does the next one. Unpacked once a
night, the numbers are shared by all processes, and the system keeps in memory what is asked for, as far as
there is room: the history of hundreds of millions of parties needs disk, not memory.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from features.history.state import History
from pipelines.history.profiles import history_from
from pipelines.history.spec import HistorySpec
from pipelines.store.digests import intact
from pipelines.store.files import row_count, unfinished

_KNOWN = ".known"


@dataclass(frozen=True)
class UnpackTask:
    """One table of the history: its Parquet file, and the folder that its columns go to."""

    file: Path
    folder: Path


def unpack_tasks(eve: Path, unpacked: Path, spec: HistorySpec) -> list[UnpackTask]:
    """The tables of the stored history `eve` that `unpacked` does not hold yet."""
    tasks = [UnpackTask(eve / name, unpacked / name) for name in spec.files]
    return [task for task in tasks if not task.folder.exists()]


def unpack_table(task: UnpackTask, *, piece_rows: int = 1 << 18) -> None:
    """Writes each column of a table into a file of its numbers, complete or not at all, a piece at a time.

    A column with nulls has zeros in their place, and a second file with a bit a row, 1 where it holds any.
    `piece_rows` is a multiple of eight, so that the bits of each piece begin a byte.
    """
    beside = unfinished(task.folder)
    beside.mkdir(parents=True)
    try:
        _write_columns(intact(task.file), beside, piece_rows)
        beside.replace(task.folder)
    except OSError:
        # Another worker may have been given the same table and been faster: its bytes are the same.
        if not task.folder.is_dir():
            raise
    finally:
        # Half a table would take room that a full disk does not have.
        shutil.rmtree(beside, ignore_errors=True)


def _write_columns(table: Path, folder: Path, piece_rows: int) -> None:
    rows = pl.scan_parquet(table, glob=False, hive_partitioning=False)
    names = rows.collect_schema().names()
    gaps = dict.fromkeys(names, 0)
    with ExitStack() as closing:
        numbers = {name: closing.enter_context((folder / name).open("wb")) for name in names}
        known = {name: closing.enter_context((folder / f"{name}{_KNOWN}").open("wb")) for name in names}
        for first in range(0, row_count(table), piece_rows):
            for column in rows.slice(first, piece_rows).collect():
                gaps[column.name] += column.null_count()
                # Not NumPy's `tofile`, which does not say that a disk is full.
                numbers[column.name].write(column.to_physical().fill_null(0).rechunk().to_numpy().data)
                known[column.name].write(np.packbits(column.is_not_null().to_numpy(), bitorder="little").data)
    for name in names:
        if not gaps[name]:
            (folder / f"{name}{_KNOWN}").unlink()


def mapped_history(eve: Path, unpacked: Path, spec: HistorySpec) -> History:
    """The stored history `eve` over the files of `unpacked`, whose pages are read when they are touched."""
    return history_from(
        eve, spec, lambda name, schema: _mapped(unpacked / name, row_count(eve / name), schema)
    )


def _mapped(folder: Path, rows: int, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame(schema=schema)
    kinds = pl.DataFrame(schema=schema).to_arrow().schema
    columns = {}
    for name in schema:
        known = folder / f"{name}{_KNOWN}"
        files = [known if known.exists() else None, folder / name]
        buffers = [None if file is None else pa.memory_map(str(file)).read_buffer() for file in files]
        columns[name] = pl.Series(name, pa.Array.from_buffers(kinds.field(name).type, rows, buffers))
    return pl.DataFrame(columns)
