"""The cells of a month by number, the entries of tables that they are in, and what of both is hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from features.arrays.types import BoolArray, FloatArray, IntArray
from pipelines.statistics.day_cells import BY_DIRECTION, DIMENSIONS
from pipelines.statistics.line_values import CELL_KEY
from pipelines.statistics.month_cells import ENTRY_KEY

TABLES: Final = (*DIMENSIONS, BY_DIRECTION)
"""The tables of which entries are published; the one whose entries are hidden last is at the end."""
VALUES: Final = ("value_fen", "value_cents")
"""What is published of the entries of a month whose small cells are hidden."""


@dataclass
class CellTable:
    """Cells and entries by number.

    Attributes:
        keys: the cells.
        values: `VALUES`, a row each, by cell.
        entry_of: for each of TABLES, a row each, the number of the entry that a cell is in.
        entries: by number, its `ENTRY_KEY`.
        table_of: by number, the entry's table in TABLES.
        hidden, sensitive: cells that are hidden, and those of them with too few enterprises.
        hidden_entries, sensitive_entries: the same of entries.
    """

    keys: pl.DataFrame
    values: FloatArray
    entry_of: IntArray
    entries: pl.DataFrame
    table_of: IntArray
    hidden: BoolArray
    sensitive: BoolArray
    hidden_entries: BoolArray
    sensitive_entries: BoolArray

    @classmethod
    def of(cls, cells: pl.DataFrame) -> CellTable:
        """Number a month's cells (`MONTH_SCHEMA`) and their entries; nothing is hidden."""
        frames: list[pl.DataFrame] = []
        numbers: list[pl.Series] = []
        start = 0
        for name in TABLES:
            key = ["direction", "entry"]
            of_cells = cells.select("direction", entry=name)
            unique = of_cells.unique().sort(key, nulls_last=True).with_row_index("_number", start)
            joined = of_cells.join(unique, on=key, how="left", nulls_equal=True, maintain_order="left")
            numbers.append(joined["_number"].cast(pl.Int64))
            frames.append(unique.with_columns(dimension=pl.lit(name)).select(*ENTRY_KEY))
            start += unique.height
        return cls(
            cells.select(CELL_KEY),
            cells.select(VALUES).cast(pl.Float64).to_numpy().T.copy(),
            np.stack([each.to_numpy() for each in numbers]),
            pl.concat(frames),
            np.repeat(np.arange(len(TABLES)), [frame.height for frame in frames]),
            *(np.zeros(count, dtype=bool) for count in (cells.height, cells.height, start, start)),
        )

    @property
    def values_of_entries(self) -> FloatArray:
        """`VALUES`, a row each, by entry."""
        count = self.entries.height
        sums = [[np.bincount(numbers, values, count) for numbers in self.entry_of] for values in self.values]
        added: FloatArray = np.asarray(sums, dtype=np.float64).sum(axis=1)
        return added

    def members(self, entry: int) -> IntArray:
        """The cells of an entry."""
        return np.flatnonzero(self.entry_of[self.table_of[entry]] == entry)

    def shown(self, entry: int) -> IntArray:
        """The cells of an entry that are shown, the smallest first."""
        cells = self.members(entry)
        cells = cells[~self.hidden[cells]]
        return cells[np.argsort(self.values[0][cells], kind="stable")]

    def hidden_sum(self, entry: int) -> float:
        """The value of the cells of an entry that are hidden."""
        cells = self.members(entry)
        return float(self.values[0][cells[self.hidden[cells]]].sum())

    def shown_entries(self, cell: int) -> list[int]:
        """The entries of a cell that are shown."""
        return [int(entry) for entry in self.entry_of[:, cell] if not self.hidden_entries[entry]]
