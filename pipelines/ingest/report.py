"""What an ingest tells its user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from configs.messages import MOST_EXAMPLES, some_of
from features.contract.reject_reasons import RejectReason
from pipelines.ingest.accounts import FileResult
from pipelines.ingest.reading.label_tally import LabelTally
from pipelines.work.report import Report

_MOST_REASONS = 12


@dataclass(frozen=True)
class IngestReport(Report):
    """Outcome of an ingest.

    Attributes:
        manifest: what was written to the store's manifests.
        files: what became of each file.
        tolerance: share of rows that may go to quarantine.
        counting: rows that went there for a fault of the data.
        reopened: the first closed day that is open again, None where none is.
        days: days whose declarations or results changed.
        labels: the values of the labels in the files.
        rivals: fingerprint and name of the files whose results stand where results of this run were refused.
        notes: what to tell of the files as a whole.
    """

    manifest: dict[str, Any]
    files: list[FileResult]
    tolerance: float
    counting: int
    reopened: date | None
    days: list[date]
    labels: LabelTally
    rivals: pl.DataFrame
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0, or 3 where text was not read, a message came to nothing, or too much went to quarantine."""
        lost = self._unread_count or self.manifest["sent_before_declaration"]
        is_any_lost = bool(lost) or any(file.fault for file in self.files)
        return 3 if self.beyond_tolerance or self.results_beyond_tolerance or is_any_lost else 0

    @property
    def _unread_count(self) -> int:
        return int(self.manifest["reasons"].get(RejectReason.UNREADABLE_TEXT.value, 0))

    @property
    def beyond_tolerance(self) -> bool:
        """Whether more rows than tolerated broke the contract."""
        return self.counting > self.tolerance * int(self.manifest["rows_in"])

    @property
    def results_beyond_tolerance(self) -> bool:
        """Whether more results than tolerated were refused, or set aside after an earlier run took them."""
        refused, all_ = self._results()
        return refused > self.tolerance * all_

    def _results(self) -> tuple[int, int]:
        """How many results were refused or set aside, and of how many."""
        results, aside = self.manifest["results"], int(self.manifest["results_set_aside"])
        return results["rows_quarantined"] + aside, results["rows_in"] + aside

    def _facts(self) -> dict[str, Any]:
        return {**self.manifest, "exit_code": self.exit_code}

    def _lines(self) -> Iterator[str]:
        manifest = self.manifest
        yield (
            f"{manifest['rows_in']:,} rows in: {manifest['rows_kept']:,} kept, "
            f"{manifest['rows_quarantined']:,} in quarantine, "
            f"{manifest['rows_superseded']:,} repeats or overtaken"
        )
        attached = manifest["attached_results"]
        if attached["rows_in"]:
            yield (
                f"{attached['rows_in']:,} inspection results in the same rows: "
                f"{attached['rows_kept']:,} kept, {attached['rows_quarantined']:,} in quarantine, "
                f"{attached['rows_superseded']:,} repeats"
            )
        yield from self._documents()
        yield from self.labels.lines()
        yield from self._outcomes()
        if manifest["rows_replaced_in_store"]:
            yield f"{manifest['rows_replaced_in_store']:,} lines of earlier runs were changed or deleted"
        if self.days:
            yield f"days written: {len(self.days)}, from {min(self.days)} to {max(self.days)}"
        if self.reopened is not None:
            yield (
                f"late data: the history is reopened from {self.reopened} on and will be folded again by the "
                "next score, at most night.refold_days a night; lists that were issued stay"
            )
        if manifest["unknown_declarations"]:
            yield (
                f"{manifest['unknown_declarations']:,} results are about declarations that the store lacks: "
                "they wait, and count once these have come"
            )
        if manifest["results_set_aside"]:
            yield (
                f"{manifest['results_set_aside']:,} results of earlier runs went to quarantine: by what came "
                "now, they are dated before their declarations, or these were refused"
            )
        yield from self._reasons()
        yield from self.notes
        for file in self.files:
            yield from file.notes
            if file.fault:
                yield f"refused as a whole: {file.fault}"
        yield from self._untimely()
        yield from self._unreadable()
        if self.results_beyond_tolerance:
            refused, all_ = self._results()
            yield (
                f"{refused:,} of {all_:,} inspection results ({refused / all_:.1%}) are in quarantine, "
                f"tolerated: {self.tolerance:.1%}"
            )
        if self.beyond_tolerance:
            share = self.counting / manifest["rows_in"]
            yield f"{self.counting:,} rows ({share:.1%}) break the contract, tolerated: {self.tolerance:.1%}"
        if self.beyond_tolerance or self.results_beyond_tolerance:
            yield (
                "the valid rows are in the store, the others under quarantine/ with their reasons: correct "
                "them at the source and ingest the file again, or raise ingest.tolerance in pipeline.yaml"
            )
        yield from self._cures()

    def _outcomes(self) -> Iterator[str]:
        """What receipts and tax bills said of inspections."""
        outcomes = self.manifest["outcomes"]
        if outcomes["rows"]:
            yield f"{outcomes['rows']:,} lines of inspections that receipts or tax bills tell of"
        if outcomes["contradicted"]:
            yield (
                "customs released what an inspector found something in; the inspector's result stays: "
                f"{some_of(outcomes['contradicted'])}"
            )

    def _documents(self) -> Iterator[str]:
        """What became of documents, by table, and of messages that are only counted."""
        manifest = self.manifest
        for table, counts in manifest["documents"].items():
            yield (
                f"{table}: {counts['rows_in']:,} rows in, {counts['rows_kept']:,} kept, "
                f"{counts['rows_quarantined']:,} in quarantine, "
                f"{counts['rows_superseded']:,} repeats, overtaken or drafts"
            )
        yield from _counts(
            "messages counted and passed over, by their number", manifest["messages_passed_over"]
        )

    def _reasons(self) -> Iterator[str]:
        """Why values became null or rows were rejected, with examples."""
        manifest = self.manifest
        yield from _counts("values that became null", manifest["values_nulled"])
        lost = {column: text for file in self.files for column, text in file.nulled_examples.items()}
        yield from (f"  for example {text}" for text in [*lost.values()][:MOST_EXAMPLES])
        yield from _counts("values hashed because they looked like a person", manifest["values_hashed"])
        yield from _counts("texts in which personal data was masked", manifest["values_masked"])
        yield from _counts("reasons for quarantine", manifest["reasons"])
        examples = [example for file in self.files for example in file.examples][:MOST_EXAMPLES]
        yield from (f"  for example {example}" for example in examples)

    def _cures(self) -> Iterator[str]:
        kinds = {reason.rpartition(":")[2] for reason in self.manifest["reasons"]}
        if kinds & {RejectReason.TOO_OLD, RejectReason.FUTURE_DATE, RejectReason.DECLARATION_CANNOT_COME}:
            yield (
                "too old is what is dated more than ingest.past_days before the last day closed, a future "
                "date is after tomorrow: where the dates are right, ingest the file with --backfill"
            )
        for fingerprint, file in self.rivals.head(MOST_EXAMPLES).rows():
            yield (
                f"{file} has brought other results with the same keys, and the first stay. If that file is "
                f"wrong, take it back with `parcel-risk withdraw {fingerprint} --store S`, then ingest the "
                "corrected one again"
            )

    def _untimely(self) -> Iterator[str]:
        numbers = self.manifest["sent_before_declaration"]
        if numbers:
            yield (
                f"changes or deletions sent (appTime) before the declaration that they are about: "
                f"{some_of(numbers)}. "
                "They do not count: where the hour is wrong (a clock of twelve hours?), have them sent again"
            )

    def _unreadable(self) -> Iterator[str]:
        faults = [fault for file in self.files for fault in file.faults][:MOST_EXAMPLES]
        yield from (f"not read, and in quarantine: {fault}" for fault in faults)
        count = self._unread_count
        if count:
            more = f"and {count - len(faults):,} more; " if count > len(faults) else ""
            yield (
                f"{more}what else is in these files was taken in: ask the sender for what is missing, "
                "corrected, and ingest it"
            )


def _counts(title: str, counts: dict[str, int]) -> Iterator[str]:
    if not counts:
        return
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{name} {count:,}" for name, count in ranked[:_MOST_REASONS])
    more = len(ranked) - _MOST_REASONS
    yield f"{title}: {shown}" + (f", and {more} more kinds (see the manifest)" if more > 0 else "")
