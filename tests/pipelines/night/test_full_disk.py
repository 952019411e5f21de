"""A full disk is told with its number and the file, whatever was being written.

By its number a run knows that trying again is no use (`pipelines.work.attempts.concerns_the_run`). Polars
tells it as a failed computation where it writes Parquet, and without the number where it writes Arrow.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipelines.history import day_sums
from pipelines.night import select_day
from pipelines.store.day_work import DayWork
from pipelines.store.files import write_table
from pipelines.store.spool import Spool
from pipelines.work.attempts import concerns_the_run
from tests.pipelines.ingest.test_line_spool import spooled, valid
from tests.pipelines.trained_world import NIGHT, World

FULL = Path("/dev/full")
ROWS = pl.DataFrame({"a": range(10_000)}, schema={"a": pl.UInt64})


def sums_of_the_day(_: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(day_sums, "unfinished", lambda _: FULL)
    day_sums.save_today(DayWork(Path("work")), Path("bucket.parquet"), "seller", 0, ROWS)


def rows_put_aside(folder: Path, _: pytest.MonkeyPatch) -> None:
    (folder / "000000.parquet").symlink_to(FULL)
    Spool(folder, "a").add(ROWS)


def lines_put_aside(folder: Path, _: pytest.MonkeyPatch) -> None:
    (folder / "000000.arrow").symlink_to(FULL)
    spooled(folder, valid(3000))


def a_table(_: Path, __: pytest.MonkeyPatch) -> None:
    write_table(ROWS, FULL)


@pytest.mark.parametrize("write", [a_table, sums_of_the_day, rows_put_aside, lines_put_aside])
def test_a_full_disk_is_told_as_the_system_does(
    write: Callable[[Path, pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write(tmp_path, monkeypatch)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename is not None
    assert concerns_the_run(caught.value)


def test_parcels_that_find_no_room_end_the_run(scored_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_day, "unfinished", lambda _: FULL)
    assert scored_world.run("select", "--date", NIGHT.isoformat()) == 1
    assert not list((scored_world.path / ".staging").glob("*")), "no list was half made"
