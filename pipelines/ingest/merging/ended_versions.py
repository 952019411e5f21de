"""What inventories said before a change, a deletion or a cancellation, and until when that held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from features.contract.declarations import LINE_KEY
from pipelines.ingest.merging.merge import NEVER
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout
from pipelines.store.spool import complete

ENDED: Final[dict[str, pl.DataType]] = {"held_until": pl.Datetime("us", "UTC")}
"""Beside the columns of a line: when the message was sent with which it no longer held."""
_SENT: Final[dict[str, pl.DataType]] = {"sent_at": pl.Datetime("us", "UTC")}


def ended_versions(
    incoming: pl.DataFrame, removed: pl.DataFrame, ledger: pl.DataFrame, schema: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    """Lines of versions that a later message ended, with `ENDED` and their `_day`.

    Args:
        incoming: valid rows of messages and tables with the columns of `schema`, `_message_at` and `_action`.
        removed: the lines that the store held and that go.
        ledger: the messages about these declarations that were known before.
        schema: columns of a line in the store.
    """
    messages = incoming.filter(pl.col("_action").is_not_null())
    came = messages.select("declaration_id", _ends=pl.col("_message_at").fill_null(NEVER))
    moments = pl.concat([came, ledger.select("declaration_id", _ends="message_at")]).unique()
    told = messages.filter(pl.col("_action") != "delete").with_columns(pl.col("_message_at").fill_null(NEVER))
    told = told.rename({"_message_at": "_began"})
    stored = complete(removed, {**schema, **_SENT, "_day": pl.Date()}.items())
    stored = stored.with_columns(pl.col("sent_at").fill_null(NEVER).alias("_began"))
    columns = [*schema, "_day", "_began"]
    lines = pl.concat([told.select(columns), stored.select(columns)]).with_row_index("_row")
    later = lines.select("_row", "declaration_id", "_began").join(moments, on="declaration_id")
    later = later.filter(pl.col("_ends") > pl.col("_began"))
    ends = later.group_by("_row").agg(pl.col("_ends").min().alias("held_until"))
    return lines.join(ends, on="_row").select(*schema, "held_until", "_day")


def write_ended(
    t: Transaction, layout: Layout, ended: pl.DataFrame, schema: Mapping[str, pl.DataType]
) -> None:
    """Add lines of versions that ended to what the store keeps of them, by the day of their declaration.

    A version that came in between two that were known ends the first of them earlier.
    """
    columns = {**schema, **_SENT, **ENDED}
    for (day,), new in ended.group_by("_day", maintain_order=True):
        assert isinstance(day, date)
        known = read_tables(layout.files(DayTable.CHANGED_DECLARATIONS, day), columns, None)
        rows = pl.concat([known, complete(new, columns.items())])
        others = rows.select("declaration_id", _next="sent_at").unique()
        later = rows.with_row_index("_row").join(others, on="declaration_id")
        later = later.filter(pl.col("_next") > pl.col("sent_at"))
        soonest = later.group_by("_row").agg(pl.col("_next").min())
        rows = rows.with_row_index("_row").join(soonest, on="_row", how="left")
        held = pl.min_horizontal("held_until", "_next").alias("held_until")
        rows = rows.with_columns(held).select(*columns).unique()
        folder = t.stage(layout.partition(DayTable.CHANGED_DECLARATIONS, day))
        ordered = rows.sort(*LINE_KEY, "held_until", *columns, nulls_last=True)
        write_table(ordered, folder / DayTable.CHANGED_DECLARATIONS.file)
