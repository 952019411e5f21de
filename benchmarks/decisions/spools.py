"""Files of our own between two passes against the sinks of DuckDB and Polars: seconds and peak memory.

    python -m benchmarks.decisions.spools [--task T] [--lines N] [--rounds R] [--threads T]

`spool`: lines come in chunks, in no order, and are then asked for range by range of a hash, as by the second
pass of an ingest. `sorted file`: the sums of eight buckets become one file sorted by key, as in the history
of a night. Every way is a process of its own, reads the same chunks and has to give the same rows; the fewest
seconds and the least memory of its rounds count.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow.parquet as pq

from pipelines.history.sorted_file import SortedWriter, read_range
from pipelines.ingest.line_spool import LineSpool
from pipelines.store.buckets import hash_ranges
from pipelines.store.manifest import peak_memory_mb
from pipelines.store.spool import Spool

_CHUNK_ROWS, _RANGES, _BUCKETS, _HASH = 65_536, 16, 8, "_id_hash"
_DAY = date(2026, 11, 20)
Figures = dict[str, Any]


def lines(count: int, folder: Path) -> None:
    """Chunks of made-up lines of some 40 columns, in the order of nothing."""
    rng = np.random.default_rng(7)
    for number, first in enumerate(range(0, count, _CHUNK_ROWS)):
        size = min(_CHUNK_ROWS, count - first)
        ids = rng.integers(0, 1 << 63, size, dtype=np.uint64) * 2
        texts = pl.Series(ids).cast(pl.String)
        frame = pl.DataFrame(
            {
                "declaration_id": "D" + texts,
                "line_no": pl.Series(np.ones(size), dtype=pl.Int32),
                "buyer_id": "B" + texts,
                "item_name": pl.Series(rng.integers(0, 100_000, size)).cast(pl.String)
                + " cotton dress, summer",
                **{
                    f"code_{each}": pl.Series(rng.integers(0, 999, size)).cast(pl.String)
                    for each in range(12)
                },
                **{f"number_{each}": rng.random(size) for each in range(16)},
                _HASH: ids,
                "_day": pl.Series([_DAY]).new_from_index(0, size),
                "_source_row": np.arange(first, first + size),
                "_offset": pl.Series([None], dtype=pl.Int64).new_from_index(0, size),
                "_message_at": pl.Series([None], dtype=pl.Datetime).new_from_index(0, size),
                "_action": pl.Series([None], dtype=pl.String).new_from_index(0, size),
            }
        )
        frame.write_parquet(folder / f"{number:04d}.parquet", compression="lz4")


def sums(count: int, folder: Path) -> None:
    """The sorted sums of some buckets that share half of their keys."""
    rng = np.random.default_rng(7)
    for number in range(_BUCKETS):
        size = count // _BUCKETS
        keys = np.unique(
            np.r_[np.arange(size // 2) << 40, rng.integers(0, 1 << 63, size // 2)].astype(np.uint64)
        )
        columns = {f"sum_{each}": rng.integers(0, 1000, len(keys)) for each in range(10)}
        frame = pl.DataFrame({"key": keys, **columns})
        frame.write_parquet(folder / f"{number:04d}.parquet", compression="lz4")


def _spool(chunks: list[Path], work: Path) -> Iterator[pl.DataFrame]:
    spool = Spool(work / "spool", _HASH)
    for chunk in chunks:
        spool.add(pl.read_parquet(chunk))
    for low, high in _ranges():
        rows = spool.scan(low, high)
        assert rows is not None
        yield rows.collect()


def _line_spool(chunks: list[Path], work: Path) -> Iterator[pl.DataFrame]:
    spool = LineSpool(work)
    for chunk in chunks:
        spool.add(pl.read_parquet(chunk), 0, [])
    for low, high in _ranges():
        yield pl.concat(spool.lines(_DAY, low, high, np.empty(0, dtype=np.uint64)))


def _partitioned_sink(chunks: list[Path], work: Path) -> Iterator[pl.DataFrame]:
    part = (pl.col(_HASH) // (1 << 60)).cast(pl.Int32).alias("part")
    target = pl.PartitionBy(work / "parts", key=part, include_key=False)
    pl.scan_parquet(chunks).sink_parquet(target, compression="lz4", maintain_order=False, mkdir=True)
    for number in range(_RANGES):
        yield pl.read_parquet(work / "parts" / f"part={number}" / "*.parquet", hive_partitioning=False)


def _copied_by_duckdb(chunks: list[Path], work: Path) -> Iterator[pl.DataFrame]:
    base = _duckdb()
    parts = work / "parts"
    base.execute(
        f"COPY (SELECT *, {_HASH} >> 60 AS part FROM read_parquet({[str(path) for path in chunks]})) "
        f"TO '{parts}' (FORMAT parquet, PARTITION_BY (part), COMPRESSION lz4)"
    )
    for number in range(_RANGES):
        yield base.sql(f"SELECT * FROM read_parquet('{parts}/part={number}/*')").pl()


def _by_ranges(parts: list[Path], work: Path) -> Iterator[pl.DataFrame]:
    path = work / "merged.parquet"
    rows = sum(pl.scan_parquet(part).select(pl.len()).collect().item() for part in parts)
    with SortedWriter(path, dict(pl.read_parquet_schema(parts[0]))) as file:
        for within in hash_ranges(rows, 500_000):
            file.add(read_range(parts, within).group_by("key").agg(pl.all().sum()).sort("key"))
    yield from _stored(path)


def _sorted_sink(parts: list[Path], work: Path) -> Iterator[pl.DataFrame]:
    path = work / "merged.parquet"
    merged = pl.scan_parquet(parts).group_by("key").agg(pl.all().sum()).sort("key")
    merged.sink_parquet(path, compression="lz4", row_group_size=65_536)
    yield from _stored(path)


def _sorted_by_duckdb(parts: list[Path], work: Path) -> Iterator[pl.DataFrame]:
    path = work / "merged.parquet"
    columns = ", ".join(f"sum(sum_{each})::BIGINT AS sum_{each}" for each in range(10))
    summed = f"SELECT key, {columns} FROM read_parquet({[str(part) for part in parts]}) GROUP BY key"
    _duckdb().execute(
        f"COPY ({summed} ORDER BY key) TO '{path}' (FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE 65536)"
    )
    yield from _stored(path)


Way = Callable[[list[Path], Path], Iterator[pl.DataFrame]]
TASKS: dict[str, tuple[Callable[[int, Path], None], dict[str, Way]]] = {
    "spool": (
        lines,
        {
            "ours: Spool": _spool,
            "ours: LineSpool": _line_spool,
            "Polars, partitioned sink": _partitioned_sink,
            "DuckDB, partitioned copy": _copied_by_duckdb,
        },
    ),
    "sorted file": (
        sums,
        {
            "ours: ranges of SortedWriter": _by_ranges,
            "Polars, streaming sink": _sorted_sink,
            "DuckDB, sorted copy": _sorted_by_duckdb,
        },
    ),
}


def _stored(path: Path) -> Iterator[pl.DataFrame]:
    for batch in pq.ParquetFile(path).iter_batches():
        yield pl.DataFrame(batch)


def _ranges() -> list[tuple[int, int]]:
    return hash_ranges(_RANGES, 1)


def _duckdb() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": os.environ["POLARS_MAX_THREADS"]})


def run(task: str, way: str, chunks: Path, work: Path) -> Figures:
    """One way in this process: seconds, peak memory in MB, and what tells its rows from others."""
    rows = total = 0
    begin = time.perf_counter()
    for frame in TASKS[task][1][way](sorted(chunks.glob("*.parquet")), work):
        rows += frame.height
        column = "number_0" if task == "spool" else "sum_0"
        total += float(frame[column].sum())
        del frame
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "peak_mb": peak_memory_mb(), "rows": rows, "total": round(total, 3)}


def measured(task: str, count: int, rounds: int, threads: int) -> dict[str, Figures]:
    """The fewest seconds and the least memory of every way, each time in a process of its own, by turns."""
    make, ways = TASKS[task]
    best: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory(prefix="spools-") as folder:
        chunks, work = Path(folder) / "chunks", Path(folder) / "work"
        chunks.mkdir()
        make(count, chunks)
        for _ in range(rounds):
            for way in ways:
                work.mkdir()
                command = [
                    sys.executable,
                    "-m",
                    "benchmarks.decisions.spools",
                    "--one",
                    task,
                    way,
                    str(chunks),
                    str(work),
                ]
                given = os.environ | {"POLARS_MAX_THREADS": str(threads)}
                done = subprocess.run(command, env=given, stdout=subprocess.PIPE, text=True, check=True)
                figures = json.loads(done.stdout)
                known = best.setdefault(way, figures)
                best[way] = {name: min(value, known[name]) for name, value in figures.items()}
                shutil.rmtree(work)
    assert len({(figures["rows"], figures["total"]) for figures in best.values()}) == 1, best
    return best


def table(best: dict[str, Figures]) -> list[str]:
    """A row a way; the ratios are over the first way, which is ours."""
    first = next(iter(best.values()))
    return [
        "| way | seconds | ratio | peak MB | ratio |",
        "|---|---|---|---|---|",
        *(
            f"| {way} | {each['seconds']:.2f} | {each['seconds'] / first['seconds']:.2f} "
            f"| {each['peak_mb']:.0f} | {each['peak_mb'] / first['peak_mb']:.2f} |"
            for way, each in best.items()
        ),
    ]


def main() -> None:
    """Measure both tasks and print a table of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=list(TASKS), action="append", help="default: both")
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        task, way, chunks, work = options.one
        print(json.dumps(run(task, way, Path(chunks), Path(work))))
        return
    for task in options.task or TASKS:
        best = measured(task, options.lines, options.rounds, options.threads)
        print(f"\n{task}, {options.lines:,} lines\n", *table(best), sep="\n")


if __name__ == "__main__":
    main()
