"""What was applied for to be returned in a month, in the cells of the lines that go back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from configs.reference.facts import Reference
from features.contract.china_time import china_day
from features.contract.declarations import LINE_KEY
from features.contract.documents import RETURNS
from pipelines.documents.known import VERSION_COLUMNS
from pipelines.keys.key_index import Sought
from pipelines.statistics.day_cells import PAIR_SCHEMA, declared_digests, digest_of
from pipelines.statistics.line_values import CELL_KEY, READ_COLUMNS, line_values, part_of_fen
from pipelines.statistics.months import last_day
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables, scan_tables
from pipelines.store.layout import Layout
from pipelines.store.store import Store

RETURNED_SCHEMA: Final[dict[str, pl.DataType]] = dict.fromkeys(CELL_KEY, pl.String()) | {
    "returned_lines": pl.Int64(),
    "returned_fen": pl.Int64(),
}
RETURN_COUNTS: Final = ("applications", "returned", "unknown", "unvalued")
"""Lines that were applied for: all, those with a value, those of no declared line, those without a value."""
_APPLIED: Final = (*LINE_KEY, "own_number", "quantity", "unit")
_VERSION: Final = 1


@dataclass(frozen=True)
class ReturnedSums:
    """What goes back, of a month's applications.

    Attributes:
        cells: `RETURNED_SCHEMA`, by the cell of the original line.
        enterprises: those of the original lines, one row a cell and enterprise.
        counts: lines by `RETURN_COUNTS`.
        days: the days on which what goes back was declared.
    """

    cells: pl.DataFrame
    enterprises: pl.DataFrame
    counts: dict[str, int]
    days: tuple[date, ...]


def applications(layout: Layout, month: date) -> pl.DataFrame:
    """Return the lines that were first applied for in a month, as they hold now, sorted.

    An application that was rejected or taken back does not hold; one that is sent again is a new one.
    """
    first, last = month, last_day(month)
    days = [day for day in layout.days(DayTable.RETURNS) if day >= first]
    files = [file for day in days for file in layout.files(DayTable.RETURNS, day)]
    if not files:
        return pl.DataFrame(schema={name: RETURNS.columns[name] for name in _APPLIED})
    holding = scan_tables(files, RETURNS.columns).select(*_APPLIED, "sent_at")
    past = [
        file
        for day in layout.days(DayTable.CHANGED_RETURNS)
        for file in layout.files(DayTable.CHANGED_RETURNS, day)
    ]
    key = list(RETURNS.key)
    applied = pl.col("sent_at")
    if past:
        versions = scan_tables(past, RETURNS.columns | VERSION_COLUMNS).filter(
            pl.col("part").fill_null("") == ""
        )
        is_end = (pl.col("action") == "delete").fill_null(False)
        # One that is the same application: sent after the last time it was taken back.
        ended = versions.filter(is_end).group_by(key).agg(_ended=pl.col("sent_at").max())
        sent = (
            versions.filter(~is_end)
            .join(ended, on=key, how="left", nulls_equal=True)
            .filter((pl.col("sent_at") >= pl.col("_ended")).fill_null(True))
            .group_by(key)
            .agg(_first=pl.col("sent_at").min())
        )
        holding = holding.join(sent, on=key, how="left", nulls_equal=True)
        applied = pl.min_horizontal("sent_at", "_first")
    in_month = holding.filter(china_day(applied).is_between(first, last)).select(_APPLIED)
    return in_month.collect(engine="streaming").sort(_APPLIED, nulls_last=True)


def returned_basis(
    store: Store, applied: pl.DataFrame, days: Iterable[date], reference: Reference, *, some_unknown: bool
) -> dict[str, object]:
    """Return what the sums of a month's applications rest on: these, and the days that were looked through.

    Where a line was not found, any day that comes may have it.
    """
    wanted = store.days(DayTable.DECLARATIONS) if some_unknown else sorted(days)
    rates = reference.tables["exchange_rates"].sort("currency", "valid_from")
    return {
        "version": _VERSION,
        "applications": digest_of(applied),
        "days": {str(day): declared_digests(store.layout, day) for day in wanted},
        "rates": digest_of(rates),
    }


def find_returned(store: Store, applied: pl.DataFrame, reference: Reference) -> ReturnedSums:
    """Return the sums of applications: each line's value, or the part of it that its quantity is.

    Declarations are looked through from the newest day back, a bucket at a time, until all are found. A line
    goes back at most whole. Its value is not known where quantities are missing or in other units.

    Raises:
        StoreError: a file that is read is damaged.
    """
    missing = applied.select("declaration_id").unique()
    found, days = [], []
    for day in reversed(store.days(DayTable.DECLARATIONS)):
        if missing.is_empty():
            break
        lines = _lines_of(store, day, missing)
        if not lines.is_empty():
            days.append(day)
            found.append(line_values(lines, reference.on(day)))
            missing = missing.join(lines, on="declaration_id", how="anti")
    if not found:
        empty = pl.DataFrame(schema=RETURNED_SCHEMA)
        counts = dict.fromkeys(RETURN_COUNTS, 0)
        counts |= {"applications": applied.height, "unknown": applied.height}
        return ReturnedSums(empty, pl.DataFrame(schema=PAIR_SCHEMA), counts, ())
    lines = pl.concat(found).unique(LINE_KEY, keep="first", maintain_order=True)
    back = applied.join(lines, on=LINE_KEY, suffix="_bought")
    one_unit = (pl.col("unit") == pl.col("unit_bought")).fill_null(True)
    part = pl.min_horizontal(pl.col("quantity") / pl.col("quantity_bought"), 1.0)
    comparable = one_unit & pl.col("quantity").is_not_null() & pl.col("quantity_bought").is_not_null()
    back = back.with_columns(_fen=pl.when(comparable).then(part_of_fen(pl.col("value_fen"), part)))
    cells = back.group_by(CELL_KEY).agg(
        returned_lines=pl.len().cast(pl.Int64), returned_fen=pl.col("_fen").sum()
    )
    counts = {
        "applications": applied.height,
        "returned": back["_fen"].count(),
        "unknown": applied.height - back.height,
        "unvalued": back["_fen"].null_count(),
    }
    pairs = back.select(*PAIR_SCHEMA).unique()
    return ReturnedSums(
        cells.select(*RETURNED_SCHEMA).sort(CELL_KEY, nulls_last=True),
        pairs.sort(pairs.columns, nulls_last=True),
        counts,
        tuple(sorted(days)),
    )


def _lines_of(store: Store, day: date, inventories: pl.DataFrame) -> pl.DataFrame:
    """A day's lines of some inventories."""
    parts: list[pl.DataFrame] = []
    for file in Sought.of(inventories).files(store.layout, store.layout.buckets(day)):
        ids = read_tables([file], store.stored_schema(), ["declaration_id"])
        if ids.join(inventories, on="declaration_id", how="semi").is_empty():
            continue
        lines = read_tables([file], store.stored_schema(), list(READ_COLUMNS))
        parts.append(lines.join(inventories, on="declaration_id", how="semi"))
    return pl.concat(parts) if parts else read_tables([], store.stored_schema(), list(READ_COLUMNS))
