"""Stores whose declarations and documents are written row by row, without any message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from features.contract.china_time import china_day
from features.contract.documents import DOCUMENT_TABLES
from pipelines.checks.known_declarations import KNOWN_COLUMNS, MESSAGE_COLUMNS
from pipelines.documents.known import VERSION_COLUMNS, received_on, write_document_rows
from pipelines.store.day_table import DayTable
from pipelines.store.files import write_table
from pipelines.store.store import Store

Row = Mapping[str, Any]


def table(rows: Sequence[Row], schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def make_documents(
    path: Path,
    declarations: Sequence[Row] = (),
    changed: Sequence[Row] = (),
    bucket_rows: int = 100_000,
    without: Sequence[str] = (),
    **documents: Sequence[Row],
) -> Store:
    """A store with these rows, in the folders of their days.

    `changed` are declarations, and rows of documents with `held_until` are versions, that held before;
    `without` are columns of messages that the store does not have.
    """
    store = Store.create(path)
    lines, past = table(declarations, KNOWN_COLUMNS), table(changed, KNOWN_COLUMNS | VERSION_COLUMNS)
    with store.lock("test"), store.transaction() as t:
        extras = dict.fromkeys(set(MESSAGE_COLUMNS) - {"sent_at", *without}, "category")
        store.write_meta(t, extras, [])
        for day, rows in _by_day(lines, china_day(lines["declared_at"])):
            store.write_declarations(t, day, rows.drop(without), bucket_rows)
        for day, rows in _by_day(past, china_day(past["declared_at"])):
            folder = t.stage(store.layout.partition(DayTable.CHANGED_DECLARATIONS, day))
            write_table(rows, folder / "bucket-000-of-001.parquet")
        for name, given in documents.items():
            contract = DOCUMENT_TABLES[name]
            for schema, some in (
                (contract.columns, [row for row in given if "held_until" not in row]),
                (contract.columns | VERSION_COLUMNS, [row for row in given if "held_until" in row]),
            ):
                rows = table(some, schema)
                for day, of_day in _by_day(rows, received_on(rows, contract)):
                    write_document_rows(t, store.layout, contract, day, of_day, bucket_rows)
    return store


def findings_of(store: Store, day: date) -> pl.DataFrame:
    """The findings that the checks of a day wrote."""
    files = store.layout.files(DayTable.CHECKS, day)
    found = pl.concat(pl.read_parquet(file, hive_partitioning=False) for file in files)
    return found.sort("declaration_id", "line_no", "check")


def _by_day(rows: pl.DataFrame, days: pl.Series) -> list[tuple[date, pl.DataFrame]]:
    return [(day, rows.filter(days == day)) for day in days.unique().sort()]
