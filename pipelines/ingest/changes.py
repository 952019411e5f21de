"""What the second pass of an ingest did, counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import polars as pl


@dataclass
class Changes:
    """What the second pass did.

    Attributes:
        kept: rows of this run that the store took.
        superseded: rows that were repeats or overtaken.
        by_file: the same two for each file, where they were counted so.
        duplicates: ``_file`` and ``_source_row`` of rows whose key was taken.
        replaced: lines that the store held and that were changed or deleted.
        days: days whose lines are not as they were.
    """

    kept: int = 0
    superseded: int = 0
    by_file: dict[int, tuple[int, int]] = field(default_factory=dict)
    replaced: int = 0
    duplicates: list[pl.DataFrame] = field(default_factory=list)
    days: set[date] = field(default_factory=set)

    def count(self, kept: pl.DataFrame, repeats: pl.DataFrame) -> None:
        """Add rows, by the file that they came from."""
        self.kept += kept.height
        self.superseded += repeats.height
        for place, rows in enumerate((kept, repeats)):
            for number, count in rows["_file"].value_counts().iter_rows():
                counts = list(self.by_file.get(number, (0, 0)))
                counts[place] += count
                self.by_file[number] = (counts[0], counts[1])
