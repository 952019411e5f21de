"""Frames that a program of ours made, taken in like a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.inspections import INSPECTION_COLUMNS
from pipelines.ingest.sources.source import Chunk, Source
from pipelines.privacy.identity_screen import safe_records


class FrameSource(Source):
    """Declarations and inspections in the contract's columns.

    Args:
        path: what stands where else the file stands.
        declarations: goods lines.
        inspections: results, rows of their own.
    """

    labels: tuple[str, ...] = ()

    def __init__(
        self, path: Path, declarations: pl.DataFrame | None, inspections: pl.DataFrame | None
    ) -> None:
        self.path = path
        self._declarations = declarations
        self._inspections = inspections

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Slices of the declarations, then of the inspections."""
        for frame, is_lines in ((self._declarations, True), (self._inspections, False)):
            if frame is None:
                continue
            for start in range(0, frame.height, rows):
                raw = frame.slice(start, rows)
                part = raw.with_columns(
                    pl.int_range(start + 1, start + 1 + raw.height, dtype=pl.Int64).alias("_source_row"),
                    pl.lit(None, dtype=pl.String).alias("_reject"),
                ).with_row_index("_row")
                yield Chunk(raw, part if is_lines else None, None if is_lines else part, raw.height)

    def records(self, chunk: Chunk, picked: pl.Series) -> pl.Series:
        """The rows as JSON; a frame is ours, yet what looks like a person is withheld all the same."""
        known = {*DECLARATION_COLUMNS, *INSPECTION_COLUMNS}
        known |= {*self.extra_categories, *self.extra_numbers, *self.labels}
        return safe_records(chunk.raw[picked], hash_always={}, known=known, pseudonymiser=None)
