"""For each file of some tables the hashes of its keys, so that a look-up over months reads few of the files.

A key may stand on any day: a message of today can change a document of last year. Without an index each
ingest would read the key columns of all days, and compare each whole file with its digest before. With it,
eight bytes a key are read and compared, and of the files only those that hold one.

An index lies apart from the tables, under `.keys/`, by the digest of its file: a file that was replaced has
none and is read, as is one of an older version of the program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from features.arrays.types import UInt64Array
from features.check import ORDER_KEY, TRANSACTION_KEY, WAYBILL_KEY
from features.contract.documents import DOCUMENT_TABLES, ORDERS, PAYMENTS, RECEIPTS, TAXES
from pipelines.keys.hash_sets import have_common
from pipelines.store.day_table import DayTable
from pipelines.store.digests import file_digest, noted_digest
from pipelines.store.files import read_tables, read_whole, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout

_SEPARATOR: Final = "\x1f"
_HASH: Final = "hash"
_AT_ONCE: Final = 2


@dataclass(frozen=True)
class IndexedKey:
    """Columns by which rows are looked up.

    Attributes:
        columns: their names.
        nulls_count: whether null is a value of its own; else a row with one has no key.
    """

    columns: tuple[str, ...]
    nulls_count: bool = False

    def hashes(self, rows: pl.DataFrame) -> pl.Series:
        """The hash of each row's key (UInt64), null where it has none."""
        parts = [pl.col(name).cast(pl.String) for name in self.columns]
        if self.nulls_count:
            parts = [part.fill_null("") for part in parts]
        return hash_text(rows.select(pl.concat_str(parts, separator=_SEPARATOR)).to_series())


DECLARATION: Final = IndexedKey(("declaration_id",))
OWN_NUMBER: Final = IndexedKey(("seller_id", "own_number"))
_ORDER: Final = IndexedKey(ORDER_KEY)
_WAYBILL: Final = IndexedKey(WAYBILL_KEY)
_TRANSACTION: Final = IndexedKey(TRANSACTION_KEY)
_DOCUMENTS: Final = {
    name: IndexedKey(table.together or table.key, nulls_count=True) for name, table in DOCUMENT_TABLES.items()
}


def document_key(table: str) -> IndexedKey:
    """Return what tells the documents of a table apart; those that are merged together share it."""
    return _DOCUMENTS[table]


_FURTHER: Final[Mapping[str, Sequence[IndexedKey]]] = {
    ORDERS.name: (_TRANSACTION,),
    PAYMENTS.name: (_ORDER, _TRANSACTION),
    RECEIPTS.name: (DECLARATION, OWN_NUMBER),
    TAXES.name: (DECLARATION,),
}
INDEXED: Final[Mapping[DayTable, Sequence[IndexedKey]]] = {
    **dict.fromkeys(
        (DayTable.DECLARATIONS, DayTable.CHANGED_DECLARATIONS), (DECLARATION, OWN_NUMBER, _ORDER, _WAYBILL)
    ),
    **{
        table: (key, *_FURTHER.get(name, ()))
        for name, key in _DOCUMENTS.items()
        for table in (DayTable.named(name), DayTable.named(name).changed)
    },
}
"""By table, the keys by which it is looked up; checks look for orders and waybills by their own."""


@dataclass(frozen=True)
class Sought:
    """Keys that are looked for: files that hold none of them need not be read.

    Attributes:
        key: which key it is.
        hashes: of the keys, ascending.
    """

    key: IndexedKey
    hashes: UInt64Array

    @classmethod
    def of(cls, keys: pl.DataFrame) -> Sought:
        """The keys in a frame that has their columns alone."""
        key = IndexedKey(tuple(keys.columns))
        return cls(key, key.hashes(keys).drop_nulls().unique().sort().to_numpy())

    def files(self, layout: Layout, files: Sequence[Path]) -> list[Path]:
        """Those of some files that may hold one of the keys."""
        return list(files_with(layout, files, self.key, self.hashes))


def write_index(t: Transaction, layout: Layout, table: DayTable, day: date) -> None:
    """Stage the index of a table's day that is staged; it goes where the day goes."""
    staged = t.staged(layout.partition(table, day))
    assert staged is not None
    folder = t.stage(layout.keys(layout.partition(table, day)))
    for file in sorted(staged.glob("*.parquet")):
        for key in INDEXED[table]:
            rows = read_tables([file], dict.fromkeys(key.columns, pl.String()), list(key.columns))
            _write_hashes(key.hashes(rows), folder / _file_name(file, file_digest(file).hex(), key))


def write_indexed(
    t: Transaction,
    layout: Layout,
    file: Path,
    rows: pl.DataFrame,
    keys: Sequence[IndexedKey] = (DECLARATION,),
) -> None:
    """Stage one file, new or in the place of one that has other rows, with its index."""
    folder = layout.keys(file.parent)
    former = noted_digest(layout, file) if file.exists() else None
    staged = t.stage_file(file)
    write_table(rows, staged)
    for key in keys:
        if former is not None:
            t.remove(folder / _file_name(file, former, key))
        index = t.stage_file(folder / _file_name(file, file_digest(staged).hex(), key))
        _write_hashes(key.hashes(rows), index)


def files_with(layout: Layout, files: Sequence[Path], key: IndexedKey, wanted: UInt64Array) -> Sequence[Path]:
    """Return the files that may hold a row with one of some hashes of a key, which ascend, in their order.

    Raises:
        StoreError: an index is damaged.
    """
    if not len(wanted):
        return []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        may_hold = list(pool.map(lambda file: _may_hold(layout, file, key, wanted), files))
    return [file for file, may in zip(files, may_hold, strict=True) if may]


def _may_hold(layout: Layout, file: Path, key: IndexedKey, wanted: UInt64Array) -> bool:
    """Whether it is so of one file; one without an index may hold anything."""
    index = layout.keys(file.parent) / _file_name(file, noted_digest(layout, file), key)
    if not index.exists():
        return True
    return have_common(read_whole(index)[_HASH].to_numpy(), wanted)


def _write_hashes(hashes: pl.Series, file: Path) -> None:
    write_table(hashes.drop_nulls().unique().sort().alias(_HASH).to_frame(), file)


def _file_name(of: Path, digest: str, key: IndexedKey) -> str:
    return f"{of.stem}-{digest[:32]}-{'-'.join(key.columns)}.parquet"
