"""Rows that wait on disk between two passes, readable by ranges of a hash without reading the rest."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import polars as pl

from pipelines.store.files import writing

_ROW_GROUP: Final = 16_384


class Spool:
    """Frames in a folder, each sorted by a UInt64 column, so that a range of it touches few row groups.

    Several threads may add at once; only the order of `frames` depends on which was first.

    Args:
        folder: an empty folder that the caller throws away.
        column: the column that ranges are taken of.
    """

    def __init__(self, folder: Path, column: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._column = column
        self._paths: list[Path] = []
        self._made = 0
        self._lock = threading.Lock()
        self.rows = 0

    def add(self, frame: pl.DataFrame) -> Path | None:
        """Write a frame and return its file, None where it has no rows.

        Raises:
            OSError: the system refused, for example on a full disk.
        """
        if frame.is_empty():
            return None
        with self._lock:
            path = self._folder / f"{self._made:06d}.parquet"
            self._made += 1
        with writing(path):
            frame.sort(self._column, maintain_order=True).write_parquet(
                path, compression="lz4", row_group_size=_ROW_GROUP
            )
        with self._lock:
            self._paths.append(path)
            self.rows += frame.height
        return path

    def mark(self) -> tuple[int, int]:
        """Return a point to which `rewind` can go back."""
        return len(self._paths), self.rows

    def rewind(self, mark: tuple[int, int]) -> None:
        """Forget the frames that were added since `mark`."""
        count, self.rows = mark
        for path in self._paths[count:]:
            path.unlink()
        del self._paths[count:]

    def scan(self, low: int | None = None, high: int | None = None) -> pl.LazyFrame | None:
        """Return a scan of the rows whose hash is in a range (inclusive), None where nothing was added."""
        if not self._paths:
            return None
        frames = [pl.scan_parquet(path, hive_partitioning=False, glob=False) for path in self._paths]
        rows = pl.concat(frames, how="diagonal")
        if low is not None:
            rows = rows.filter(pl.col(self._column) >= pl.lit(low, dtype=pl.UInt64))
        if high is not None:
            rows = rows.filter(pl.col(self._column) <= pl.lit(high, dtype=pl.UInt64))
        return rows

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the frames as they were added."""
        for path in self._paths:
            yield pl.read_parquet(path, hive_partitioning=False, glob=False)

    def column(self, name: str) -> pl.Series:
        """Return the distinct values of one column over all frames."""
        rows = self.scan()
        if rows is None:
            return pl.Series(name, [], dtype=pl.UInt64)
        return rows.select(pl.col(name).unique()).collect().to_series()


def complete(rows: pl.DataFrame, schema: Iterable[tuple[str, pl.DataType]]) -> pl.DataFrame:
    """Return the rows with exactly these columns; those that they lack are null."""
    columns = dict(schema)
    # Added to the rows, not selected: a selection of nothing but constants would make a row of its own.
    missing = [
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in columns.items() if name not in rows.columns
    ]
    return rows.with_columns(missing).select(*columns)


def collected(rows: pl.LazyFrame | None, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """Return the rows of a spool's scan with exactly these columns."""
    return pl.DataFrame(schema=schema) if rows is None else complete(rows.collect(), schema.items())
