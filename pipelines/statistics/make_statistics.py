"""The statistics of months of a store: summed up, compared, written, and kept for what comes after."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypedDict, Unpack

import polars as pl

from configs.errors import UsageError
from configs.reference.facts import load_reference
from configs.schema.settings import Settings
from configs.schema.statistics import StatisticsConfig
from features.contract.china_time import china_date
from pipelines.pages.naming import Naming
from pipelines.statistics.comparison import MONTHS_SHOWN, by_month, compared, months_needed
from pipelines.statistics.day_cells import scan_enterprises
from pipelines.statistics.documents.writing import write_statistics
from pipelines.statistics.issue import Issue, hidden_cells, hidden_entries, hidden_of_months
from pipelines.statistics.issues import (
    ISSUE_SCHEMA,
    Revision,
    issue_before,
    newest_issue,
    revised,
    write_issue,
)
from pipelines.statistics.kept_sums import KeptSums, MonthSums
from pipelines.statistics.month_cells import STATISTICS_COLUMNS, month_tables, published_cells, status_of
from pipelines.statistics.months import last_day, month_of, months_between, months_later
from pipelines.statistics.report import MonthReport, StatisticsReport
from pipelines.statistics.suppression.suppress import Suppressed, suppress
from pipelines.store.day_table import DayTable
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.progress import Progress

_VERB = "statistics"


class StatisticsOptions(TypedDict):
    """Which months, from `first` to `last`, and into which folder in place of the store's (`out`)."""

    first: date
    last: date
    out: Path | None


def make_statistics(
    store: Path,
    *,
    settings: Settings,
    progress: Progress,
    now: datetime | None = None,
    **options: Unpack[StatisticsOptions],
) -> StatisticsReport:
    """Write the statistics of every month of a range that has declarations or applications for return.

    Each month is written for itself: an interruption keeps the months before, and the sums of each day.

    Args:
        store: the store.
        settings: the settings.
        progress: shows how far it is.
        now: the moment at which it is made; the clock's unless given.
        options: which months, and where to.

    Raises:
        UsageError: there is nothing of these months in the store, or `out` cannot be written to.
        StoreError: there is no store, or a table of it is damaged.
        StoreLockedError: another run works on the store.
    """
    opened = Store.open(store)
    out = options["out"]
    with opened.lock(_VERB):
        there = _months_there(opened)
        # A month that was issued and has nothing left is revised to that.
        issued = {*there, *opened.layout.issued_months()}
        wanted = [each for each in _range(options) if each in issued]
        if not wanted:
            raise UsageError(_nothing(there, options["first"], options["last"]))
        if out is not None:
            _check_folder(out)
        work = _Work(
            opened,
            settings,
            KeptSums(opened, load_reference(settings.overlay), progress),
            china_date(now or datetime.now(UTC)),
            there,
        )
        reports = [work.month(month, out) for month in wanted]
    return StatisticsReport(reports, [each for each in _range(options) if each not in wanted])


def _range(options: StatisticsOptions) -> list[date]:
    return months_between(options["first"], options["last"])


@dataclass
class _Work:
    """One run: what it works with, and the tables of the months that it has added up."""

    store: Store
    settings: Settings
    sums: KeptSums
    as_of: date
    there: Sequence[date]
    tables: dict[date, pl.DataFrame] = field(default_factory=dict)
    few_in_directions: dict[date, bool] = field(default_factory=dict)

    @property
    def config(self) -> StatisticsConfig:
        return self.settings.pipeline.statistics

    def month(self, month: date, out: Path | None) -> MonthReport:
        """Write one month."""
        manifest = ManifestBuilder(_VERB)
        read_before = self.sums.days_read
        with manifest.step("sum"):
            others = [each for each in months_needed(month) if each in self.there and each != month]
            revisions = [found for each in others if (found := self._table_of(each)) is not None]
            sums = self.sums.month(month)
            self.tables[month] = month_tables(sums)
        with manifest.step("suppress"):
            suppressed = self._suppressed(sums, others)
        issue, kept, is_new = self._issue(sums, suppressed, revisions)
        report = MonthReport(
            issue,
            self.store.layout.statistics(month, out),
            self.sums.days_read - read_before,
        )
        layout = self.store.layout
        with manifest.step("write"), self.store.transaction() as t:
            if out is None:
                self._write(t.stage(layout.statistics(month)), issue)
            else:
                self._write_out(layout.statistics(month, out), issue)
            if is_new:
                write_issue(t, layout, month, kept)
            lines = int(sums.cells["lines"].sum())
            manifest.add_rows(rows_in=lines, kept=lines)
            for reason, _, count in sums.unvalued.iter_rows():
                manifest.values_nulled[f"value_cny:{reason}"] += count
            manifest.further = report.as_dict() | {"days_summed_up": report.days_read}
            manifest.check()
            self.store.write_manifest(t, _VERB, last_day(month), manifest.as_dict())
        return report

    def _table_of(self, month: date) -> Revision | None:
        """Add up another month, and say where it is no longer what was issued."""
        if month in self.tables:
            return None
        sums = self.sums.month(month)
        self.tables[month] = month_tables(sums)
        if self.config.least_enterprises:
            self.few_in_directions[month] = self._has_few(sums)
        issued = newest_issue(self.store.layout, month)
        if issued is None:
            return None
        cells = published_cells(sums, "", self.as_of).with_columns(suppressed=pl.lit(False))
        revision = revised(month, issued, cells)
        return revision if revision.cells.height else None

    def _has_few(self, sums: MonthSums) -> bool:
        counts = scan_enterprises(sums.folders).group_by("direction").agg(pl.col("enterprise").n_unique())
        return bool((counts.collect(engine="streaming")["enterprise"] < self.config.least_enterprises).any())

    def _suppressed(self, sums: MonthSums, others: Sequence[date]) -> Suppressed | None:
        if not self.config.least_enterprises:
            return None
        self.few_in_directions[sums.month] = self._has_few(sums)
        issued = newest_issue(self.store.layout, sums.month)
        earlier = None if issued is None else issued.filter("suppressed")
        return suppress(sums.cells, scan_enterprises(sums.folders), self.config, earlier)

    def _issue(
        self, sums: MonthSums, suppressed: Suppressed | None, others_revised: Sequence[Revision]
    ) -> tuple[Issue, pl.DataFrame, bool]:
        """The issue, all its figures to be kept, and whether they are other than those kept last."""
        month = sums.month
        status = status_of(month, self.as_of, self.config.final_after_days)
        cells = published_cells(sums, status, self.as_of)
        hidden = pl.lit(False) if suppressed is None else suppressed.cells["suppressed"]
        kept = cells.with_columns(hidden.alias("suppressed")).select(*ISSUE_SCHEMA)
        before, is_new = issue_before(self.store.layout, month, kept)
        entries = compared(month, self.tables)
        months = by_month(months_between(months_later(month, 1 - MONTHS_SHOWN), month), self.tables)
        some = False
        if suppressed is not None:
            some = any(self.few_in_directions.get(each, False) for each in months_needed(month))
            some |= suppressed.hides_directions
            cells = hidden_cells(cells, suppressed.cells)
            entries = hidden_entries(entries, suppressed, some)
            months = hidden_of_months(months, some)
        first = min(each for each in (*self.there, month) if each.year == month.year)
        issue = Issue(
            month, status, self.as_of, len(sums.days), cells.select(*STATISTICS_COLUMNS), entries, months,
            first, sums.unvalued, sums.returns, suppressed,
            None if before is None else revised(month, before, kept), others_revised, some,
        )  # fmt: skip
        return issue, kept, is_new

    def _write(self, folder: Path, issue: Issue) -> None:
        write_statistics(
            folder, issue, Naming.of(self.settings), self.sums.reference.on(last_day(issue.month))
        )

    def _write_out(self, folder: Path, issue: Issue) -> None:
        """Write beside the folder's files and rename: none is ever half there."""
        _made(folder)
        with tempfile.TemporaryDirectory(prefix=".statistics-", dir=folder) as beside:
            self._write(Path(beside), issue)
            for file in sorted(Path(beside).iterdir()):
                file.replace(folder / file.name)


def _months_there(store: Store) -> list[date]:
    """The months with declarations or applications for return, oldest first."""
    days = [*store.days(DayTable.DECLARATIONS), *store.days(DayTable.RETURNS)]
    return sorted(set(map(month_of, days)))


def _nothing(there: Sequence[date], first: date, last: date) -> str:
    wanted = f"{first:%Y-%m}" if first == last else f"{first:%Y-%m} to {last:%Y-%m}"
    held = (
        f"the store has {there[0]:%Y-%m} to {there[-1]:%Y-%m}"
        if there
        else "the store has no declarations at all: fill it with `parcel-risk ingest`"
    )
    return f"expected declarations of {wanted}, found none; {held}"


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out: {folder} cannot be made: {error.strerror}") from error


def _check_folder(out: Path) -> None:
    """Make sure that `out` can be written to, before hours of work.

    Raises:
        UsageError: it cannot.
    """
    _made(out)
    try:
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UsageError(f"--out: {out} cannot be written to: {error.strerror}") from error
