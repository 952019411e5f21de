"""What cancellations do to inventories: they are withdrawn from then on, and back once that is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from features.contract.china_time import china_day
from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.documents import ACTION_RANKS, CANCELLATIONS
from pipelines.documents.writer import DocumentChanges
from pipelines.ingest.line_spool import LineSpool
from pipelines.ingest.merging.ended_versions import ENDED
from pipelines.ingest.merging.merge import LEDGER_COLUMNS
from pipelines.ingest.reading.source import MESSAGE_COLUMNS
from pipelines.store.day_table import DayTable
from pipelines.store.files import scan_tables
from pipelines.store.layout import Layout
from pipelines.store.spool import complete

OF_NO_FILE: Final = -1
"""Stands for the file of lines that a document changes, which are no rows of a file."""
_DATED: Final = ("declaration_id", "own_number", "sent_at")
_DELETED: Final = {name: LEDGER_COLUMNS[name] for name in ("declaration_id", "message_at")}


@dataclass(frozen=True)
class Withdrawals:
    """What was put among the lines of a run because of cancellations.

    Attributes:
        rows: how many lines, which no file has as rows.
        undone: `declaration_id` and `message_at` of deletions that are to be forgotten.
    """

    rows: int = 0
    undone: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_DELETED))

    def without(self, messages: pl.DataFrame) -> pl.DataFrame:
        """Messages of the ledger without the deletions that are to be forgotten."""
        deletes = messages.filter(pl.col("rank") == ACTION_RANKS["delete"])
        gone = deletes.join(self.undone, on=list(_DELETED), how="semi")
        if gone.is_empty():
            return messages
        return messages.join(gone, on=[*_DELETED, "rank"], how="anti")


NO_WITHDRAWALS: Final = Withdrawals()


def put_withdrawals(
    layout: Layout, lines: LineSpool, changes: DocumentChanges, schema: Mapping[str, pl.DataType]
) -> Withdrawals:
    """Put deletions of what is cancelled, and the lines of what no longer is, among the lines of a run.

    `changes` are those of the cancellations, `schema` the columns of a line in the store.
    """
    columns = {**{name: CANCELLATIONS.columns[name] for name in _DATED}, **ENDED}
    now, before, past = changes.versions(columns)
    deleted = now.sort("sent_at").unique("declaration_id", keep="first", maintain_order=True)
    withdrawn = complete(deleted.select("declaration_id"), DECLARATION_COLUMNS.items())
    withdrawn = withdrawn.with_columns(deleted["sent_at"].alias("_message_at"), _action=pl.lit("delete"))
    # What held until now, and was undone when a later message said so.
    undone = before.drop("held_until").join(past, on=_DATED, how="inner", nulls_equal=True)
    undone = undone.join(now, on="declaration_id", how="anti").drop_nulls("held_until")
    back = _lines_of(layout, undone, schema)
    parts = [(withdrawn, []), (back, [name for name in schema if name not in DECLARATION_COLUMNS])]
    for rows, extras in parts:
        if rows.height:
            lines.add(_as_message(rows), OF_NO_FILE, extras)
    return Withdrawals(
        withdrawn.height + back.height,
        undone.select("declaration_id", message_at="sent_at"),
    )


def _lines_of(layout: Layout, undone: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The lines that cancellations had ended, as a change sent when these were undone."""
    ends = undone.select("declaration_id", held_until="sent_at", _message_at="held_until")
    files = [
        path
        for day in layout.days(DayTable.CHANGED_DECLARATIONS)
        for path in layout.files(DayTable.CHANGED_DECLARATIONS, day)
    ]
    if ends.is_empty() or not files:
        return pl.DataFrame(schema={**schema, **MESSAGE_COLUMNS})
    ended = scan_tables(files, {**schema, **ENDED})
    lines = ended.join(ends.lazy(), on=["declaration_id", "held_until"], how="inner").collect()
    return lines.drop("held_until").with_columns(_action=pl.lit("change"), sent_at="_message_at")


def _as_message(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as the intake leaves those of messages, each declaration a message of its own."""
    ids = rows["declaration_id"]
    return complete(rows, (rows.schema | MESSAGE_COLUMNS).items()).with_columns(
        ids.rank("dense").cast(pl.Int64).alias("_offset"),
        pl.int_range(1, rows.height + 1, dtype=pl.Int64, eager=True).alias("_source_row"),
        china_day(rows["declared_at"]).alias("_day"),
        hash_text(ids).alias("_id_hash"),
    )
