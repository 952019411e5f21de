"""The rejected rows of a store, for tests."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.store.day_table import DayTable
from pipelines.store.layout import Layout
from pipelines.store.quarantine import QUARANTINE_COLUMNS


def read_quarantine(root: Path) -> pl.DataFrame:
    """All rejected rows of a store with their day in `declared_on` (null where it is unknown)."""
    frames = [pl.DataFrame(schema=QUARANTINE_COLUMNS | {"declared_on": pl.Date()})]
    for path in sorted(Layout(root).table(DayTable.QUARANTINE).glob("declared_on=*/*.parquet")):
        rows = pl.read_parquet(path, hive_partitioning=False, glob=False).select(*QUARANTINE_COLUMNS)
        day = path.parent.name.removeprefix("declared_on=")
        frames.append(rows.with_columns(pl.lit(day).str.to_date(strict=False).alias("declared_on")))
    return pl.concat(frames)
