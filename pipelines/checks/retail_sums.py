"""What each parcel of a day's retail imports was worth, and on which days that was known, a file a day.

A year's allowance needs the sums of a year. So that no night reads a year of declarations, a day is read
once and leaves a file: of each version of a parcel the hashes of buyer and parcel, its value in fen, the
first day at whose close it was known, and the first at whose close it held no more. A file stands for itself:
it is made anew where the declarations of its day, or what they are valued by, are others than those it was
made of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from configs.reference.facts import Reference, ReferenceDay
from configs.reference.taxable import COSTS_FEN, GOODS_FEN, parcel_fen
from features.arrays.hashing import hash_text
from features.check import RETAIL_IMPORT
from features.contract.china_time import china_day
from pipelines.checks.known_declarations import days_between, versions_in
from pipelines.store.day_table import DayTable
from pipelines.store.digests import noted_digest
from pipelines.store.files import read_json, scan_table, write_table
from pipelines.store.store import Store

SUM_COLUMNS: Final[dict[str, pl.DataType]] = {
    "buyer": pl.UInt64(),
    "parcel": pl.UInt64(),
    "fen": pl.Int64(),
    "known_on": pl.Date(),
    "gone_on": pl.Date(),
}
"""`known_on` is null for what has always been known, `gone_on` for what holds."""
VALUED_COLUMNS: Final = (
    *("declaration_id", "line_no", "declared_at", "buyer_id", "direction", "trade_mode", "quantity", "unit"),
    *("total_price", "currency", "freight", "insurance"),
)
"""What of a line decides whose it is and what it is worth."""
_FORMAT: Final = "1"
_DAYS_AT_ONCE: Final = 30
_SOURCES: Final = (DayTable.DECLARATIONS, DayTable.CHANGED_DECLARATIONS)
_VERSION: Final = ("declaration_id", "sent_at", "held_until")


def bring_up_to(store: Store, day: date, reference: Reference) -> int:
    """Make the files of the year's days before a day that are missing or out of date; return how many.

    They are written some days at a time: an interruption keeps those before. The caller holds the lock.

    Raises:
        StoreError: a file that is read is damaged.
    """
    sources = {each: _source(store, each, reference.on(each)) for each in _days_before(store, day)}
    missing = [each for each, source in sources.items() if not _is_made_of(store, each, source)]
    for first in range(0, len(missing), _DAYS_AT_ONCE):
        with store.transaction() as t:
            for each in missing[first : first + _DAYS_AT_ONCE]:
                folder = t.stage(store.layout.partition(DayTable.RETAIL_SUMS, each))
                write_table(_made(store, each, reference.on(each)), folder / DayTable.RETAIL_SUMS.file)
                noted = folder / store.layout.retail_sums_source(each).name
                noted.write_text(json.dumps({"made_of": sources[each]}) + "\n", encoding="utf-8")
    return len(missing)


def sums_before(store: Store, day: date, reference: Reference) -> Iterator[tuple[date, pl.LazyFrame]]:
    """Yield the year's days before a day, each with what was known of it at the close of that day.

    What no file holds is read from the declarations, and nothing is written.
    """
    for each in _days_before(store, day):
        if _is_made_of(store, each, _source(store, each, reference.on(each))):
            sums = scan_table(store.layout.file(DayTable.RETAIL_SUMS, each), SUM_COLUMNS)
        else:
            sums = _made(store, each, reference.on(each)).lazy()
        is_known = (pl.col("known_on") <= day).fill_null(True) & (pl.col("gone_on") > day).fill_null(True)
        yield each, sums.filter(is_known)


def parcels_worth(
    lines: pl.DataFrame, reference: ReferenceDay, parcel: Sequence[str], *further: pl.Expr
) -> pl.DataFrame:
    """Return parcels with `buyer_id`, `fen` and `further`, by the rates of their day; none without either."""
    rated = lines.with_columns(reference.cny_rate(lines["currency"]).alias("cny_rate"))
    parcels = parcel_fen(rated.lazy(), parcel, pl.col("buyer_id").min(), *further)
    valued = parcels.with_columns((pl.col(GOODS_FEN) + pl.col(COSTS_FEN)).alias("fen"))
    return valued.drop_nulls(["buyer_id", "fen"]).collect()


def _days_before(store: Store, day: date) -> list[date]:
    return days_between(store, date(day.year, 1, 1), day - timedelta(days=1))


def _is_made_of(store: Store, day: date, source: str) -> bool:
    file = store.layout.retail_sums_source(day)
    return file.exists() and read_json(file).get("made_of") == source


def _source(store: Store, day: date, reference: ReferenceDay) -> str:
    """Names all that the file of a day depends on."""
    rates = reference["exchange_rates"].select("currency", "cny_per_unit").write_csv()
    parts = [_FORMAT, hashlib.sha256(rates.encode()).hexdigest()]
    for table in _SOURCES:
        parts += [
            f"{file.name}:{noted_digest(store.layout, file)}" for file in store.layout.files(table, day)
        ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _made(store: Store, day: date, reference: ReferenceDay) -> pl.DataFrame:
    """The rows of a day, file by file: a file holds whole parcels."""
    files: list[Path] = [file for table in _SOURCES for file in store.layout.files(table, day)]
    parts = [_of_file(store, file, reference) for file in files]
    rows = pl.concat([pl.DataFrame(schema=SUM_COLUMNS), *parts])
    return rows.sort(*SUM_COLUMNS, nulls_last=True)


def _of_file(store: Store, file: Path, reference: ReferenceDay) -> pl.DataFrame:
    lines = (
        versions_in(store, file)
        .filter(RETAIL_IMPORT)
        .select(*VALUED_COLUMNS, *_VERSION[1:])
        .collect(engine="streaming")
    )
    parcels = parcels_worth(lines, reference, _VERSION)
    return parcels.select(
        hash_text(parcels["buyer_id"]).alias("buyer"),
        hash_text(parcels["declaration_id"]).alias("parcel"),
        "fen",
        china_day(pl.col("sent_at")).alias("known_on"),
        china_day(pl.col("held_until")).alias("gone_on"),
    ).select(*SUM_COLUMNS)
