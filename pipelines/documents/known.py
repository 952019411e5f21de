"""The tables of documents in the store: what each holds now, and what was known at a moment.

A document is stored on the day on which it was sent. Of its versions the latest stands in the table; those
before it, with the moment from which each no longer held, stand under `changes/`, as do deletions, so that
one which comes before what it deletes is not forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from features.contract.china_time import CHINA, china_day
from features.contract.documents import DOCUMENT_PARTS, DOCUMENT_TABLES, DocumentTable
from pipelines.keys.key_index import Sought, document_key, write_index
from pipelines.store.buckets import bucket_count, bucket_numbers
from pipelines.store.day_table import DayTable
from pipelines.store.files import scan_tables, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout, bucket_name

VERSION_COLUMNS: Final[dict[str, pl.DataType]] = {
    "part": pl.String(),
    "held_until": pl.Datetime("us", "UTC"),
}
"""Beside the table's, of a version under `changes/`: the part of which it speaks (empty: the document
itself), and when the next one was sent (null: a deletion that holds). A deletion, whose `action` is `delete`,
says nothing but its key and was never known as a document.
"""
_KEY_SEPARATOR: Final = "\x1f"


def received_on(rows: pl.DataFrame, table: DocumentTable) -> pl.Series:
    """Return the day on which each row is stored: China's date of its message, `received_on`."""
    part = DOCUMENT_PARTS.get(table.name)
    sent = rows.select(pl.coalesce("sent_at", *([part.sent] if part else []))).to_series()
    return china_day(sent).alias("received_on")


def key_text(key: Sequence[str]) -> pl.Expr:
    """Return an expression of what tells documents apart, as one text."""
    parts = [pl.col(name).cast(pl.String).fill_null("") for name in key]
    return pl.concat_str(parts, separator=_KEY_SEPARATOR)


def document_hash(rows: pl.DataFrame, table: DocumentTable) -> pl.Series:
    """Return the hash of each row's document (UInt64, `_key`), by which its files are divided.

    Documents that are merged together share it.
    """
    return document_key(table.name).hashes(rows).alias("_key")


def known_documents(
    layout: Layout,
    table: DocumentTable,
    before: datetime,
    sought: Sought | None = None,
    first: date = date.min,
) -> pl.LazyFrame:
    """Scan a table as it was known: one version a document, the last one sent before a moment.

    Columns are the table's. What a status or tally said later is null; one without its document is left out.
    Of files without a key that is `sought`, and of days before the `first`, there may be nothing.
    """
    last = (before.astimezone(CHINA) - timedelta(microseconds=1)).date()
    current = DayTable.named(table.name)
    now = scan_until(layout, current, last, table.columns, sought, first)
    rows = now.filter(pl.col("sent_at") < before)
    past = scan_until(layout, current.changed, last, table.columns | VERSION_COLUMNS, sought, first)
    held = (pl.col("held_until") >= before) & (pl.col("action") != "delete") & (pl.col("part") == "")
    rows = pl.concat([rows, past.filter(held, pl.col("sent_at") < before).select(*table.columns)])
    part = DOCUMENT_PARTS.get(table.name)
    if part is None:
        return rows
    is_later = pl.col(part.sent) >= before
    return rows.with_columns(
        pl.when(is_later).then(None).otherwise(pl.col(name)).alias(name) for name in (part.sent, *part.told)
    )


def scan_until(
    layout: Layout,
    table: DayTable,
    last: date,
    columns: Mapping[str, pl.DataType],
    sought: Sought | None = None,
    first: date = date.min,
) -> pl.LazyFrame:
    """Scan the rows of a table's days up to and including `last`, as `known_documents` does."""
    days = [day for day in layout.days(table) if first <= day <= last]
    files = [path for day in days for path in layout.files(table, day)]
    files = files if sought is None else sought.files(layout, files)
    return scan_tables(files, columns) if files else pl.LazyFrame(schema=columns)


def write_document_rows(
    t: Transaction, layout: Layout, table: DocumentTable, day: date, rows: pl.DataFrame, bucket_rows: int
) -> None:
    """Replace what a table holds of a day, now or (where the rows have `VERSION_COLUMNS`) before.

    The bytes depend on the rows alone. Without rows the day goes. A file holds about `bucket_rows` of them.
    """
    current = DayTable.named(table.name)
    is_past = "held_until" in rows.columns
    count = bucket_count(rows.height, bucket_rows) if rows.height else 0
    numbers = bucket_numbers(document_hash(rows, table), max(count, 1))
    buckets = (rows.filter(numbers == number) for number in range(count))
    write_document_buckets(t, layout, current.changed if is_past else current, day, (count, buckets))


def write_document_buckets(
    t: Transaction,
    layout: Layout,
    table: DayTable,
    day: date,
    numbered: tuple[int, Iterable[pl.DataFrame]],
) -> None:
    """Replace a day of a table, which may be one of what was held before, by so many buckets and their rows.

    One bucket is held in memory at a time. Which rows belong to which bucket, `bucket_numbers` says by their
    `document_hash`. Keys are indexed.
    """
    of = DOCUMENT_TABLES[Path(table.folder).name]
    folder = t.stage(layout.partition(table, day))
    count, buckets = numbered
    for number, rows in enumerate(buckets):
        further = [name for name in VERSION_COLUMNS if name in rows.columns]
        order = (*of.row_key, "sent_at", *further, *of.columns)
        ordered = rows.select(*of.columns, *further).sort(*order, nulls_last=True)
        write_table(ordered, folder / bucket_name(number, count))
    write_index(t, layout, table, day)
