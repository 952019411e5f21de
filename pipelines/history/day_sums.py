"""The sums of a day by key as files: those of each bucket, and what each bucket needs of the whole day.

No process holds the sums of a whole day. A bucket's are written sorted by key;
`pipelines.scoring.fold_tables` adds them up over all buckets, one range of keys after the other, and gives
each bucket back the rows of its own keys.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from features.history.corrections import Corrections
from features.history.day_tables import DayTables
from features.history.keys import KeySpec
from pipelines.history.sorted_file import write_sorted
from pipelines.store.day_work import DayWork
from pipelines.store.files import unfinished, writing
from pipelines.store.layout import key_file, price_file


def save_sums(folder: Path, sums: DayTables) -> None:
    """Writes the sums of a bucket, each table sorted by key; complete or not at all."""
    beside = unfinished(folder)
    beside.mkdir(parents=True)
    for name, table in sums.parties.items():
        write_sorted(table.sort("key"), beside / key_file(name))
    for name, table in sums.prices.items():
        write_sorted(table.sort("key", "bin"), beside / price_file(name))
    try:
        beside.replace(folder)
    except OSError:
        # Another worker was given the same bucket and was faster: its bytes are the same.
        if not folder.is_dir():
            raise
        shutil.rmtree(beside)


def save_results(work: DayWork, results: Mapping[str, pl.DataFrame]) -> None:
    """Writes the sums by key of what was reported on the day."""
    folder = work.results
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, table in results.items():
        write_sorted(table.sort("key"), folder / key_file(name))


def save_corrections(work: DayWork, corrections: Corrections) -> None:
    """Writes what messages of the day change of earlier ones."""
    folder = work.corrections
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, table in corrections.parties.items():
        write_sorted(table.sort("key"), folder / key_file(name))
    for name, table in corrections.prices.items():
        write_sorted(table.sort("key", "bin"), folder / price_file(name))


def asked_today(specs: Sequence[KeySpec]) -> list[KeySpec]:
    """The keys whose sums of the whole day are features."""
    return [spec for spec in specs if spec.party or spec.same_day]


def save_today(work: DayWork, bucket: Path, name: str, piece: int, rows: pl.DataFrame) -> None:
    """Writes what a bucket needs of one range of a key's sums of the day."""
    path = work.today(bucket, name, piece)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = unfinished(path)
    with writing(beside):
        rows.write_parquet(beside, compression="lz4")
    beside.replace(path)


def load_today(work: DayWork, bucket: Path, specs: Sequence[KeySpec]) -> DayTables:
    """The sums over the whole day of the keys of one bucket, for the keys that are features."""
    return DayTables(
        {
            spec.name: pl.concat(
                pl.read_parquet(path, glob=False, hive_partitioning=False)
                for path in work.todays(bucket, spec.name)
            ).rechunk()
            for spec in asked_today(specs)
        },
        {},
    )
