"""Which cells and entries of a month are not shown, so that no sum gives one of few enterprises away.

What is published beside cells are the totals of all and of each direction, and of each entry of a table
(`DIMENSIONS`) its value. Whoever reads them knows a linear system of the cells that are not shown, none of
which is negative. `disclosure` tells by linear programs which of them it bounds too closely; then further
ones go, the smallest first, until it bounds none.

Sources: Willenborg, de Waal, Elements of Statistical Disclosure Control (2001), chapter 8 (the audit of a
table); Fischetti, Salazar, Solving the cell suppression problem on tabular data with linear constraints,
Management Science 47 (2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from configs.errors import UsageError
from configs.schema.statistics import StatisticsConfig
from pipelines.statistics.day_cells import BY_DIRECTION
from pipelines.statistics.line_values import CELL_KEY
from pipelines.statistics.month_cells import ENTRY_KEY
from pipelines.statistics.suppression.cell_table import TABLES, CellTable
from pipelines.statistics.suppression.disclosure import Exposed, exposed
from pipelines.statistics.suppression.widening import widen

VALUES_SHOWN: Final = ("value_cny", "value_usd")
"""What is published of an entry of a month whose small cells are hidden."""


@dataclass(frozen=True)
class Suppressed:
    """What is not shown of a month.

    Attributes:
        cells: `CELL_KEY` and `suppressed`, of every cell, in its order.
        entries: `ENTRY_KEY` of the entries that are not shown.
        primary: how many cells have too few enterprises; the others go with them.
    """

    cells: pl.DataFrame
    entries: pl.DataFrame
    primary: int

    @property
    def hides_directions(self) -> bool:
        """Whether totals of directions are not shown."""
        return BY_DIRECTION in set(self.entries["dimension"])


def suppress(
    cells: pl.DataFrame, enterprises: pl.LazyFrame, config: StatisticsConfig, earlier: pl.DataFrame | None
) -> Suppressed:
    """Return what of a month's cells is not shown.

    Args:
        cells: `MONTH_SCHEMA`.
        enterprises: one row or more a cell and enterprise.
        config: how many enterprises are few, and how wide an interval has to be.
        earlier: cells (`CELL_KEY`) that an earlier issue did not show: they are not shown now either.

    Raises:
        UsageError: all of the month has too few enterprises.
    """
    table = CellTable.of(cells)
    few = cells.select(CELL_KEY).join(
        _of_few(enterprises, list(CELL_KEY), config.least_enterprises),
        on=CELL_KEY,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    primary = few["_few"].fill_null(True).to_numpy()
    table.sensitive = primary.copy()
    table.hidden = primary.copy()
    if earlier is not None and earlier.height:
        marked = earlier.select(CELL_KEY).unique().with_columns(_was=True)
        was = cells.select(CELL_KEY).join(
            marked, on=CELL_KEY, how="left", nulls_equal=True, maintain_order="left"
        )
        table.hidden |= was["_was"].fill_null(False).to_numpy()
    _hide_entries_of_few(table, enterprises, config.least_enterprises)
    for _ in range(2 * (cells.height + table.entries.height)):
        found = _too_few_hidden(table) or exposed(table, config.least_interval)
        if not found:
            return Suppressed(
                table.keys.with_columns(suppressed=pl.Series(table.hidden)),
                table.entries.filter(pl.Series(table.hidden_entries)).select(ENTRY_KEY),
                int(primary.sum()),
            )
        if not _hide_more(table, found, config.least_interval):
            break
    raise UsageError(
        f"expected enough cells to hide those of fewer than {config.least_enterprises} enterprises among; "
        f"the month has {cells.height:,}, too few for that. Make it without suppression "
        "(--least-enterprises 0), and do not give it away"
    )


def _hide_more(table: CellTable, found: list[Exposed], least_interval: float) -> bool:
    """Take a step for each of what is exposed, but for those that an earlier step may have helped; return
    whether anything was hidden.
    """
    touched = np.zeros(table.entries.height, dtype=bool)
    done = False
    for each in found:
        own = [each.number] if each.is_entry else table.entry_of[:-1, each.number]
        if touched[own].any():
            continue
        before = table.hidden.copy()
        done |= widen(table, each, least_interval)
        touched[np.unique(table.entry_of[:-1, table.hidden & ~before])] = True
    return done


def _of_few(enterprises: pl.LazyFrame, key: list[str], least: int) -> pl.DataFrame:
    counts = enterprises.group_by(key).agg(pl.col("enterprise").n_unique())
    return counts.select(*key, _few=pl.col("enterprise") < least).collect(engine="streaming")


def _hide_entries_of_few(table: CellTable, enterprises: pl.LazyFrame, least: int) -> None:
    for number, name in enumerate(TABLES):
        key = list(dict.fromkeys(("direction", name)))
        few = _of_few(enterprises, key, least).with_columns(entry=name)
        places = np.flatnonzero(table.table_of == number)
        own = table.entries[places]
        joined = own.join(
            few.select("direction", "entry", "_few"),
            on=["direction", "entry"],
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        table.hidden_entries[places] = joined["_few"].fill_null(True).to_numpy()
    table.sensitive_entries = table.hidden_entries.copy()


def _too_few_hidden(table: CellTable) -> list[Exposed]:
    """Cells that are the only one hidden of a published total, of which every figure is published."""
    directions = table.entry_of[-1]
    found = []
    for entry in np.unique(directions[table.hidden]):
        cells = np.flatnonzero(table.hidden & (directions == entry))
        if len(cells) == 1 and not (table.hidden_entries[entry] and table.hidden.sum() > 1):
            found.append(Exposed(int(cells[0]), is_entry=False))
    return found
