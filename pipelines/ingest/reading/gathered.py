"""Gathers the rows of many small files, so that they cost what as many rows of one file cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.ingest.reading.source import Chunk, Source


@dataclass(frozen=True)
class SmallFile:
    """A file that was read whole: its place among the run's files, and its rows."""

    number: int
    source: Source
    chunk: Chunk

    @property
    def kind(self) -> tuple[Any, ...]:
        """What files have in common whose rows can be looked at together."""
        source, chunk = self.source, self.chunk
        frames = (chunk.declarations, chunk.inspections, chunk.persons, chunk.documents)
        return (
            type(source),
            chunk.format_,
            source.extra_categories,
            source.extra_numbers,
            source.labels,
            source.zone,
            source.china_offices,
            *chunk.raw.columns,
            *(frame is None for frame in frames),
        )


def gathered(files: Sequence[SmallFile]) -> Chunk:
    """The rows of files of one kind as one chunk, whose rows say in `_file` whose they are.

    Raises:
        SchemaError: columns of the files have other types.
    """
    chunks = [file.chunk for file in files]
    heights = [chunk.raw.height for chunk in chunks]
    declarations = [chunk.declarations for chunk in chunks if chunk.declarations is not None]
    inspections = [chunk.inspections for chunk in chunks if chunk.inspections is not None]
    documents = [chunk.documents for chunk in chunks if chunk.documents is not None]
    persons = [chunk.persons for chunk in chunks if chunk.persons is not None]
    numbers = [file.number for file in files]
    return Chunk(
        pl.concat([chunk.raw for chunk in chunks], rechunk=True),
        _together(declarations, numbers, heights) if declarations else None,
        _together(inspections, numbers, heights) if inspections else None,
        sum(chunk.rows for chunk in chunks),
        _persons(persons, heights) if persons else None,
        _together(documents, numbers, heights) if documents else None,
        chunks[0].format_,
    )


def _together(frames: list[pl.DataFrame], numbers: list[int], heights: list[int]) -> pl.DataFrame:
    before = pl.Series(heights, dtype=pl.UInt32).cum_sum().shift(1, fill_value=0)
    rows = pl.Series([frame.height for frame in frames], dtype=pl.UInt32)
    per_row = pl.DataFrame({"_file": pl.Series(numbers, dtype=pl.Int32), "before": before, "rows": rows})
    spread = per_row.select(pl.exclude("rows").repeat_by("rows").explode().drop_nulls())
    together = pl.concat(frames, rechunk=True)
    return together.with_columns(spread["_file"], (pl.col("_row") + spread["before"]).alias("_row"))


def _persons(frames: list[pl.DataFrame], heights: list[int]) -> pl.DataFrame:
    # Of a file that names nobody, the frame has no columns, and so no rows.
    nobody = pl.Series("_", [None], dtype=pl.Null)
    whole = [
        frame if frame.width else nobody.new_from_index(0, height).to_frame()
        for frame, height in zip(frames, heights, strict=True)
    ]
    return pl.concat(whole, how="diagonal_relaxed", rechunk=True).drop("_", strict=False)
