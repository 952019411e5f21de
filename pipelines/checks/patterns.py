"""The patterns of a day: what goes back of whom, from the days that were checked, and who shares what."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from features.pattern import APPLIED_COLUMNS, RING_COLUMNS
from features.patterns.returns import returned_by_key
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables, write_table
from pipelines.store.layout import APPLIED, RETURNED, RINGS, Layout


def write_patterns(
    layout: Layout, day: date, folder: Path, applied: pl.DataFrame, rings: list[pl.DataFrame], days: int
) -> None:
    """Write the tables of a day's patterns into a folder.

    Args:
        layout: where those of the days before are.
        day: the day.
        folder: where they are staged.
        applied: the lines for whose return was applied on the day, in `APPLIED_COLUMNS`.
        rings: parts of the day's parcels that share something, in `RING_COLUMNS`.
        days: of so many days applications count; each as it was known at the close of its day, where that was
            checked.

    Raises:
        StoreError: a table of a day before cannot be read.
    """
    first = day - timedelta(days=days - 1)
    before = [each for each in layout.days(DayTable.PATTERNS) if first <= each < day]
    files = [layout.partition(DayTable.PATTERNS, each) / APPLIED for each in before]
    known = pl.concat([read_tables(files, APPLIED_COLUMNS, None), applied])
    write_table(applied, folder / APPLIED)
    write_table(returned_by_key(known), folder / RETURNED)
    write_table(pl.concat(rings).sort(list(RING_COLUMNS)), folder / RINGS)
