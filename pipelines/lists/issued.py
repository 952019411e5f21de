"""The record of every list that was ever issued: what comes back is checked against it, however late."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import date

import polars as pl

from configs.who import responsible
from pipelines.lists.fields import LIST_ID, Document, columns_of, field_named, fields_of
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables, read_whole, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import issue_of
from pipelines.store.store import Store

LIST_COLUMNS = ["customs_office", "shift"]
LISTED_PLACE = columns_of([*map(field_named, (LIST_ID, *LIST_COLUMNS)), *fields_of(within=Document.IDENTITY)])
"""What is read of an issued list: its id, office and shift, and of each parcel what the id is made of."""
_IDENTITY = list(columns_of(fields_of(within=Document.IDENTITY)))
_DIGITS = 12


def with_list_ids(listed: pl.DataFrame, day: date) -> pl.DataFrame:
    """The lists of a day with `shift` (null where there is none) and the `list_id` of each office and shift.

    The id is the BLAKE2b hash, 12 hexadecimal digits, of the day, the office, the shift and the rows by rank:
    equal lists have equal ids, and a list that differs in a parcel or a probability has another.

    >>> frame = pl.DataFrame({"customs_office": ["4601"], "rank": [1], "declaration_id": ["D1"],
    ...     "line_no": [1], "risk": ["r"], "selection": ["random"], "inspection_probability": [0.1]})
    >>> with_list_ids(frame, date(2026, 11, 20))["list_id"].to_list()
    ['8a0987e386bb']
    """
    if "shift" not in listed.columns:
        listed = listed.with_columns(pl.lit(None, dtype=pl.String).alias("shift"))
    ids: dict[tuple[object, ...], str] = {}
    for key, rows in listed.sort("rank").group_by(LIST_COLUMNS, maintain_order=True):
        described = json.dumps([day.isoformat(), *key, rows.select(_IDENTITY).rows()])
        ids[key] = hashlib.blake2b(described.encode("utf-8"), digest_size=_DIGITS // 2).hexdigest()
    given = [ids[key] for key in listed.select(LIST_COLUMNS).iter_rows()]
    return listed.with_columns(pl.Series("list_id", given, dtype=pl.String))


def stage_issued(t: Transaction, store: Store, day: date, listed: pl.DataFrame) -> int:
    """Add the lists of `listed` (with `list_id`) that were not issued before; returns how many are new.

    A list is one file, `<issue>-<list_id>.parquet`. The issue counts the times that lists of the day changed,
    from 1. No file of the record is ever changed or removed. `issued_by`, `issued_on` and `code_version` say
    who issued it, on which host, with which version.
    """
    by = responsible()
    named = [
        pl.lit(by[key]).alias(name)
        for name, key in (("issued_by", "user"), ("issued_on", "host"), ("code_version", "code_version"))
    ]
    known = {issue_of(path) for path in store.layout.issued(day)}
    ids = {list_id for _, list_id in known}
    issue = 1 + max((number for number, _ in known), default=0)
    new = 0
    for (list_id,), rows in listed.group_by("list_id", maintain_order=True):
        if list_id not in ids:
            file = rows.sort("rank").with_columns(named)
            write_table(file, t.stage_file(store.layout.issued_list(day, issue, str(list_id))))
            new += 1
    return new


def issued_days(store: Store) -> list[date]:
    """Days of which lists were issued, oldest first."""
    return sorted({*store.days(DayTable.ISSUED), *store.days(DayTable.LISTS)})


def issued_lists(store: Store, day: date) -> pl.DataFrame:
    """The rows of all lists issued for a day, with `declared_on` and `issue`; newest issue first, then by
    list and rank.

    Of a day whose lists are older than the record, those that lie under `lists/` are taken.
    """
    frames = [
        read_tables([path], LISTED_PLACE, None).with_columns(
            pl.lit(issue_of(path)[0], dtype=pl.Int32).alias("issue")
        )
        for path in store.layout.issued(day)
    ]
    if not frames:
        published = store.layout.file(DayTable.LISTS, day)
        if not published.exists():
            return pl.DataFrame(schema=LISTED_PLACE | {"issue": pl.Int32(), "declared_on": pl.Date()})
        rows = with_list_ids(read_whole(published), day)
        frames = [rows.select(*LISTED_PLACE, pl.lit(0, dtype=pl.Int32).alias("issue"))]
    listed = pl.concat(frames).with_columns(pl.lit(day).alias("declared_on"))
    return listed.sort("issue", "list_id", "rank", descending=[True, False, False])


def find_lists(
    store: Store, ids: Collection[str], parcels: Collection[str], numbers: Collection[str] = ()
) -> pl.DataFrame:
    """Rows of the lists with these ids, and of the newest day's lists that hold each of these parcels, or one
    that is one of `numbers` but for leading zeros.

    Columns as of `issued_lists`, newest day first. Lists that are looked for by a parcel come whole.
    """
    wanted, left, numbers_left, parts = set(ids), set(parcels), set(numbers), []
    by_name = {
        issue_of(path)[1]: day for day in store.days(DayTable.ISSUED) for path in store.layout.issued(day)
    }
    days = {by_name[list_id] for list_id in wanted if list_id in by_name}
    lacking = wanted - set(by_name)
    for day in reversed(issued_days(store)):
        if not (left or numbers_left or lacking or day in days):
            continue
        rows = issued_lists(store, day)
        held = set(rows["declaration_id"]) & left
        as_number = pl.col("declaration_id").str.strip_chars_start("0")
        held_numbers = set(rows.select(as_number).to_series()) & numbers_left
        named = set(rows["list_id"]) & wanted
        is_held = pl.col("declaration_id").is_in(sorted(held)) | as_number.is_in(sorted(held_numbers))
        of_parcels = rows.filter(is_held)["list_id"].unique()
        parts.append(rows.filter(pl.col("list_id").is_in(sorted({*named, *of_parcels}))))
        left -= held
        numbers_left -= held_numbers
        lacking -= named
    empty = pl.DataFrame(schema=LISTED_PLACE | {"issue": pl.Int32(), "declared_on": pl.Date()})
    return pl.concat([empty, *parts])
