"""Stores that strategies work on: another store's declarations and checks, and inspections of their own.

These are the same files under a second name, so that a store of years costs no room. Whatever a
strategy learns is written into its own store; the store that it was made from is only read.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from features.contract.declarations import LINE_KEY
from pipelines.store.day_table import OBSERVED, DayTable
from pipelines.store.files import put_day_in, put_in, read_whole, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import LEARNED, Layout, table_file
from pipelines.store.store import Store

_KEPT = ("opened", "shown", "night")


def start_store(source: Store, folder: Path, first: date, last: date) -> Store:
    """The store of the eve of `first`, with declarations and checks up to `last`; made where it is missing.

    Its inspections are those reported by the eve. Results of parcels that were opened before `first` but
    reported later lie beside them (`late_results`): every strategy gets them on the day of their report.
    """
    if not folder.exists():
        beside = _emptied(folder.with_name(f"{folder.name}.new"))
        there, here = source.layout, Layout(beside)
        put_in(there.meta, here.meta)
        for table in OBSERVED:
            for day in source.days(table):
                if day <= last:
                    put_day_in(there, here, table, day)
        eve = first - timedelta(days=1)
        for day in source.inspection_days():
            if day <= eve:
                files = there.files(DayTable.INSPECTIONS, day)
                _link(files, here.partition(DayTable.INSPECTIONS, day))
        late = source.read_inspections(reported_from=first).filter(pl.col("inspected_on") < first)
        write_table(late.sort(*LINE_KEY, "reported_on"), here.late_results)
        beside.replace(folder)
    return Store.open(folder)


def strategy_store(start: Store, folder: Path, *, learns: bool) -> Store:
    """A copy of the start for a strategy, made where it is missing; with what was learned if it `learns`."""
    if not folder.exists():
        beside = _emptied(folder.with_name(f"{folder.name}.new"))
        for file in sorted(start.path.rglob("*")):
            place = file.relative_to(start.path)
            if file.is_file() and file != start.layout.lock and (learns or place.parts[0] not in LEARNED):
                _link([file], beside / place.parent)
        beside.replace(folder)
    return Store.open(folder)


def late_results(store: Store) -> pl.DataFrame:
    """Results of parcels opened before the period that are reported in it or after it."""
    return pl.read_parquet(store.layout.late_results, glob=False, hive_partitioning=False)


def with_schema(results: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Results with exactly the columns of the store's inspections; what they lack is null."""
    return results.select(
        pl.col(name).cast(dtype) if name in results.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in store.inspection_schema().items()
    )


def nights_done(store: Store) -> list[date]:
    """The days of the period that a strategy has gone through, oldest first."""
    return store.days(DayTable.NIGHTS)


def stage_night(t: Transaction, store: Store, day: date, **tables: pl.DataFrame) -> None:
    """Stage what a night leaves: `opened` (a row a parcel), `shown` (all results of these parcels, also those
    that are reported later) and `night` (one row).
    """
    assert sorted(tables) == sorted(_KEPT)
    folder = t.stage(store.layout.partition(DayTable.NIGHTS, day))
    for name, table in tables.items():
        write_table(table, folder / table_file(name))


def read_nights(store: Store, table: str) -> pl.DataFrame:
    """One of the tables of all nights, oldest first; without columns where there is no night."""
    folders = [store.layout.partition(DayTable.NIGHTS, day) for day in nights_done(store)]
    frames = [read_whole(folder / table_file(table)) for folder in folders]
    return pl.concat(frames, how="vertical") if frames else pl.DataFrame()


def write_text(path: Path, content: object) -> None:
    """JSON beside its place, renamed into it."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(
        json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    beside.replace(path)


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _link(files: Iterable[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        put_in(file, folder / file.name)
