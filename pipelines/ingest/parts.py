"""One table's rows of a chunk, between the reader and the spools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from configs.messages import MOST_EXAMPLES
from features.contract.reject_reasons import RejectReason
from features.contract.rules import ContractRules
from pipelines.ingest.accounts import FileResult
from pipelines.ingest.reading.source import Chunk, Source
from pipelines.ingest.rejects import examples, rejected_rows


@dataclass(frozen=True)
class Part:
    """One table's rows of a chunk.

    Attributes:
        sources: the files of the rows, by their place among the run's.
        chunk: the chunk.
        table: the table.
        frame: the rows, with `_file`, the place of each row's file.
        results: the accounts of the files, by their place.
        rejected: where rows for the quarantine are put.
        rules: how strict the contract is.
        attached: whether these are results in the rows of declarations, which are no rows of their own.
    """

    sources: Mapping[int, Source]
    chunk: Chunk
    table: str
    frame: pl.DataFrame
    results: Mapping[int, FileResult]
    rejected: list[pl.DataFrame]
    rules: ContractRules
    attached: bool = False

    @property
    def source(self) -> Source:
        """The source of the rows; of small files any one, for they are of one kind."""
        return next(iter(self.sources.values()))

    @property
    def result(self) -> FileResult:
        """The accounts of the file; what is no file's own, small files have with the first of them."""
        return next(iter(self.results.values()))

    def reject(self, rows: pl.Series, reasons: pl.Series) -> None:
        """Put rows into quarantine and count them; `reasons` is a list for each, or one reason."""
        if rows.is_empty():
            return
        result = self.result
        reasons = reasons.cast(pl.List(pl.String)).alias("reasons")
        count_values(result.reasons, reasons.explode())
        faults = reasons.list.eval(pl.element() != RejectReason.DRAFT.value).list.any()
        frame = self.frame[rows]
        for number, count in rows_by_file(frame["_file"]):
            self.results[number].reject(count, self.table, attached=self.attached)
        if not self.attached:
            for number, count in rows_by_file(frame["_file"].filter(~faults)):
                self.results[number].not_counting += count
        # What cannot be read is told apart, with its place.
        told = reasons.list.eval(pl.element() == RejectReason.UNREADABLE_TEXT.value).list.any()
        shown = (faults & ~told).arg_true().head(MOST_EXAMPLES - len(result.examples))
        result.examples += examples(self.sources, self.chunk, frame[shown], reasons[shown], self.rules.bounds)
        records = self.source.records(self.chunk, frame["_row"])
        rejected = rejected_rows(self.source, self.table, frame, reasons, records, self.rules.max_text_chars)
        names = {number: source.name for number, source in self.sources.items()}
        files = frame["_file"].replace_strict(names, return_dtype=pl.String)
        self.rejected.append(rejected.with_columns(files.alias("source_file")))


def rows_by_file(files: pl.Series) -> Iterator[tuple[int, int]]:
    """The files of rows by their number, and how many rows each has."""
    return files.value_counts().iter_rows()


def count_values(counter: Counter[str], values: pl.Series) -> None:
    """Count how often each value occurs."""
    counter.update(dict(values.value_counts().iter_rows()))
