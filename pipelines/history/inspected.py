"""The lines that results were reported of, with these results: what a case says of single earlier parcels.

Lines and results lie in tables of their own, by other days: to find the results of a seller, all lines that
were ever declared would have to be searched. A day that is closed has its results beside their lines anyway,
and keeps them.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from features.contract.declarations import DECLARATION_COLUMNS, LINE_KEY
from pipelines.store.day_table import DayTable
from pipelines.store.digests import intact
from pipelines.store.files import put_in, reading, scan_tables, write_table
from pipelines.store.journal import Transaction
from pipelines.store.store import Store

INSPECTED_LINES = (
    "seller_id",
    "buyer_id",
    "address_id",
    "item_name",
    "unit_price",
    "total_price",
    "currency",
)
"""What is kept of a line beside its key and day; the rest are the columns of inspections."""


def inspected_schema(store: Store) -> dict[str, pl.DataType]:
    """The columns of the table: those of inspections, `declared_on` and `INSPECTED_LINES`."""
    of_lines = {name: DECLARATION_COLUMNS[name] for name in INSPECTED_LINES}
    return store.inspection_schema() | {"declared_on": pl.Date()} | of_lines


def save_inspected(file: Path, store: Store, reported: pl.DataFrame | None, day: date) -> None:
    """Writes what was reported on a day, as `Chronicle.reported` has it; no file where there is nothing."""
    file.unlink(missing_ok=True)
    rows = None if reported is None else reported.filter(pl.col("reported_on") == day)
    if rows is not None and rows.height:
        schema = inspected_schema(store)
        lacking = [
            pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in rows.columns
        ]
        write_table(rows.with_columns(lacking).select(*schema).sort(*LINE_KEY), file)


def stage_inspected(t: Transaction, store: Store, day: date, file: Path) -> None:
    """Stages the file of a day that `save_inspected` wrote; where it wrote none, the day has none."""
    folder = t.stage(store.layout.partition(DayTable.INSPECTED, day))
    if file.exists():
        put_in(file, folder / DayTable.INSPECTED.file)


def inspected_of(store: Store, parties: pl.DataFrame, before: date, days: int) -> pl.DataFrame:
    """What was reported in so many days before a day, of lines with one of these parties, a column a kind."""
    schema = inspected_schema(store)
    first = before - timedelta(days=days)
    # A day may have lost its results since: they were withdrawn.
    held = sorted({*store.days(DayTable.INSPECTED)} & {*store.inspection_days()})
    files = [store.layout.file(DayTable.INSPECTED, day) for day in held if first <= day < before]
    if not files:
        return pl.DataFrame(schema=schema)
    meant = [pl.col(values.name).is_in(values.drop_nulls().unique().implode()) for values in parties]
    with reading(store.layout.table(DayTable.INSPECTED)):
        return scan_tables(list(map(intact, files)), schema).filter(pl.any_horizontal(meant)).collect()
