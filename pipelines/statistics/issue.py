"""A month's statistics as they are published: figures, what is hidden, what was revised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import polars as pl

from features.contract.declarations import DIRECTIONS
from pipelines.statistics.comparison import PERIODS
from pipelines.statistics.day_cells import ALL, BY_DIRECTION
from pipelines.statistics.issues import Revision
from pipelines.statistics.month_cells import ENTRY_KEY, FIGURES
from pipelines.statistics.suppression.suppress import VALUES_SHOWN, Suppressed

_OF_DIRECTIONS: Final = [ALL, BY_DIRECTION]


@dataclass(frozen=True)
class Issue:
    """A month's statistics.

    Attributes:
        month: its first day.
        status: preliminary or final.
        as_of: the day on which it was made.
        days: how many days of the month have declarations.
        cells: `STATISTICS_COLUMNS`; a cell that is not shown has no figures.
        entries: those of `compared`.
        months: the values of directions by month, those of `by_month`.
        year_from: the first month of the year so far of which anything is in the store.
        unvalued: lines without a value, by reason and currency.
        returns: lines of applications by `RETURN_COUNTS`.
        suppressed: what is not shown; None where everything is.
        revision: what has changed since the issue before.
        others_revised: months before whose figures are no longer those that were issued.
        hides_months: whether the directions of other months are not shown.
    """

    month: date
    status: str
    as_of: date
    days: int
    cells: pl.DataFrame
    entries: pl.DataFrame
    months: pl.DataFrame
    year_from: date
    unvalued: pl.DataFrame
    returns: Mapping[str, int]
    suppressed: Suppressed | None = None
    revision: Revision | None = None
    others_revised: Sequence[Revision] = field(default_factory=tuple)
    hides_months: bool = False

    @property
    def name(self) -> str:
        """The month as it is written."""
        return f"{self.month:%Y-%m}"

    def entry(self, dimension: str, direction: str | None = None) -> dict[str, Any]:
        """The totals of all or of a direction; every figure null where they are not shown or not there."""
        rows = self.entries.filter(
            pl.col("dimension") == dimension, pl.col("direction").eq_missing(pl.lit(direction))
        )
        return rows.row(0, named=True) if rows.height else dict.fromkeys(rows.columns)

    @property
    def directions(self) -> list[str | None]:
        """The directions that there are, imports first; null where declarations say none."""
        there = self.entries.filter(pl.col("dimension") == BY_DIRECTION)["direction"].to_list()
        return [direction for direction in (*DIRECTIONS, None) if direction in there]

    @property
    def totals(self) -> list[dict[str, Any]]:
        """The totals of all, then those of directions."""
        return [self.entry(ALL), *(self.entry(BY_DIRECTION, direction) for direction in self.directions)]

    def hides(self, row: Mapping[str, Any], figure: str) -> bool:
        """Whether a figure of an entry is not shown, rather than not known."""
        if self.suppressed is None:
            return False
        if _is_of_others(figure):
            return row["dimension"] != ALL and (row["dimension"] != BY_DIRECTION or self.hides_months)
        return bool(row.get("hidden")) or (
            row["dimension"] not in _OF_DIRECTIONS and figure not in VALUES_SHOWN
        )

    def table(self, dimension: str, direction: str | None) -> pl.DataFrame:
        """The entries of a direction by one part of the key, the largest value first."""
        return self.entries.filter(
            pl.col("dimension") == dimension, pl.col("direction").eq_missing(pl.lit(direction))
        ).sort("value_cny", "entry", descending=[True, False], nulls_last=True)


def hidden_cells(cells: pl.DataFrame, suppressed: pl.DataFrame) -> pl.DataFrame:
    """Return cells without the figures of those that are not shown.

    Args:
        cells: `STATISTICS_COLUMNS`.
        suppressed: `CELL_KEY` and `suppressed`, in the same order.
    """
    shown = ~suppressed["suppressed"]
    return cells.with_columns(pl.when(shown).then(pl.col(name)).alias(name) for name in FIGURES)


def hidden_entries(entries: pl.DataFrame, suppressed: Suppressed, hidden_months: bool) -> pl.DataFrame:
    """Return compared entries with what may be shown beside cells that are hidden.

    Of the month's tables that are the values, of entries that are not hidden; all figures of the totals. Of
    other months only the totals, those of directions where no month hides them (`hidden_months`).
    """
    marked = suppressed.entries.with_columns(_hidden=True)
    joined = entries.join(marked, on=ENTRY_KEY, how="left", nulls_equal=True, maintain_order="left")
    is_all = pl.col("dimension") == ALL
    is_total = pl.col("dimension").is_in(_OF_DIRECTIONS)
    is_hidden = pl.col("_hidden").fill_null(False)
    others_too = is_all if hidden_months else is_total & ~is_hidden
    shows = {
        name: others_too if _is_of_others(name) else ~is_hidden & (is_total | pl.lit(name in VALUES_SHOWN))
        for name in entries.columns
        if name not in ENTRY_KEY
    }
    figures = [pl.when(show).then(name).alias(name) for name, show in shows.items()]
    return joined.select(*ENTRY_KEY, *figures, is_hidden.alias("hidden"))


def _is_of_others(figure: str) -> bool:
    """Whether a figure is of other months, too."""
    return figure.endswith((*PERIODS, "change"))


def hidden_of_months(months: pl.DataFrame, hidden_months: bool) -> pl.DataFrame:
    """Return the values by month without those of directions, where a month hides them."""
    return months.filter(pl.col("dimension") == ALL) if hidden_months else months
