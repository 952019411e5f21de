"""What was issued of a month before, and what has been revised since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from pipelines.statistics.line_values import CELL_KEY
from pipelines.statistics.month_cells import FIGURES, STATISTICS_COLUMNS
from pipelines.store.files import read_whole, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout

ISSUE_SCHEMA: Final[dict[str, pl.DataType]] = STATISTICS_COLUMNS | {"suppressed": pl.Boolean()}
"""Of an issue all figures are kept, those that were not shown too, and which these were."""
ADDITIVE: Final = ("lines", "value_cny", "returned_value_cny")


@dataclass(frozen=True)
class Revision:
    """What has changed of a month since it was issued.

    Attributes:
        month: its first day.
        since: the day of the issue before.
        status: what that was.
        cells: `CELL_KEY`, `suppressed`, and each of FIGURES `_before` and `_after`: cells of which one
            differs; a cell that was not there, or is there no more, is null.
        totals: `ADDITIVE` of the whole month, before and after.
    """

    month: date
    since: date
    status: str
    cells: pl.DataFrame
    totals: dict[str, tuple[float, float]]

    def as_dict(self) -> dict[str, Any]:
        """Return it for a manifest or a program, without the figures of single cells."""
        return {
            "month": f"{self.month:%Y-%m}",
            "since": self.since,
            "status": self.status,
            "cells": self.cells.height,
            **{name: list(pair) for name, pair in self.totals.items()},
        }


def issue_before(layout: Layout, month: date, cells: pl.DataFrame) -> tuple[pl.DataFrame | None, bool]:
    """Return the last issue of a month whose figures are others than these, and whether this is a new one.

    It is one, too, where only its status or what it hides is another.

    Args:
        layout: the store's.
        month: the month.
        cells: `ISSUE_SCHEMA`.

    Raises:
        StoreError: an issue cannot be read, or is damaged.
    """
    is_new = True
    for number, file in enumerate(reversed(layout.statistics_issues(month))):
        issue = read_whole(file)
        if number == 0:
            is_new = not _same(issue, cells, [*CELL_KEY, *FIGURES, "status", "suppressed"])
        if not _same(issue, cells, [*CELL_KEY, *FIGURES]):
            return issue, is_new
    return None, is_new


def newest_issue(layout: Layout, month: date) -> pl.DataFrame | None:
    """Return what was last issued of a month, None where nothing was.

    Raises:
        StoreError: it cannot be read, or is damaged.
    """
    files = layout.statistics_issues(month)
    return read_whole(files[-1]) if files else None


def write_issue(t: Transaction, layout: Layout, month: date, cells: pl.DataFrame) -> int:
    """Keep an issue with the next free number, and return that."""
    number = len(layout.statistics_issues(month)) + 1
    write_table(cells.select(*ISSUE_SCHEMA), t.stage_file(layout.statistics_issue(month, number)))
    return number


def revised(month: date, before: pl.DataFrame, cells: pl.DataFrame) -> Revision:
    """Return what has changed from an issue to these cells (both `ISSUE_SCHEMA`)."""
    names = [*CELL_KEY, *FIGURES, "suppressed"]
    both = before.select(names).join(
        cells.select(names), on=CELL_KEY, how="full", nulls_equal=True, coalesce=True, suffix="_after"
    )
    both = both.rename({name: f"{name}_before" for name in FIGURES})
    differs = [pl.col(f"{name}_before").ne_missing(pl.col(f"{name}_after")) for name in FIGURES]
    hidden = pl.col("suppressed").fill_null(False) | pl.col("suppressed_after").fill_null(False)
    figures = [f"{name}_{when}" for name in FIGURES for when in ("before", "after")]
    changed = both.filter(pl.any_horizontal(differs)).select(*CELL_KEY, hidden.alias("suppressed"), *figures)
    return Revision(
        month,
        before["as_of"].max() if before.height else month,  # type: ignore[arg-type]
        before["status"][0] if before.height else "",
        changed.sort(CELL_KEY, nulls_last=True),
        {name: (_total(before, name), _total(cells, name)) for name in ADDITIVE},
    )


def _total(cells: pl.DataFrame, name: str) -> float:
    """A total in whole hundredths: figures are hundredths as doubles."""
    return int((cells[name].fill_null(0) * 100).round().cast(pl.Int64).sum()) / 100


def _same(one: pl.DataFrame, other: pl.DataFrame, names: list[str]) -> bool:
    """Whether two issues say the same of these columns."""
    return one.select(names).equals(other.select(names))
