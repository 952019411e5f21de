"""The accounts of an ingest: what became of the rows of each file, and what changed in the store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from features.contract.reject_reasons import RejectReason
from pipelines.ingest.rejects import MOST_EXAMPLES


@dataclass
class FileResult:
    """What became of one file in the first pass.

    Attributes:
        path: the file.
        rows: its rows; none where it was refused.
        quarantined: rows that break the contract, and drafts.
        not_counting: those of them that are no fault of the data.
        results: results that stand in the rows of declarations.
        results_quarantined: those of them that break the contract.
        reasons: why rows and results were rejected.
        nulled: invalid values that became null.
        hashed: values that looked like a person where a pseudonym belongs.
        notes: what the user should know beside.
        examples: a few rejected values in words.
        fault: why the file was refused as a whole.
    """

    path: str
    rows: int = 0
    quarantined: int = 0
    not_counting: int = 0
    results: int = 0
    results_quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    nulled: Counter[str] = field(default_factory=Counter)
    hashed: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    fault: str | None = None

    def add(self, chunk: FileResult) -> None:
        """Count what became of one more chunk of the file."""
        self.rows += chunk.rows
        self.quarantined += chunk.quarantined
        self.not_counting += chunk.not_counting
        self.results += chunk.results
        self.results_quarantined += chunk.results_quarantined
        self.reasons += chunk.reasons
        self.nulled += chunk.nulled
        self.hashed += chunk.hashed
        self.examples += chunk.examples[: MOST_EXAMPLES - len(self.examples)]

    def add_duplicates(self, rows: int, *, attached: bool) -> None:
        """Count rows that the second pass rejected because another row has their key."""
        self.reasons[RejectReason.DUPLICATE_KEY.value] += rows
        if attached:
            self.results_quarantined += rows
        else:
            self.quarantined += rows


@dataclass
class Changes:
    """What the second pass did.

    Attributes:
        kept: rows of this run that the store took.
        superseded: rows that were repeats or overtaken.
        by_file: the same two for each file, where they were counted so.
        duplicates: `_file` and `_source_row` of rows whose key was taken.
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
        """Add rows, by their file."""
        self.kept += kept.height
        self.superseded += repeats.height
        for place, rows in enumerate((kept, repeats)):
            for number, count in rows["_file"].value_counts().iter_rows():
                counts = list(self.by_file.get(number, (0, 0)))
                counts[place] += count
                self.by_file[number] = (counts[0], counts[1])
