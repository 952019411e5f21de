"""Writes every table and document of a store with other pseudonyms, in one transaction."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from features.contract.declarations import LINE_KEY
from features.contract.documents import DOCUMENT_TABLES
from pipelines.documents.known import VERSION_COLUMNS, write_document_rows
from pipelines.erasure.exchange import COLUMNS, Exchange
from pipelines.keys.key_index import DECLARATION, INDEXED, write_index, write_indexed
from pipelines.store.buckets import bucket_count, bucket_hash, bucket_numbers
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables, read_whole, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import ADDED_LATER, bucket_name
from pipelines.store.store import Store

_SCORED: Final = (DayTable.SCORES, DayTable.VALUES)
_LISTED: Final = (
    *(DayTable.LISTS, DayTable.ISSUED, DayTable.INSPECTED),
    *(DayTable.FEEDBACK, DayTable.QUARANTINE, DayTable.TRUTH, DayTable.DOCUMENT_TRUTH),
    *(DayTable.CHECKS, DayTable.ASSESSMENTS),
    DayTable.PATTERNS,
)
_PLACED: Final = (*LINE_KEY, "buyer_id", "address_id")
_DOCUMENTS: Final = (".csv", ".html", ".json", ".xlsx")


@dataclass
class Touched:
    """What was written anew.

    Attributes:
        files: by the table's folder, how many files.
        lines: lines of declarations that changed.
        days: days whose declarations changed, oldest first.
    """

    files: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    days: list[date] = field(default_factory=list)


def write_anew(store: Store, t: Transaction, exchange: Exchange, bucket_rows: int) -> Touched:
    """Exchange the pseudonyms of a store, which the caller has locked.

    A day of declarations is held in memory at a time. What is folded from the declarations, which knows their
    pseudonyms as hashes among others, is dropped from the first changed day on.
    """
    touched = Touched()
    for day in store.declaration_days():
        lines = read_tables(store.layout.buckets(day), store.stored_schema(), None)
        new, known = exchange.rows(lines), store.read_declarations(day, _PLACED)
        if new is not lines:
            touched.lines += _count_changed(lines, new)
            store.write_declarations(t, day, new, bucket_rows)
            write_index(t, store.layout, DayTable.DECLARATIONS, day)
            count = bucket_count(new.height, bucket_rows)
            touched.files += Counter({DayTable.DECLARATIONS.folder: count})
        placed = exchange.rows(known)
        if new is not lines or placed is not known:
            touched.days.append(day)
            count = bucket_count(new.height, bucket_rows) if new is not lines else _buckets(store, day)
            touched.files += _follow(store, t, exchange, day, placed, count)
    _documents_anew(store, t, exchange, bucket_rows, touched)
    for table in _LISTED:
        paths = list(store.layout.table(table).glob(f"{table.column}=*/*.parquet"))
        _tables(t, exchange, paths, table.folder, touched)
    for day in store.inspection_days():
        path = store.layout.file(DayTable.INSPECTIONS, day)
        _tables(t, exchange, [path], DayTable.INSPECTIONS.folder, touched)
    ended = DayTable.CHANGED_DECLARATIONS
    paths = [path for day in store.days(ended) for path in store.layout.files(ended, day)]
    for path, keys in (
        *((path, INDEXED[ended]) for path in paths),
        *((path, (DECLARATION,)) for path in store.layout.ledger),
    ):
        rows = read_whole(path)
        new = exchange.rows(rows)
        if new is not rows:
            write_indexed(t, store.layout, path, new, keys)
            touched.files[ended.folder if keys is INDEXED[ended] else "ledger"] += 1
    _tables(t, exchange, store.layout.taken("rows"), "taken", touched)
    if exchange.changed:
        _documents(store, t, exchange, touched)
    if touched.days:
        touched.files[DayTable.PROFILES.folder] = len(store.invalidate_profiles(t, touched.days[0]))
        works = [folder for day in touched.days for folder in store.layout.works(day)]
        sums = [store.layout.partition(DayTable.STATISTICS_SUMS, day) for day in touched.days]
        sums += store.layout.all_returned_sums()
        sums += [
            store.layout.partition(DayTable.RETAIL_SUMS, day) for day in store.days(DayTable.RETAIL_SUMS)
        ]
        for folder in (*store.layout.all_kept_sums(), *works, *sums):
            t.remove(folder)
    return touched


def _documents_anew(
    store: Store, t: Transaction, exchange: Exchange, bucket_rows: int, touched: Touched
) -> None:
    """Write the tables of documents anew, a day at a time: a key that changes may belong to another file."""
    for table in DOCUMENT_TABLES.values():
        current = DayTable.named(table.name)
        for each, columns in ((current, table.columns), (current.changed, table.columns | VERSION_COLUMNS)):
            for day in store.days(each):
                rows = read_tables(store.layout.files(each, day), columns, None)
                new = exchange.rows(rows)
                if new is not rows:
                    write_document_rows(t, store.layout, table, day, new, bucket_rows)
                    touched.files[each.folder] += bucket_count(new.height, bucket_rows)


def _count_changed(old: pl.DataFrame, new: pl.DataFrame) -> int:
    """In how many rows a pseudonym changed."""
    names = [name for name in COLUMNS if name in old.columns]
    unlike = [old[name].ne_missing(new[name]).alias(name) for name in names]
    return int(pl.DataFrame(unlike).select(pl.any_horizontal(pl.all())).to_series().sum())


def _buckets(store: Store, day: date) -> int:
    return max(1, len(store.layout.buckets(day)))


def _follow(
    store: Store, t: Transaction, exchange: Exchange, day: date, lines: pl.DataFrame, count: int
) -> Counter[str]:
    """Scores lie in the buckets of their lines, which the buyer's pseudonym decides; `lines` are those that
    were known at the close of the day.
    """
    written = Counter[str]()
    numbers = bucket_numbers(bucket_hash(lines), count).alias("_bucket")
    order = lines.select(*LINE_KEY, numbers).sort(*LINE_KEY)
    for table in _SCORED:
        files = store.layout.files(table, day)
        if not files:
            continue
        rows = pl.concat(map(read_whole, files))
        placed = exchange.rows(rows).join(order, on=list(LINE_KEY), how="inner").sort(*LINE_KEY)
        folder = t.stage(store.layout.partition(table, day))
        for number in range(count):
            part = placed.filter(pl.col("_bucket") == number).select(rows.columns)
            write_table(part, folder / bucket_name(number, count))
        later = exchange.rows(rows).join(order, on=list(LINE_KEY), how="anti").sort(*LINE_KEY)
        if later.height:
            write_table(later, folder / ADDED_LATER)
        written[table.folder] += count
    return written


def _tables(t: Transaction, exchange: Exchange, paths: Iterable[Path], name: str, touched: Touched) -> None:
    for path in sorted(paths):
        rows = read_whole(path)
        new = exchange.rows(rows)
        if new is not rows:
            if name == DayTable.INSPECTIONS.folder:
                new = new.sort(*LINE_KEY)
            write_table(new, t.stage_file(path))
            touched.files[name] += 1


def _documents(store: Store, t: Transaction, exchange: Exchange, touched: Touched) -> None:
    """Lists as the offices have them, pages and manifests. The number of a list stays."""
    root = store.layout.root
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root).parts
        if (
            path.suffix not in _DOCUMENTS
            or place[0].startswith(".")
            or len(place) == 1
            or store.layout.table(DayTable.PROFILES) in path.parents
        ):
            continue
        content = path.read_bytes()
        new = _workbook(content, exchange) if path.suffix == ".xlsx" else exchange.document(content)
        if new != content:
            t.stage_file(path).write_bytes(new)
            touched.files[place[0]] += 1


def _workbook(book: bytes, exchange: Exchange) -> bytes:
    """The workbook with other pseudonyms in its parts, the same where it holds none."""
    changed, target = False, io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = old.read(part)
            exchanged = exchange.document(content)
            changed |= exchanged != content
            new.writestr(part, exchanged)
    return target.getvalue() if changed else book
