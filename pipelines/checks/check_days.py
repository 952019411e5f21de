"""Checks days of a store, one after the other, and reports what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

from configs.reference.facts import load_reference
from configs.schema.settings import Settings
from pipelines.checks.check_day import DayChecks, check_day
from pipelines.checks.revised_rules import RevisedRules
from pipelines.store.day_table import DayTable
from pipelines.store.layout import Layout
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from pipelines.work.report import Report

_TABLES: Final = (
    *(DayTable.DECLARATIONS, DayTable.CHANGED_DECLARATIONS, DayTable.RETURNS, DayTable.CHANGED_RETURNS),
    # What was checked before is not left as it was when its declarations are gone.
    *(DayTable.CHECKS, DayTable.ASSESSMENTS),
)
_MOST_DAYS: Final = 10
_K = TypeVar("_K", str, tuple[str, ...])


@dataclass(frozen=True)
class CheckReport(Report):
    """What the checks of a range of days found, by check and outcome, and where their tables are."""

    first: date
    last: date
    days: Sequence[DayChecks]
    tables: Path

    def _lines(self) -> Iterable[str]:
        checked = [day for day in self.days if day.files]
        for day in checked[-_MOST_DAYS:]:
            returns = f", {day.returns:,} lines to be returned" if day.returns else ""
            yield (
                f"{day.day}: {day.parcels:,} parcels with {day.lines:,} lines{returns}: "
                f"{sum(day.findings.values()):,} findings"
            )
        if len(checked) > _MOST_DAYS:
            yield f"and {len(checked) - _MOST_DAYS:,} days before"
        if late := sum(day.late for day in self.days):
            yield f"{late:,} parcels were sent after the close of their day: checked as they were first sent"
        if not checked:
            yield f"{self._range()}: nothing was declared or applied for by its close; nothing was checked"
            return
        for (check, outcome), count in _sum(day.findings for day in checked):
            yield f"  {check:<18} {outcome:<8} {count:>9,}"
        for check, count in _sum(day.not_known for day in checked):
            yield f"  {check:<18} not known{count:>9,}: the table of the rule ends before, see --configs"
        if revised := [day.revised for day in checked if day.revised is not None]:
            yield from RevisedRules.together(revised).lines()
        yield from self._assessments(checked)
        yield f"tables: {checked[0].files[0].parent if len(checked) == 1 else self.tables}"

    def _assessments(self, checked: Sequence[DayChecks]) -> Iterable[str]:
        regimes = _sum(day.assessed for day in checked)
        yield f"assessed: {sum(count for _, count in regimes):,} lines"
        for regime, count in regimes:
            yield f"  {regime:<27}{count:>9,}"
        for column, count in _sum(day.unknown for day in checked):
            yield f"  {column:<18} not known{count:>9,}: no table has the rate, or the line does not tell"
        if ended := sum(day.unassessed for day in checked):
            yield f"  not assessed {ended:>23,}: a table of their rates or limits ends before, see --configs"

    def _facts(self) -> Mapping[str, Any]:
        return {
            "days": {
                str(day.day): {**day.as_dict(), "file": day.files[0], "files": day.files}
                for day in self.days
                if day.files
            },
            "tables": self.tables,
        }

    def _range(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def _sum(counts: Iterable[Mapping[_K, int]]) -> list[tuple[_K, int]]:
    total: Counter[_K] = Counter()
    for each in counts:
        total.update(each)
    return sorted(total.items())


def check_days(
    store: Path, *, first: date, last: date, settings: Settings, progress: Progress
) -> CheckReport:
    """Check every day from `first` to `last` that has declarations or applications for return.

    Each day is written for itself: an interruption keeps the days before.

    Raises:
        StoreError: there is no store, or a table of it is damaged.
        StoreLockedError: another run works on the store.
    """
    opened = Store.open(store)
    reference = load_reference(settings.overlay)
    checked = []
    with opened.lock("check"):
        days = checked_days(opened.layout, first, last)
        with progress.task("check", total=len(days)) as task:
            for day in days:
                with opened.transaction() as t:
                    checked.append(check_day(opened, day, settings.pipeline.checks, reference, t))
                task.advance()
    return CheckReport(first, last, checked, opened.layout.table(DayTable.CHECKS))


def checked_days(layout: Layout, first: date, last: date) -> list[date]:
    """Return the days of a range, both ends inclusive, on which there is something to check."""
    return sorted({day for table in _TABLES for day in layout.days(table) if first <= day <= last})
