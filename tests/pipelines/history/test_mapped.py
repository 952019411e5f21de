"""An unpacked history is the stored one, shared instead of held, and complete or not there."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from configs.loader import load_settings
from features.history.peers import PRICE_SCHEMA
from features.history.state import table_schema
from pipelines.history import mapped as mapped_history
from pipelines.history.mapped import unpack_table, unpack_tasks
from pipelines.history.profiles import describe_profile, load_profile
from pipelines.history.sorted_file import write_sorted
from pipelines.history.spec import HistorySpec
from pipelines.store.layout import key_file, price_file
from tests.places import ROOT

SPEC = HistorySpec.of(load_settings())


def some_rows(schema: dict[str, pl.DataType], rows: int) -> pl.DataFrame:
    """Rows of any numbers; every third value of a column but the key is null."""
    number = pl.int_range(rows, dtype=pl.Int64)
    columns = [
        number.cast(kind).alias(name)
        if name in ("key", "bin")
        else pl.when(number % 3 != place % 3).then(number * 7 % 1000).cast(kind).alias(name)
        for place, (name, kind) in enumerate(schema.items())
    ]
    return pl.select(columns)


def store_history(folder: Path, rows: int) -> Path:
    folder.mkdir()
    for key in SPEC.keys:
        table = some_rows(dict(table_schema(key, SPEC.config, SPEC.labels)), rows)
        write_sorted(table, folder / key_file(key.name))
    for name in SPEC.sketches:
        write_sorted(some_rows(dict(PRICE_SCHEMA), rows), folder / price_file(name))
    describe_profile(folder, date(2026, 11, 19), "of a test", SPEC)
    return folder


def unpack_all(eve: Path, unpacked: Path, piece_rows: int = 1 << 18) -> None:
    for task in unpack_tasks(eve, unpacked, SPEC):
        unpack_table(task, piece_rows=piece_rows)


@pytest.mark.parametrize("rows", [0, 1, 8, 37])
def test_what_is_unpacked_is_what_was_stored(rows: int, tmp_path: Path) -> None:
    eve, unpacked = store_history(tmp_path / "eve", rows), tmp_path / "unpacked"
    unpack_all(eve, unpacked, piece_rows=16)
    stored, mapped = load_profile(eve, SPEC), mapped_history.mapped_history(eve, unpacked, SPEC)
    assert (mapped.as_of, mapped.labels, mapped.lineage) == (stored.as_of, stored.labels, stored.lineage)
    for tables, others in ((stored.tables, mapped.tables), (stored.prices, mapped.prices)):
        assert list(tables) == list(others)
        assert all(others[name].schema == table.schema for name, table in tables.items())
        assert all(others[name].equals(table) for name, table in tables.items())


def test_a_table_that_was_being_written_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve, unpacked = store_history(tmp_path / "eve", 20), tmp_path / "unpacked"
    first, *others = unpack_tasks(eve, unpacked, SPEC)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(mapped_history, "row_count", full)
        with pytest.raises(OSError, match="No space"):
            unpack_table(first)
    assert unpack_tasks(eve, unpacked, SPEC) == [first, *others]
    unpack_table(first)
    assert unpack_tasks(eve, unpacked, SPEC) == others


def test_a_process_does_not_hold_the_history_that_it_looks_up_in(tmp_path: Path) -> None:
    """Private memory of a process that reads one row of every table: its numbers are not in it."""
    eve, unpacked = store_history(tmp_path / "eve", 30_000), tmp_path / "unpacked"
    unpack_all(eve, unpacked)
    size = sum(path.stat().st_size for path in unpacked.rglob("*")) >> 20
    program = """
import sys
from pathlib import Path
from configs.loader import load_settings
from pipelines.history.mapped import mapped_history
from pipelines.history.profiles import load_profile
from pipelines.history.spec import HistorySpec
import pipelines.scoring.bucket

def private():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon"))) >> 10

spec, eve, unpacked = HistorySpec.of(load_settings()), Path(sys.argv[1]), Path(sys.argv[2])
before = private()
mapped = mapped_history(eve, unpacked, spec)
rows = [table.row(-1) for table in (*mapped.tables.values(), *mapped.prices.values())]
between = private()
held = load_profile(eve, spec)
print(between - before, private() - between)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(eve), str(unpacked)],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    mapped, held = map(int, done.stdout.split())
    assert size > 60
    assert mapped < size / 4
    assert held > size * 3 / 4, "the process would hold it if it read the files"
