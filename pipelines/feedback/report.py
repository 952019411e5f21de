"""What `feedback` tells its user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from babel.dates import format_skeleton

from configs.language import Language, Message
from pipelines.feedback.files import ReturnedFile
from pipelines.feedback.log import SampleAway
from pipelines.feedback.rows import (
    ACCEPTED,
    CONFLICT,
    CORRECTED,
    OUTCOMES,
    REJECTED,
    REPEATED,
    WRITTEN,
    Decision,
    ReturnedRow,
)
from pipelines.feedback.to_correct import NOT_TAKEN, OfficeWords
from pipelines.store.manifest import ManifestBuilder
from pipelines.work.report import Report

_MOST_SHOWN = 10
OUTCOME_WORDS = {**{outcome: outcome for outcome in OUTCOMES}, CONFLICT: "in conflict"}


@dataclass(frozen=True)
class FeedbackReport(Report):
    """Outcome of a `feedback`.

    Attributes:
        files: what became of each file.
        rows: every row that was filled in, and what became of it.
        tolerance: share of rows that may be rejected.
        corrections: whether contradicting rows were written.
        days: days of report whose inspections changed.
        reopened: the first closed day that is open again, None where none is.
        manifest: what was written to the store's manifests.
        office: the words of the offices.
        to_correct: by file the workbook with its rows that were not taken, or why there is none.
        late: samples whose answer of the laboratory should be there.
    """

    files: Sequence[ReturnedFile]
    rows: Sequence[ReturnedRow]
    tolerance: float
    corrections: bool
    days: Sequence[date]
    reopened: date | None
    manifest: Mapping[str, Any]
    office: OfficeWords
    to_correct: Mapping[Path, Path | OSError] = field(default_factory=dict)
    late: Sequence[SampleAway] = ()

    @property
    def counts(self) -> Counter[str]:
        """Rows by outcome."""
        return Counter(row.outcome for row in self.rows)

    @property
    def decisions(self) -> list[Decision]:
        """What was decided of the rows that were not rejected."""
        return [row.decision for row in self.rows if row.decision is not None]

    @property
    def exit_code(self) -> int:
        """3 where a file was refused or more rows than tolerated were rejected; else 5 where a conflict was
        left unwritten; else 0.
        """
        if self.beyond_tolerance or any(file.fault for file in self.files):
            return 3
        return 5 if self.counts[CONFLICT] else 0

    @property
    def beyond_tolerance(self) -> bool:
        """Whether more rows than tolerated were rejected."""
        return self.counts[REJECTED] > self.tolerance * len(self.rows)

    def _facts(self) -> dict[str, Any]:
        written = {str(file): str(book) for file, book in self.to_correct.items() if isinstance(book, Path)}
        further = {"to_correct": written, "samples_late": len(self.late), "exit_code": self.exit_code}
        return {**self.manifest, **further}

    def _lines(self) -> Iterator[str]:
        words = self.office.common(self.rows)
        yield from self._by_file()
        yield from self._totals(words)
        yield from self._shown(CONFLICT, words)
        if self.counts[CONFLICT]:
            yield words(
                "rows in conflict were NOT written: ask which value is right; to write the later one, give "
                "the command again with --corrections"
            )
        yield from self._shown(CORRECTED, words)
        yield from self._shown(REJECTED, words)
        if self.counts[REJECTED]:
            yield words("rejected rows are in quarantine: correct them and give the command again")
        for path, book in self.to_correct.items():
            yield _where_to_correct(path, book, words)
        if self.beyond_tolerance:
            yield words(
                "{share:.1%} of the rows were rejected, tolerated: {tolerance:.1%}",
                share=self.counts[REJECTED] / len(self.rows),
                tolerance=self.tolerance,
            )
        yield from self._late(words)
        for file in self.files:
            yield from (note.in_language(words) for note in file.notes)
            if file.fault:
                fault = file.fault.in_language(words) if isinstance(file.fault, Message) else file.fault
                yield words("refused as a whole: {fault}", fault=fault)

    def _totals(self, words: Language) -> Iterator[str]:
        counts = self.counts
        totals = [
            words(
                "{rows:,} {outcome}",
                rows=counts[outcome],
                outcome=words.name("outcome", OUTCOME_WORDS[outcome]),
            )
            for outcome in OUTCOMES
        ]
        yield words(
            "{rows:,} rows filled in: {totals}; {empty:,} rows not filled in",
            rows=len(self.rows),
            totals=words.listed(totals),
            empty=sum(file.not_filled_in for file in self.files),
        )
        yield words(
            "{written:,} inspections written, {others:,} of them about other lines of parcels in which "
            "nothing was found",
            written=sum(each.written for each in self.decisions),
            others=sum(each.others for each in self.decisions),
        )
        instead = sum(
            row.entries is not None and row.entries.opened_instead is not None
            for row in self.rows
            if row.outcome in WRITTEN
        )
        if instead:
            yield words("another parcel was opened instead of a listed one: {times:,} times", times=instead)
        if self.days:
            yield words("days written: {days}", days=words.listed(str(day) for day in self.days))
        if self.reopened is not None:
            yield words(
                "late results: the history is reopened from {day} on and will be folded again by "
                "the next score; lists that were issued stay",
                day=self.reopened,
            )

    def _late(self, words: Language) -> Iterator[str]:
        for sample in self.late[:_MOST_SHOWN]:
            of_office = self.office.language_of(sample.place)
            yield of_office(
                "{office}: the laboratory's answer is late: parcel {parcel}, {risk}, sent on {day}",
                office=sample.place.customs_office,
                parcel=sample.place.declaration_id,
                risk=self.office.title(sample.risk, of_office),
                day=of_office.day(sample.sent_on),
            )
        if len(self.late) > _MOST_SHOWN:
            more = len(self.late) - _MOST_SHOWN
            yield words("  and {more:,} more samples without an answer", more=more)

    def _by_file(self) -> Iterator[str]:
        """A line for each list in each file, in the language of its office."""
        for file in self.files:
            rows = [row for row in self.rows if row.file is file]
            lists: dict[object, list[ReturnedRow]] = {}
            for row in rows:
                key = None if row.place is None else (row.place.customs_office, row.place.declared_on)
                lists.setdefault(key, []).append(row)
            if len(lists) == 2 and None in lists:
                # What could not be found belongs to the only list that the file has.
                lists = {"all": sorted(rows, key=lambda row: row.place is None)}
            for of_list in lists.values():
                words, place = self.office.language_of(of_list[0].place), of_list[0].place
                about = [] if place is None else [place.customs_office, _day(place.declared_on, words)]
                yield words(
                    "{about}: {taken} of {rows} taken",
                    about=words(", ").join([*about, file.path.name]),
                    taken=words.number(sum(row.outcome not in NOT_TAKEN for row in of_list)),
                    rows=words.number(len(of_list)),
                )

    def _shown(self, outcome: str, words: Language) -> Iterator[str]:
        rows = [row for row in self.rows if row.outcome == outcome]
        called = words.name("outcome", OUTCOME_WORDS[outcome])
        for row in rows[:_MOST_SHOWN]:
            yield words(
                "  {outcome}: {file}, {where}: {why}",
                outcome=called,
                file=row.file.path.name,
                where=row.raw.where(words),
                why=words(": ").join(
                    [*([] if row.place is None else [row.place.in_language(words)]), self.office.why(row)]
                ),
            )
        if len(rows) > _MOST_SHOWN:
            more = len(rows) - _MOST_SHOWN
            yield words(
                "  and {more:,} more rows {outcome} (see feedback/ of the store)", more=more, outcome=called
            )


def _where_to_correct(path: Path, book: Path | OSError, words: Language) -> str:
    if isinstance(book, Path):
        return words(
            "rows of {file} that were not taken: correct them in {book} and give that back",
            file=path.name,
            book=book,
        )
    return words(
        "no workbook with the rows to correct could be written beside {file}: {why}",
        file=path,
        why=book.strerror,
    )


def _day(day: date, words: Language) -> str:
    """A day of a list that is a few days old: nobody asks of which year."""
    return str(format_skeleton("MMMMd", day, locale=words.locale))


def manifest_of(report: FeedbackReport, manifest: ManifestBuilder) -> None:
    """Count the rows of a report: conflicts left unwritten lie in quarantine beside the rejected."""
    counts = report.counts
    manifest.add_rows(
        rows_in=len(report.rows),
        kept=counts[ACCEPTED] + counts[CORRECTED],
        quarantined=counts[REJECTED] + counts[CONFLICT],
        superseded=counts[REPEATED],
    )
    for row in report.rows:
        manifest.reasons.update(row.reasons)
    manifest.further = {
        **{f"rows_{outcome}": counts[outcome] for outcome in OUTCOMES},
        "rows_not_filled_in": sum(file.not_filled_in for file in report.files),
        "inspections_written": sum(each.written for each in report.decisions),
        "inspections_of_other_lines": sum(each.others for each in report.decisions),
        "corrections": report.corrections,
        "days": [day.isoformat() for day in report.days],
        "reopened_from": None if report.reopened is None else report.reopened.isoformat(),
        "files": [
            {
                "file": str(each.path),
                "sha256": each.sha256,
                "list_id": each.list_id,
                "rows_in": sum(row.file.path == each.path for row in report.rows),
                "rows_not_filled_in": each.not_filled_in,
                "refused": None if each.fault is None else str(each.fault),
            }
            for each in report.files
        ],
    }
