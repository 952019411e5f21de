"""What `statistics` says on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from pipelines.statistics.day_cells import ALL, BY_DIRECTION
from pipelines.statistics.issue import Issue
from pipelines.statistics.issues import Revision
from pipelines.work.report import Report

_MOST_TOLD: Final = 5
_TOTALS: Final = (
    *("declarations", "lines", "value_cny", "value_usd", "returned_value_cny", "net_value_cny", "change"),
    *("value_cny_year", "year_change"),
)


@dataclass(frozen=True)
class MonthReport(Report):
    """The report of a month: its statistics, where they are, and how many days were summed up for them."""

    issue: Issue
    folder: Path
    days_read: int

    def _lines(self) -> Iterable[str]:
        issue = self.issue
        whole = issue.entry(ALL)
        yield (
            f"{issue.name} ({issue.status}, as of {issue.as_of}): {_whole(whole['declarations'])} "
            f"declarations with {_whole(whole['lines'])} lines of {issue.days} days in "
            f"{issue.cells.height:,} cells"
        )
        for direction in issue.directions:
            row = issue.entry(BY_DIRECTION, direction)
            yield (
                f"  {direction or 'no direction':<12} CNY {_money(row['value_cny'])}, USD "
                f"{_money(row['value_usd'])}{_changed(row['change'], 'on the year before')}; returned CNY "
                f"{_money(row['returned_value_cny'])}; year so far CNY {_money(row['value_cny_year'])}"
                f"{_changed(row['year_change'], 'on the year before')}"
            )
        for reason, currency, lines in issue.unvalued.sort("lines", descending=True).head(_MOST_TOLD).rows():
            yield f"  {lines:,} lines have no value: {_why(reason, currency)}"
        if whole["value_usd"] is None and whole["value_cny"] is not None:
            yield "  values in USD are not known: no rate of USD in exchange_rates.csv, see --configs"
        yield from self._of_returns()
        if issue.suppressed is not None:
            hidden = int(issue.suppressed.cells["suppressed"].sum())
            yield (
                f"  {hidden:,} cells are not shown, {issue.suppressed.primary:,} of them because of few "
                f"enterprises; nor are {issue.suppressed.entries.height:,} entries of tables"
            )
        if issue.revision is not None:
            yield f"  revised since {issue.revision.since} ({issue.revision.status}): {_said(issue.revision)}"
        for other in issue.others_revised:
            yield (
                f"  {other.month:%Y-%m} is no longer what was issued on {other.since}: {_said(other)}; make "
                f"it again with --month {other.month:%Y-%m}"
            )
        yield f"  {self.folder}"

    def _of_returns(self) -> Iterable[str]:
        returns = self.issue.returns
        if returns["unknown"]:
            yield f"  {returns['unknown']:,} lines to be returned are of no declared line, and count nowhere"
        if returns["unvalued"]:
            yield (
                f"  {returns['unvalued']:,} lines to be returned have no value: their quantity or the line's "
                "value is not known, or the units differ"
            )

    def _facts(self) -> Mapping[str, Any]:
        issue = self.issue
        hidden = issue.suppressed
        return {
            "month": issue.name,
            "status": issue.status,
            "as_of": issue.as_of,
            "cells": issue.cells.height,
            "totals": {
                direction or "none": {name: issue.entry(BY_DIRECTION, direction)[name] for name in _TOTALS}
                for direction in issue.directions
            },
            "unvalued": issue.unvalued.to_dicts(),
            "returns": dict(issue.returns),
            "suppressed_cells": None if hidden is None else int(hidden.cells["suppressed"].sum()),
            "suppressed_entries": None if hidden is None else hidden.entries.height,
            "revised": None if issue.revision is None else issue.revision.as_dict(),
            "others_revised": [other.as_dict() for other in issue.others_revised],
            "folder": self.folder,
        }


@dataclass(frozen=True)
class StatisticsReport(Report):
    """The report of all months, and those of which there is nothing in the store."""

    months: Sequence[MonthReport]
    empty: Sequence[date]

    def _lines(self) -> Iterable[str]:
        for month in self.months:
            yield from month.lines()
        if self.empty:
            yield "nothing in the store: " + ", ".join(f"{month:%Y-%m}" for month in self.empty)

    def _facts(self) -> Mapping[str, Any]:
        return {"months": list(self.months), "empty": [f"{month:%Y-%m}" for month in self.empty]}


def _money(value: float | None) -> str:
    return "not shown" if value is None else f"{value:,.2f}"


def _whole(value: int | None) -> str:
    return "not shown" if value is None else f"{value:,.0f}"


def _changed(share: float | None, than: str) -> str:
    return "" if share is None else f" ({share:+.1%} {than})"


def _why(reason: str, currency: str | None) -> str:
    return {
        "no_price": "no price",
        "no_currency": "no currency",
        "no_rate": f"no rate of {currency} in exchange_rates.csv for their day, see --configs",
    }.get(reason, "too large to be true")


def _said(revision: Revision) -> str:
    """How many cells, and what has changed of the whole."""
    parts = [
        f"{name} {before:,.2f} -> {after:,.2f}"
        for name, (before, after) in revision.totals.items()
        if before != after
    ]
    return f"{revision.cells.height:,} cells" + "".join(f", {part}" for part in parts)
