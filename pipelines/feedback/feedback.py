"""Takes filled-in lists back: rows are checked against the list that was issued and become inspections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

import polars as pl

from configs.errors import DataError, ParcelRiskError, UsageError
from configs.language import Message
from configs.reference.facts import Reference, load_reference
from configs.schema.settings import Settings
from features.contract.china_time import china_date
from features.contract.inspections import INSPECTION_COLUMNS, validate_inspections
from features.contract.reject_reasons import RejectReason
from pipelines.feedback.columns import has_entry
from pipelines.feedback.decisions import Decisions
from pipelines.feedback.entries import UnreadableRowError, Window, entries_of
from pipelines.feedback.files import ReturnedFile, read_returned
from pipelines.feedback.log import Known, append_log, known_returns, late_samples
from pipelines.feedback.parcels import KnownParcels
from pipelines.feedback.places import IssuedPlaces, parcels_meant
from pipelines.feedback.quarantine import rows_for_quarantine
from pipelines.feedback.report import FeedbackReport, manifest_of
from pipelines.feedback.rows import CONFLICT, ReturnedRow
from pipelines.feedback.to_correct import NOT_TAKEN, OfficeWords, not_taken, write_beside
from pipelines.ingest.merging.result_writer import merge_results, reopen_history
from pipelines.lists.fields import fields_of
from pipelines.privacy.identity_screen import WITHHELD, holds_a_persons_number
from pipelines.store.day_table import DayTable
from pipelines.store.journal import Transaction
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.progress import Progress


@dataclass(frozen=True)
class FeedbackOptions:
    """Options of a `feedback`.

    Attributes:
        reported_on: the day on which results became known, where a row does not name one; None is today.
        corrections: write rows that contradict earlier returns of their parcel; else they are only reported.
        now: the present moment, for tests.
    """

    reported_on: date | None = None
    corrections: bool = False
    now: datetime | None = None


def feedback(
    files: Sequence[Path],
    store: Path,
    *,
    settings: Settings,
    progress: Progress,
    options: FeedbackOptions = FeedbackOptions(),
) -> FeedbackReport:
    """Take filled-in lists into a store's inspections, all of them or, if the run dies, none.

    `files` are workbooks, CSV files and exports of the page, in the order in which they count; `store` is the
    folder of the store that issued the lists.

    Raises:
        UsageError: there is no file, or `reported_on` is a day to come.
        StoreLockedError: another run holds the store.
    """
    now = options.now or datetime.now(UTC)
    today = china_date(now)
    if not files:
        raise UsageError("expected at least one filled-in list, got none")
    opened = Store.open(store)
    newest = max([today, *opened.days(DayTable.LISTS)])
    reported_on = options.reported_on
    if reported_on is not None and (reported_on - newest).days > settings.pipeline.ingest.future_days:
        raise UsageError(f"--reported-on {reported_on} is a day to come: today is {today} in China")
    run = _Run(opened, settings, options, today)
    # Whatever a file costs to read, the night does not wait for it.
    returned = run.read([Path(path) for path in files], progress)
    with opened.lock("feedback"), opened.transaction() as t:
        report = run.take(returned, t, now)
    away = today - timedelta(days=settings.pipeline.ingest.laboratory_days)
    return _with_workbooks(replace(report, late=late_samples(opened, settings.risks, away)))


def _with_workbooks(report: FeedbackReport) -> FeedbackReport:
    """Beside each file a workbook with its rows that were not taken."""
    written: dict[Path, Path | OSError] = {}
    for path in dict.fromkeys(file.path for file in report.files):
        if rows := not_taken(report.rows, path):
            try:
                written[path] = write_beside(path, rows, report.office)
            except OSError as error:
                written[path] = error
    return replace(report, to_correct=written)


class _Run:
    def __init__(self, store: Store, settings: Settings, options: FeedbackOptions, today: date) -> None:
        self._store, self._risks, self._overlay = store, settings.risks, settings.overlay
        self._office = OfficeWords(settings)
        self._tolerance = settings.pipeline.ingest.tolerance
        self._past_days = settings.pipeline.ingest.past_days
        self._refold_days = settings.pipeline.night.refold_days
        self._options, self._today = options, today
        self._manifest = ManifestBuilder("feedback")
        self._hidden: Counter[str] = Counter()

    def take(self, files: list[ReturnedFile], t: Transaction, now: datetime) -> FeedbackReport:
        """Check the rows of files against their lists, and write what follows from them."""
        corrections = self._options.corrections
        with self._manifest.step("check"):
            rows = self._placed(files)
            list_days = {row.place.declared_on for row in rows if row.place is not None}
            known = known_returns(self._store, list_days)
            parcels = self._parcels(rows, known)
            decisions = Decisions(self._store, known, self._risks, parcels.lines, corrections=corrections)
            for row in rows:
                self._decide(row, decisions, parcels)
        with self._manifest.step("write"):
            days = self._write(t, decisions)
            append_log(t, self._store, rows, self._risks, now)
            aside = [row for row in rows if row.outcome in NOT_TAKEN]
            self._store.append_quarantine(t, [rows_for_quarantine(aside, files)])
            reopened = reopen_history(self._store, t, days, self._refold_days)
        report = FeedbackReport(
            files, rows, self._tolerance, corrections, sorted(days), reopened, {}, self._office
        )
        manifest_of(report, self._manifest)
        self._manifest.values_nulled.update(self._hidden)
        self._manifest.check()
        written = self._manifest.as_dict()
        self._store.write_manifest(t, "feedback", self._today, written)
        return replace(report, manifest=written)

    def read(self, paths: Sequence[Path], progress: Progress) -> list[ReturnedFile]:
        """Read files; one that is no list is refused as a whole."""
        files = []
        with self._manifest.step("read"), progress.task("read files", total=len(paths)) as task:
            for path in paths:
                try:
                    files.append(read_returned(path, self._risks, self._overlay))
                except DataError as error:
                    files.append(
                        ReturnedFile(
                            path, fault=error.message if isinstance(error.message, Message) else str(error)
                        )
                    )
                task.advance()
        return files

    def _placed(self, files: Sequence[ReturnedFile]) -> list[ReturnedRow]:
        """The rows that were filled in, as far as they can be read."""
        places = IssuedPlaces.of(self._store, files)
        rows = []
        for file in files:
            for raw in file.rows:
                if raw.fault is None and not has_entry(raw.cells):
                    continue
                row = ReturnedRow(file, raw)
                try:
                    self._place(row, places)
                except UnreadableRowError as fault:
                    row.reject(fault)
                rows.append(row)
        return rows

    def _place(self, row: ReturnedRow, places: IssuedPlaces) -> None:
        if row.raw.fault is not None:
            raise UnreadableRowError([(RejectReason.BAD_FORMAT.value, f"this is {row.raw.fault}")])
        row.place = places.find(row.raw)
        window = Window(row.place.declared_on, self._options.reported_on, self._today)
        entries = entries_of(
            row.raw,
            row.place.risk,
            self._risks,
            window,
            decimal_comma=row.file.decimal_comma,
            overlay=self._overlay,
        )
        row.reported_on = window.report_day(entries["inspected_on"], entries["reported_on"])
        # The day of the report belongs to the row; what it says of the parcel does not depend on it.
        values = {name: value for name, value in entries.values.items() if name != "reported_on"}
        for field in fields_of("inspector"):
            if field.text == "free" and holds_a_persons_number(values.get(field.name, "")):
                values[field.name] = WITHHELD
                self._hidden[f"{field.name}:may_be_personal"] += 1
        row.entries = replace(entries, values=values)

    def _parcels(self, rows: Sequence[ReturnedRow], known: Mapping[str, Known]) -> KnownParcels:
        """Each parcel that a row is about, or was: listed ones and those opened instead."""
        by_day: dict[date, set[str]] = {}
        instead: set[str] = set()
        for row in rows:
            if row.place is None or row.entries is None:
                continue
            by_day.setdefault(row.place.declared_on, set()).add(row.place.declaration_id)
            earlier = known.get(row.place.declaration_id)
            for each in (row.entries, *([earlier.entries] if earlier else [])):
                instead.update(parcels_meant(each.opened_instead))
        return KnownParcels.of(self._store, by_day, instead, self._past_days)

    @cached_property
    def _reference(self) -> Reference:
        return load_reference(self._overlay)

    def _decide(self, row: ReturnedRow, decisions: Decisions, parcels: KnownParcels) -> None:
        if row.place is None or row.entries is None or row.reported_on is None:
            return
        try:
            if row.entries.opened_instead is not None:
                other = parcels.opened(row.entries.opened_instead, row.place)
                row.entries = replace(row.entries, values={**row.entries.values, "opened_instead": other})
            parcels.check_line(row.entries, row.place)
            if row.entries.written:
                row.entries = parcels.priced(row.entries, row.place, self._reference)
        except UnreadableRowError as fault:
            row.reject(fault)
            return
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
