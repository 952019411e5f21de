"""What inventories said before a change, a deletion or a cancellation, and until when that held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from features.arrays.types import UInt64Array
from features.contract.declarations import LINE_KEY
from pipelines.ingest.merging.merge import NEVER, last_of_moment
from pipelines.keys.hash_sets import contains
from pipelines.keys.key_index import write_index
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout
from pipelines.store.spool import complete

ENDED: Final[dict[str, pl.DataType]] = {"held_until": pl.Datetime("us", "UTC")}
"""Beside the columns of a line: when the message was sent with which it no longer held."""
LINE_SENT: Final[dict[str, pl.DataType]] = {"sent_at": pl.Datetime("us", "UTC")}
"""When the message was sent that a line comes from; a store that took in no messages has no such column."""


def ended_versions(incoming: pl.DataFrame, removed: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """Return lines of versions that a later message ended, in the columns of `removed`.

    Args:
        incoming: valid rows of messages and tables, see `merge`.
        removed: the lines that the store held and that go, with `sent_at` and `held_until`.
        ledger: the messages about these declarations that were known before.
    """
    messages = incoming.filter(pl.col("_action").is_not_null())
    came = messages.select("declaration_id", _ends=pl.col("_message_at").fill_null(NEVER))
    moments = pl.concat([came, ledger.select("declaration_id", _ends="message_at")]).unique()
    told = last_of_moment(messages, ledger).filter(pl.col("_action") != "delete")
    told = told.with_columns(pl.col("_message_at").fill_null(NEVER).alias("_began"))
    stored = removed.with_columns(pl.col("sent_at").fill_null(NEVER).alias("_began"))
    stored = stored.join(told, on=["declaration_id", "_began"], how="anti")
    lines = (
        pl.concat([complete(told, stored.schema.items()), stored]).drop("held_until").with_row_index("_row")
    )
    later = lines.select("_row", "declaration_id", "_began").join(moments, on="declaration_id")
    later = later.filter(pl.col("_ends") > pl.col("_began"))
    ends = later.group_by("_row").agg(pl.col("_ends").min().alias("held_until"))
    return lines.join(ends, on="_row").select(removed.columns)


def write_ended(
    t: Transaction,
    layout: Layout,
    ended: pl.DataFrame,
    whole: Mapping[date, UInt64Array],
    schema: Mapping[str, pl.DataType],
) -> None:
    """Add lines of versions that ended to what the store keeps of them, by the day of their declaration.

    Of the declarations with hashes in `whole`, by day, `ended` has all that there is to keep.
    """
    columns = {**schema, **LINE_SENT, **ENDED}
    parts = {day: part for (day,), part in ended.partition_by("_day", as_dict=True).items()}
    for day in sorted({*parts, *whole}):
        known = read_tables(layout.files(DayTable.CHANGED_DECLARATIONS, day), columns, None)
        if day in whole:
            again = contains(whole[day], hash_text(known["declaration_id"]).to_numpy())
            known = known.filter(~pl.Series(again))
        new = complete(parts.get(day, known.clear()), columns.items())
        rows = added(known, new)
        folder = t.stage(layout.partition(DayTable.CHANGED_DECLARATIONS, day))
        if rows.height:
            ordered = rows.sort(*LINE_KEY, "held_until", *columns, nulls_last=True)
            write_table(ordered, folder / DayTable.CHANGED_DECLARATIONS.file)
        write_index(t, layout, DayTable.CHANGED_DECLARATIONS, day)


def added(known: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Versions that ended with new ones among them.

    A version that came in between two that were known ends the first of them earlier; one that was sent at
    the same time as another takes its place.
    """
    if new.is_empty():
        return known
    known = known.join(new, on=["declaration_id", "sent_at"], how="anti")
    rows = pl.concat([known, new])
    others = rows.select("declaration_id", _next="sent_at").unique()
    later = rows.with_row_index("_row").join(others, on="declaration_id")
    later = later.filter(pl.col("_next") > pl.col("sent_at"))
    soonest = later.group_by("_row").agg(pl.col("_next").min())
    rows = rows.with_row_index("_row").join(soonest, on="_row", how="left")
    held = pl.min_horizontal("held_until", "_next").alias("held_until")
    return rows.with_columns(held).select(known.columns).unique()


def last_lines(
    holding: list[Path],
    ended: list[Path],
    schema: Mapping[str, pl.DataType],
    missing: pl.DataFrame,
    own: pl.DataFrame,
) -> pl.DataFrame:
    """Return lines of a day that hold or, of declarations that were withdrawn, held last.

    Args:
        holding: the files of what holds.
        ended: those of what no longer does.
        schema: the columns that are wanted, those of `missing` and `own` among them.
        missing: `declaration_id` of declarations.
        own: further columns by which declarations are meant.
    """
    parts = [pl.DataFrame(schema=dict(schema))]
    for files in (holding, ended):
        columns = {**schema, **ENDED}
        names = read_tables(files, columns, list(dict.fromkeys(["declaration_id", *own.columns])))
        by_own = names.join(own, on=own.columns, how="semi").select("declaration_id")
        named = names.join(pl.concat([missing, by_own]), on="declaration_id", how="semi")
        if named.is_empty():
            continue
        rows = read_tables(files, columns, None).join(named, on="declaration_id", how="semi")
        is_last = pl.col("held_until") == pl.col("held_until").max().over("declaration_id")
        rows = rows.filter(pl.col("held_until").is_null() | is_last).select(*schema)
        parts.append(rows.join(pl.concat(parts), on="declaration_id", how="anti"))
    return pl.concat(parts)


def staged_files(layout: Layout, t: Transaction, table: DayTable, day: date) -> list[Path]:
    """Return the files of a day of declarations, or of those that no longer hold, as a run leaves it."""
    staged = t.staged(layout.partition(table, day))
    return layout.files(table, day) if staged is None else sorted(staged.glob("*.parquet"))
