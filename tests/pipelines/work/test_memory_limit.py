"""A limit of memory is kept to, by a measured process, and one that cannot be kept to is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from configs.errors import UsageError
from configs.loader import load_settings
from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.work.memory_limit import MIB, within_memory, workers_within_memory
from tests.pipelines.ingest.test_ingest import tables
from tests.places import ROOT

PIPELINE = load_settings().pipeline
ROWS = 190_000
LIMIT = 690


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Lines with something in every column, each text of its own."""
    number = pl.int_range(ROWS, eager=True)
    text = "X" + number.cast(pl.String).str.zfill(20)
    columns = {
        name: number + 1.5 if kind == pl.Float64() else text for name, kind in DECLARATION_COLUMNS.items()
    }
    constants = {
        "line_no": 1, "declared_at": "2026-11-20", "hs_code": "010121", "currency": "CNY",
        "direction": "import", "trade_mode": "9610", "origin_country": "DE", "dispatch_country": "NL",
        "destination_country": "CN", "unit": "035", "legal_unit": "035", "package_count": 1,
    }  # fmt: skip
    file = tmp_path / "lines.parquet"
    pl.DataFrame(columns | constants).write_parquet(file)
    return file


def peak_mib(store: Path, table: Path, *options: str) -> int:
    """The most memory that a process of its own held while it took the table in."""
    configs = store.parent / "configs"
    configs.mkdir(exist_ok=True)
    (configs / "pipeline.yaml").write_text("store: {bucket_rows: 30000}\n", encoding="utf-8")
    program = (
        "import re, sys; from pipelines.cli.main import run; assert run(sys.argv[1:]) == 0; "
        # Not `ru_maxrss`: it begins with what the process that started this one held.
        "print(int(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1]) // 1024)"
    )
    arguments = ["ingest", str(table), "--store", str(store), "--configs", str(configs), "--quiet", *options]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout)


def test_a_limit_is_kept_to_and_changes_nothing_else(tmp_path: Path, table: Path) -> None:
    free, limited = tmp_path / "free", tmp_path / "limited"
    assert peak_mib(free, table) > LIMIT, "the limit would be kept to without doing anything for it"
    assert peak_mib(limited, table, "--memory-limit", f"{LIMIT}MiB") < LIMIT
    assert tables(limited) == tables(free)


def test_a_limit_that_is_too_small_is_refused_with_what_would_do() -> None:
    with pytest.raises(UsageError, match=r"at least 1120MiB.*250,000 lines.*got 700MiB.*at most 80,000"):
        within_memory(PIPELINE, 700 * MIB)
    with pytest.raises(UsageError, match=r"got 100MiB. Give more$"):
        within_memory(PIPELINE, 100 * MIB)


@pytest.mark.parametrize("limit", [1120, 1400, 2048, 8192])
def test_more_memory_is_never_used_worse(limit: int) -> None:
    here, more = (within_memory(PIPELINE, size * MIB).ingest for size in (limit, 2 * limit))
    assert 1 <= here.workers <= more.workers <= PIPELINE.ingest.workers
    assert here.workers * here.chunk_rows <= more.workers * more.chunk_rows
    assert here.merge_rows <= more.merge_rows


def test_much_memory_is_used_as_configured() -> None:
    assert within_memory(PIPELINE, 64 * 1024 * MIB) == PIPELINE
    assert within_memory(PIPELINE, None) is PIPELINE


def test_a_night_works_on_as_many_buckets_as_fit() -> None:
    counts = [workers_within_memory(size * MIB, 4, 250_000) for size in (2300, 4400, 4500, 6600, 64_000)]
    assert counts == [1, 1, 2, 3, 4]
    assert workers_within_memory(2300 * MIB, 8, 10_000) == 5
    with pytest.raises(UsageError, match=r"at least 2289MiB.*250,000 lines.*got 2000MiB.*at most 209,000"):
        workers_within_memory(2000 * MIB, 2, 250_000)
