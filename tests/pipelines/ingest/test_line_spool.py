"""Only lines that are surely new skip the comparison, and no way of cutting the input changes the store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.arrays.hashing import hash_text
from features.arrays.types import UInt64Array
from pipelines.ingest import intake, line_spool
from pipelines.ingest.line_spool import LineSpool
from pipelines.ingest.merging import day_writer, disputes
from pipelines.ingest.reading.source import MESSAGE_COLUMNS
from pipelines.keys import key_index
from pipelines.keys.hash_sets import contains
from pipelines.store.buckets import bucket_hash
from pipelines.store.spool import complete
from pipelines.store.store import Store
from tests.pipelines.ingest.test_ingest import DAY, lines, put, run, tables, with_settings

NONE = np.empty(0, dtype=np.uint64)


def scattered() -> pl.DataFrame:
    """Two lines a declaration, far apart, of which only one names a buyer, or each another one."""
    frame = lines(60).with_columns(
        pl.when(pl.col("line_no") == "2").then(None).otherwise(pl.col("buyer_id")).alias("buyer_id")
    )
    other = pl.when(pl.col("declaration_id") == "D7").then(pl.concat_str(pl.lit("A"), "line_no"))
    frame = frame.with_columns(other.otherwise(pl.col("buyer_id")).alias("buyer_id"))
    return frame.sort("line_no", maintain_order=True)


def spooled(folder: Path, *chunks: pl.DataFrame) -> LineSpool:
    spool = LineSpool(folder)
    for number, chunk in enumerate(chunks):
        spool.add(chunk, number, ["tax_type"])
    return spool


def valid(count: int, first: int = 0, action: str | None = None) -> pl.DataFrame:
    """Lines as the first pass hands them over."""
    frame = lines(count, first=first).with_columns(
        pl.col("line_no").cast(pl.Int32),
        pl.Series("tax_type", ["A"] + [None] * (count - 1), dtype=pl.String),
        pl.int_range(first + 1, first + count + 1, dtype=pl.Int64).alias("_source_row"),
        pl.lit(None, dtype=pl.Int64).alias("_offset"),
        pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("_message_at"),
        pl.lit(action, dtype=pl.String).alias("_action"),
        pl.lit(DAY).alias("_day"),
    )
    frame = complete(frame, (frame.schema | MESSAGE_COLUMNS).items())
    return frame.with_columns(hash_text(frame["declaration_id"]).alias("_id_hash"))


def numbers(frames: list[pl.DataFrame]) -> list[int]:
    return sorted(pl.concat([frame.select("_source_row") for frame in frames])["_source_row"].to_list())


@pytest.mark.parametrize("workers", [1, 3])
def test_scattered_declarations_and_mixed_buyers_give_the_same_store(tmp_path: Path, workers: int) -> None:
    file = put(tmp_path / "a.parquet", scattered())
    run(tmp_path / "S", file)
    run(tmp_path / "T", file, settings=with_settings(chunk_rows=7, workers=workers))
    assert tables(tmp_path / "S") == tables(tmp_path / "T")
    stored = Store.open(tmp_path / "S").read_declarations(DAY)
    assert stored.height == 60


def test_declarations_that_share_a_hash_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [put(tmp_path / "a.csv", scattered()), put(tmp_path / "b.csv", lines(30, first=50))]

    def few(ids: pl.Series) -> pl.Series:
        return pl.Series(ids.name, hash_text(ids).fill_null(0).to_numpy() % np.uint64(3) + np.uint64(1))

    for file in files:
        run(tmp_path / "S", file)
    for module in (intake, disputes, day_writer, key_index):
        monkeypatch.setattr(module, "hash_text", few)
    for file in files:
        run(tmp_path / "T", file, settings=with_settings(chunk_rows=11))
    assert tables(tmp_path / "S") == tables(tmp_path / "T")


def test_only_what_is_surely_new_is_undisputed(tmp_path: Path) -> None:
    twice = pl.concat([valid(6), valid(1).with_columns(pl.lit(99, dtype=pl.Int64).alias("_source_row"))])
    spool = spooled(tmp_path, twice, valid(4, first=6), valid(2, first=9), valid(2, first=20, action="new"))
    # D4 came in two chunks, D0 has a key twice, D2 is in the store, D10 in a message.
    disputed = spool.dispute(hash_text(pl.Series(["D2"])).to_numpy())
    of = hash_text(pl.Series(["D0", "D2", "D4", "D10"])).to_numpy()
    assert set(disputed) == set(of)
    assert numbers(spool.lines(DAY, 0, (1 << 64) - 1, disputed)) == [3, 4, 7, 8, 11]
    assert numbers(list(spool.disputed.frames())) == [1, 2, 5, 6, 9, 10, 10, 21, 22, 99]
    assert spool.by_day(disputed) == {DAY: (5, {"tax_type"})}


@pytest.mark.parametrize("low", [0, 1 << 62, 3 << 62])
def test_a_range_of_buckets_is_read_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, low: int) -> None:
    monkeypatch.setattr(line_spool, "BATCH_ROWS", 4)
    chunks = [valid(60), valid(50, first=60)]
    spool = spooled(tmp_path, *chunks)
    high = low + (1 << 62) - 1
    found = spool.lines(DAY, low, high, NONE)
    whole = pl.concat(chunks)
    wanted = whole.filter(bucket_hash(whole).is_between(low, high))
    assert numbers(found) == wanted["_source_row"].to_list()
    assert 0 < wanted.height < whole.height


def test_contains() -> None:
    known: UInt64Array = np.array([3, 7, 2**64 - 1], dtype=np.uint64)
    values: UInt64Array = np.array([2**64 - 1, 0, 7, 8], dtype=np.uint64)
    assert contains(known, values).tolist() == [True, False, True, False]
    assert contains(NONE, values).tolist() == [False] * 4
