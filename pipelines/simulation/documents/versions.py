"""Rows of documents as a store keeps them: what holds by some moment, and what held before it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import polars as pl

from features.contract.documents import RETURNS, WAYBILLS, DocumentTable
from pipelines.documents.known import VERSION_COLUMNS

_ACTIONS: Final = {"2": "change", "3": "delete"}
# What another message says later, and the column with when that was sent.
_SAID_LATER: Final = {
    WAYBILLS.name: ("status_sent_at", "status", "status_at"),
    RETURNS.name: ("tallied_at",),
}


def stored_versions(
    rows: pl.DataFrame, table: DocumentTable, before: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what a table holds of documents sent before a moment, and its earlier versions.

    Args:
        rows: the table's columns, with `app_type` and `app_status` where the documents have versions.
        table: whose rows they are.
        before: what was sent at this moment or later is left out.

    The earlier versions have `VERSION_COLUMNS` beside the table's; so has a deletion. Drafts are left out.
    """
    for name in ("app_type", "app_status"):
        if name not in rows.columns:
            rows = rows.with_columns(pl.lit(None, pl.String).alias(name))
    sent = rows.filter(pl.col("sent_at") < before, pl.col("app_status").is_null())
    known_from, *told = _SAID_LATER.get(table.name, ("",))
    if known_from:
        known = pl.col(known_from) < before
        sent = sent.with_columns(pl.when(known).then(name).alias(name) for name in (known_from, *told))
    key = list(table.key)
    version = list(dict.fromkeys([*key, "sent_at"]))
    moments = sent.select(version).unique().sort("sent_at")
    moments = moments.with_columns(held_until=pl.col("sent_at").shift(-1).over(key))
    held = sent.join(moments, on=version, nulls_equal=True, maintain_order="left")
    held = held.with_columns(
        action=pl.col("app_type").replace_strict(_ACTIONS, default="new", return_dtype=pl.String),
        part=pl.lit(""),
    )
    is_past = pl.col("held_until").is_not_null() | (pl.col("action") == "delete")
    return (
        held.filter(~is_past).select(*table.columns),
        held.filter(is_past).select(*table.columns, *VERSION_COLUMNS),
    )
