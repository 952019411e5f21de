"""The accounts of an ingest: what became of the rows of each file, and what changed in the store."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

import polars as pl

from configs.messages import MOST_EXAMPLES
from features.contract.documents import DOCUMENT_TABLES
from features.contract.reject_reasons import RejectReason
from pipelines.ingest.reading.label_tally import LabelTally
from pipelines.store.spool import Spool, complete
from pipelines.store.taken import TAKEN_COLUMNS, TAKEN_ROWS


@dataclass
class FileResult:
    """What became of one file in the first pass.

    Attributes:
        path: the file.
        fingerprint: the SHA-256 of its bytes, in hexadecimal digits.
        rows: its rows; none where it was refused.
        quarantined: rows that break the contract, and drafts.
        not_counting: those of them that are no fault of the data.
        results: results that stand in the rows of declarations.
        results_quarantined: those of them that break the contract.
        results_seen: results of any kind, in rows of their own or of declarations.
        results_refused: those of them that break the contract.
        reasons: why rows and results were rejected.
        nulled: invalid values that became null.
        nulled_examples: by column, one of them in words.
        hashed: values that were a person's where a pseudonym or an official number belongs.
        masked: texts of which a part named somebody.
        notes: what the user should know beside.
        examples: a few rejected values in words.
        faults: text that cannot be read while the rest of the file was taken: a few places in words.
        fault: why the file was refused as a whole.
        labels: the values of its labels.
        documents: by table, its rows of documents: `rows_in`, `rows_quarantined`, and `drafts`.
        passed_over: messages that were counted and not taken in, by their first element.
    """

    path: str
    fingerprint: str = ""
    rows: int = 0
    quarantined: int = 0
    not_counting: int = 0
    results: int = 0
    results_quarantined: int = 0
    results_seen: int = 0
    results_refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    nulled: Counter[str] = field(default_factory=Counter)
    nulled_examples: dict[str, str] = field(default_factory=dict)
    hashed: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    fault: str | None = None
    labels: LabelTally = field(default_factory=LabelTally)
    documents: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    passed_over: Counter[str] = field(default_factory=Counter)

    def add(self, chunk: FileResult) -> None:
        """Count what became of one more chunk of the file."""
        self.rows += chunk.rows
        self.quarantined += chunk.quarantined
        self.not_counting += chunk.not_counting
        self.results += chunk.results
        self.results_quarantined += chunk.results_quarantined
        self.results_seen += chunk.results_seen
        self.results_refused += chunk.results_refused
        self.reasons += chunk.reasons
        for table, counts in chunk.documents.items():
            self.documents[table] += counts
        self.count_nulled(chunk.nulled, chunk.nulled_examples)
        self.hashed += chunk.hashed
        self.masked += chunk.masked
        self.examples += chunk.examples[: MOST_EXAMPLES - len(self.examples)]

    def count_nulled(self, nulled: Mapping[str, int], examples: Mapping[str, str]) -> None:
        """Count values that became null; of each column one is kept in words."""
        self.nulled.update(nulled)
        for column, text in examples.items():
            if len(self.nulled_examples) < MOST_EXAMPLES:
                self.nulled_examples.setdefault(column, text)

    def reject(self, rows: int, table: str, *, attached: bool) -> None:
        """Count rejected rows of a table, or results that are attached to rows."""
        if table == "inspections":
            self.results_refused += rows
        if table in DOCUMENT_TABLES:
            self.documents[table]["rows_quarantined"] += rows
        if attached:
            self.results_quarantined += rows
        else:
            self.quarantined += rows


REFUSED: Final = {"_file": pl.Int32(), "_source_row": pl.Int64(), "reason": pl.String(), "why": pl.String()}
"""Rows that cannot be taken after all: where they stand, and what speaks against them."""


_LATE_REASONS: Final = {
    RejectReason.DUPLICATE_KEY: "another row has the same key (duplicate key)",
    RejectReason.SHARED_NUMBER: "an earlier message of another seller, or with another number of its "
    "own, has the same declaration number (shared number): ask the senders whose it is",
}


@dataclass
class Changes:
    """What the second pass did.

    Attributes:
        taken: where the rows that the store took are noted (`TAKEN_ROWS`).
        kept: rows of this run that the store took.
        superseded: rows that were repeats or overtaken.
        kept_by_file: those kept of each file.
        repeats_by_file: those superseded of each file, where they were counted so.
        refused: rows that cannot be taken after all (`REFUSED`).
        waiting: results whose declaration the store lacks.
        rivals: what the store holds in place of refused results, as rows of `TAKEN_ROWS`.
        aside: results that an earlier run took and that cannot stay, with `reason` and `declared_on`.
        replaced: lines that the store held and that were changed or deleted.
        untimely: declarations with a change or a deletion that was sent before they were.
        outcomes: lines whose inspection receipts or tax bills tell of, as far as the run looked at them.
        contradicted: declarations that customs released though an inspector found something.
        days: days whose lines are not as they were.
        late: the days from which on the history is not what it was.
    """

    taken: Spool
    kept: int = 0
    superseded: int = 0
    kept_by_file: Counter[int] = field(default_factory=Counter)
    repeats_by_file: Counter[int] = field(default_factory=Counter)
    replaced: int = 0
    waiting: int = 0
    refused: list[pl.DataFrame] = field(default_factory=list)
    rivals: list[pl.DataFrame] = field(default_factory=list)
    aside: list[pl.DataFrame] = field(default_factory=list)
    untimely: list[str] = field(default_factory=list)
    outcomes: int = 0
    contradicted: tuple[str, ...] = ()
    days: set[date] = field(default_factory=set)
    late: set[date] = field(default_factory=set)

    def keep(self, rows: pl.DataFrame) -> None:
        """Count rows that the store takes, by their `_file`."""
        self.kept += rows.height
        self.kept_by_file.update(_by_file(rows))

    def take(self, rows: pl.DataFrame) -> None:
        """Note which file brought what: `_file`, `_id_hash`, `line_no`, and `reported_on` of results."""
        noted = rows.rename({"_file": "number", "_id_hash": "declaration"})
        self.taken.add(complete(noted, TAKEN_ROWS.items()))

    def leave_out(self, file: int, rows: int) -> None:
        """Take lines that no file has as rows out of the counts: all `rows` with the number `file`."""
        kept = self.kept_by_file.pop(file, 0)
        self.kept -= kept
        self.superseded -= rows - kept

    def refuse(self, rows: pl.DataFrame, reason: RejectReason) -> None:
        """Note rows that only the comparison with others has shown to be wrong."""
        named = (pl.lit(reason.value).alias("reason"), pl.lit(_LATE_REASONS[reason]).alias("why"))
        self.refused.append(rows.select("_file", "_source_row", *named))

    def repeat(self, rows: pl.DataFrame) -> None:
        """Count repeats, by their `_file`."""
        self.superseded += rows.height
        self.repeats_by_file.update(_by_file(rows))


def messages_passed_over(files: Sequence[FileResult]) -> dict[str, int]:
    """By the number of their kind, messages that were counted and not taken in.

    >>> messages_passed_over([FileResult("a.xml", passed_over=Counter({"CEB312Message": 2}))])
    {'312': 2}
    """
    total = Counter[str]()
    for file in files:
        for root, count in file.passed_over.items():
            total[root.removeprefix("CEB").removesuffix("Message")] += count
    return dict(sorted(total.items()))


def taken_table(
    files: Sequence[FileResult],
    lines: Changes,
    results: Changes,
    documents: Collection[Changes],
    now: datetime,
) -> pl.DataFrame:
    """The files that were not refused, with what became of their rows (`TAKEN_COLUMNS`)."""
    rows = []
    for number, file in enumerate(files):
        if file.fault is not None:
            continue
        kept = lines.kept_by_file[number] + (0 if file.results else results.kept_by_file[number])
        kept += sum(changes.kept_by_file[number] for changes in documents)
        rows.append(
            {
                "fingerprint": file.fingerprint,
                "file": file.path,
                "taken_at": now,
                "number": number,
                "rows_in": file.rows,
                "rows_kept": kept,
                "rows_quarantined": file.quarantined,
                "rows_superseded": file.rows - kept - file.quarantined,
                "take_again": False,
            }
        )
    return complete(pl.DataFrame(rows, schema_overrides=TAKEN_COLUMNS), TAKEN_COLUMNS.items())


def _by_file(rows: pl.DataFrame) -> dict[int, int]:
    return dict(rows["_file"].value_counts().iter_rows())
