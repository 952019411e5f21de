"""Takes filled-in lists back: rows are checked against the list that was issued and become inspections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from configs.errors import DataError, ParcelRiskError, UsageError
from configs.schema.settings import Settings
from features.contract.china_time import china_date
from features.contract.declarations import LINE_KEY
from features.contract.inspections import INSPECTION_COLUMNS, validate_inspections
from features.contract.reject_reasons import RejectReason
from pipelines.feedback.columns import RawRow, has_entry
from pipelines.feedback.decisions import Decision, Decisions
from pipelines.feedback.entries import Entries, UnreadableRowError, Window, entries_of
from pipelines.feedback.files import ReturnedFile, read_returned
from pipelines.feedback.log import CONFLICT, REJECTED, Known, Logged, append_log, known_returns
from pipelines.feedback.places import Place, Places, parcel_opened, said
from pipelines.feedback.quarantine import rows_for_quarantine
from pipelines.feedback.report import FeedbackReport, FileTaken, manifest_of
from pipelines.ingest.result_writer import merge_results, reopen_history
from pipelines.privacy.identity_screen import WITHHELD, holds_a_persons_number
from pipelines.store.journal import Transaction
from pipelines.store.layout import DayTable
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.progress import Progress


@dataclass
class _Row:
    """A row on its way: where it stands, and what is known of it so far."""

    file: ReturnedFile
    raw: RawRow
    place: Place | None = None
    entries: Entries | None = None
    reported_on: date | None = None
    decision: Decision | None = None
    reasons: list[str] = field(default_factory=list)
    message: str = ""

    @property
    def outcome(self) -> str:
        return REJECTED if self.decision is None else self.decision.outcome

    def reject(self, fault: UnreadableRowError) -> None:
        self.reasons, self.message = fault.reasons, str(fault)

    def logged(self) -> Logged:
        return Logged(
            str(self.file.path), self.file.sha256, self.raw.number, self.outcome, self.place, self.entries,
            self.reported_on, tuple(self.reasons), self.message,
            0 if self.decision is None else self.decision.written,
        )  # fmt: skip


def feedback(
    files: Sequence[Path],
    store: Path,
    *,
    settings: Settings,
    progress: Progress,
    reported_on: date | None = None,
    corrections: bool = False,
    now: datetime | None = None,
) -> FeedbackReport:
    """Take filled-in lists into a store's inspections, all of them or, if the run dies, none.

    Args:
        files: workbooks, CSV files and exports of the page, in the order in which they count.
        store: folder of the store that issued the lists.
        settings: configuration.
        progress: shows a bar over the files.
        reported_on: the day on which results became known, where a row does not name one; None is today.
        corrections: write rows that contradict earlier returns of their parcel; else they are only reported.
        now: the present moment, for tests.

    Raises:
        UsageError: there is no file, or `reported_on` is a day to come.
        StoreLockedError: another run holds the store.
    """
    now = now or datetime.now(UTC)
    today = china_date(now)
    if not files:
        raise UsageError("expected at least one filled-in list, got none")
    opened = Store.open(store)
    newest = max([today, *opened.days(DayTable.LISTS)])
    if reported_on is not None and (reported_on - newest).days > settings.pipeline.ingest.future_days:
        raise UsageError(f"--reported-on {reported_on} is a day to come: today is {today} in China")
    run = _Run(opened, settings, reported_on, today)
    with opened.lock("feedback"), opened.transaction() as t:
        return run.take([Path(path) for path in files], t, progress, now, corrections=corrections)


class _Run:
    def __init__(self, store: Store, settings: Settings, reported_on: date | None, today: date) -> None:
        self._store, self._settings, self._risks = store, settings, settings.risks
        self._reported_on, self._today = reported_on, today
        self._manifest = ManifestBuilder("feedback")
        self._hidden: Counter[str] = Counter()

    def take(
        self, paths: Sequence[Path], t: Transaction, progress: Progress, now: datetime, *, corrections: bool
    ) -> FeedbackReport:
        with self._manifest.step("read"):
            taken = self._read(paths, progress)
        files = [each.file for each in taken if each.file is not None]
        with self._manifest.step("check"):
            rows = self._placed(files)
            known = known_returns(
                self._store, {row.place.declared_on for row in rows if row.place is not None}
            )
            lines = self._lines(rows, known)
            decisions = Decisions(self._store, known, self._risks, lines, corrections=corrections)
            for row in rows:
                self._decide(row, decisions, lines)
        with self._manifest.step("write"):
            days = self._write(t, decisions)
            append_log(t, self._store, [row.logged() for row in rows], self._risks, now)
            aside = [(row.logged(), row.raw) for row in rows if row.outcome in (REJECTED, CONFLICT)]
            refused = {each.path: each.fault for each in taken if each.fault is not None}
            self._store.append_quarantine(t, [rows_for_quarantine(aside, refused)])
            reopened = reopen_history(self._store, t, days)
        report = FeedbackReport(
            taken, [row.logged() for row in rows], [row.decision for row in rows if row.decision is not None],
            tolerance=self._settings.pipeline.ingest.tolerance,
            corrections=corrections, days=sorted(days), reopened=reopened, manifest={},
        )  # fmt: skip
        manifest_of(report, self._manifest)
        self._manifest.values_nulled.update(self._hidden)
        self._manifest.check()
        written = self._manifest.as_dict()
        self._store.write_manifest(t, "feedback", self._today, written)
        return replace(report, manifest=written)

    def _read(self, paths: Sequence[Path], progress: Progress) -> list[FileTaken]:
        taken = []
        with progress.task("read files", total=len(paths)) as task:
            for path in paths:
                try:
                    taken.append(
                        FileTaken(str(path), read_returned(path, self._risks, self._settings.overlay))
                    )
                except DataError as error:
                    taken.append(FileTaken(str(path), None, fault=str(error)))
                task.advance()
        return taken

    def _placed(self, files: Sequence[ReturnedFile]) -> list[_Row]:
        """The rows that were filled in, as far as they can be read."""
        places = Places.of(self._store, files)
        rows = []
        for file in files:
            for raw in file.rows:
                if raw.fault is None and not has_entry(raw.cells):
                    continue
                row = _Row(file, raw)
                try:
                    self._place(row, places)
                except UnreadableRowError as fault:
                    row.reject(fault)
                rows.append(row)
        return rows

    def _place(self, row: _Row, places: Places) -> None:
        if row.raw.fault is not None:
            raise UnreadableRowError([(RejectReason.BAD_FORMAT.value, f"this is {row.raw.fault}")])
        row.place = places.find(row.file, row.raw)
        window = Window(row.place.declared_on, self._reported_on, self._today)
        found = entries_of(
            row.raw,
            row.place.risk,
            self._risks,
            window,
            decimal_comma=row.file.decimal_comma,
            overlay=self._settings.overlay,
        )
        row.entries = replace(
            found,
            reported_on=None,
            note=self._without_persons("note", found.note),
            override_reason=self._without_persons("override_reason", found.override_reason),
        )
        row.reported_on = window.report_day(found.inspected_on, found.reported_on)

    def _without_persons(self, name: str, text: str | None) -> str | None:
        if text is None or not holds_a_persons_number(text):
            return text
        self._hidden[f"{name}:may_be_personal"] += 1
        return WITHHELD

    def _lines(self, rows: Sequence[_Row], known: Mapping[str, Known]) -> dict[str, list[int]]:
        """Line numbers of each parcel that a row is about, or was: listed ones and those opened instead."""
        by_day: dict[date, set[str]] = {}
        instead: set[str] = set()
        for row in rows:
            if row.place is None or row.entries is None:
                continue
            by_day.setdefault(row.place.declared_on, set()).add(row.place.declaration_id)
            earlier = known.get(row.place.declaration_id)
            for each in (row.entries, *([earlier.entries] if earlier else [])):
                instead.update(said(each.opened_instead))
        found: dict[str, list[int]] = {}
        for day in reversed(self._store.declaration_days()):
            wanted = by_day.get(day, set()) | (instead - set(found))
            if wanted:
                found |= self._lines_of_day(day, wanted)
        return found

    def _lines_of_day(self, day: date, parcels: Collection[str]) -> dict[str, list[int]]:
        chosen = pl.Series(sorted(parcels), dtype=pl.String).implode()
        lines = self._store.scan_declarations(day, day).select(*LINE_KEY)
        rows = lines.filter(pl.col("declaration_id").is_in(chosen)).collect()
        grouped = rows.sort(*LINE_KEY).group_by("declaration_id", maintain_order=True)
        return {str(parcel): numbers for parcel, numbers in grouped.agg("line_no").iter_rows()}

    def _decide(self, row: _Row, decisions: Decisions, lines: Mapping[str, Sequence[int]]) -> None:
        if row.place is None or row.entries is None or row.reported_on is None:
            return
        if row.entries.opened_instead is not None:
            try:
                other = parcel_opened(row.entries.opened_instead, row.place, lines)
            except UnreadableRowError as fault:
                row.reject(fault)
                return
            row.entries = replace(row.entries, opened_instead=other)
        row.decision = decisions.decide(row.place, row.entries, row.reported_on, str(row.file.path))
        row.reported_on = row.decision.reported_on
        before = f" ({Path(row.decision.before).name})" if row.decision.before else ""
        row.message = "; ".join(
            f"{name} was {old!s}{before}, now {new!s}" for name, (old, new) in row.decision.conflicts.items()
        )
        if row.outcome == CONFLICT:
            row.reasons = [RejectReason.CONFLICT.of(name) for name in row.decision.conflicts]

    def _write(self, t: Transaction, decisions: Decisions) -> set[date]:
        labels = sorted({risk.label for risk in self._risks.values()})
        meta = self._store.meta
        further = sorted({*labels, *meta.labels} - set(INSPECTION_COLUMNS))
        if decisions.inspections:
            self._store.write_meta(t, {}, [label for label in labels if label not in INSPECTION_COLUMNS])
        rows = [
            {"declaration_id": parcel, "line_no": line, "reported_on": day, **values}
            for (parcel, line, day), values in sorted(decisions.inspections.items())
        ]
        schema = INSPECTION_COLUMNS | dict.fromkeys(further, pl.Boolean())
        checked = validate_inspections(pl.DataFrame(rows, schema=schema), labels=further)
        if checked.rejected.height or checked.nulled:
            raise ParcelRiskError(
                f"feedback: {checked.rejected.height} inspections break the contract. This is a fault of the "
                "program; nothing was changed"
            )
        return merge_results(self._store, t, checked.kept, further, decisions.withdrawn)
