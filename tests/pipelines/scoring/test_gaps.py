"""A bucket that cannot be scored is set aside; the night goes on, says so, and makes up for it later."""

from __future__ import annotations

import errno
import itertools
import json
import multiprocessing
import os
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.night import select_day
from pipelines.night.explain import ExplainTask
from pipelines.night.select_day import ParcelTask
from pipelines.scoring import bucket as score_bucket
from pipelines.scoring import bucket_steps
from pipelines.scoring.bucket import BucketTask, Workspace
from pipelines.store import locking
from pipelines.store.day_table import DayTable
from pipelines.store.files import write_table
from tests.pipelines.trained_world import NIGHT, World, different

NEXT = NIGHT + timedelta(days=1)
# All that a night computes and no list: lists that were issued stay.
COMPUTED = ("scores", "values", "profiles", ".runs")


@contextmanager
def failing(
    module: Any, name: str, error: BaseException, unlucky: Callable[[Any], bool]
) -> Iterator[list[str]]:
    """While the block runs, a step fails on some of its items; yields the buckets that it was called for."""
    real = getattr(module, name)
    called: list[str] = []

    def step(task: BucketTask | ExplainTask | ParcelTask) -> Any:
        called.append(task.file.name)
        if unlucky(task):
            raise error
        return real(task)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, step)
        yield called


def first_bucket(task: BucketTask) -> bool:
    return task.file.name.startswith("bucket-000-")


def manifest(world: World, verb: str = "score") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.store.layout.manifests(verb)[-1].read_text(encoding="utf-8"))
    return found


def rows(path: Path) -> int:
    return pl.read_parquet(path, hive_partitioning=False).height


def assert_marked(world: World) -> None:
    folder = world.path / f"lists/declared_on={NIGHT}"
    assert json.loads((folder / "incomplete.json").read_text(encoding="utf-8")) == manifest(world)["missing"]
    pages, books = sorted(folder.glob("*.html")), sorted(folder.glob("*.xlsx"))
    assert pages
    assert len(pages) == len(books)
    assert all("INCOMPLETE" in page.read_text(encoding="utf-8") for page in pages)
    for book in books:
        with zipfile.ZipFile(book) as parts:
            assert b"INCOMPLETE" in parts.read("xl/sharedStrings.xml")


def test_a_bucket_that_fails_all_its_tries_is_set_aside_and_made_up_for(
    world: World, scored: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, *others = world.store.layout.buckets(NIGHT)
    with failing(bucket_steps, "score_bucket", MemoryError(), first_bucket) as called:
        assert world.score() == 5
    assert called.count(bucket.name) == 3
    assert len(called) == len(others) + 3
    said = capsys.readouterr()
    assert f"{NIGHT}: INCOMPLETE: {rows(bucket):,} lines have no score" in said.out
    assert f"{bucket.name} failed (try 3 of 3) and is set aside: out of memory" in said.err
    told = manifest(world)
    gap = {"bucket": bucket.name, "lines": rows(bucket), "step": "scores", "reason": "out of memory"}
    assert told["missing"] == [gap]
    assert told["retried"] == [{"bucket": bucket.name, "step": "scores", "reasons": ["out of memory"] * 2}]
    assert told["rows_in"] == told["rows_kept"] == told["rows_scored"] + rows(bucket)
    assert sorted(path.name for path in (world.path / f"scores/declared_on={NIGHT}").iterdir()) == [
        file.name for file in others
    ]
    assert_marked(world)
    # Every line was summed, so that later days may rest on this one.
    assert different(world.results("profiles"), scored.results("profiles")) == []

    computed: list[int] = []
    features = Workspace.features

    def counted(space: Workspace, lines: pl.DataFrame, file: Path) -> Any:
        computed.append(lines.height)
        return features(space, lines, file)

    monkeypatch.setattr(Workspace, "features", counted)
    issued = world.results("lists", "strata")
    assert world.score() == 0
    assert computed == [rows(bucket)], "only what is missing is scored"
    assert "issued INCOMPLETE: `parcel-risk select" in capsys.readouterr().out
    assert different(world.results(*COMPUTED[:3]), scored.results(*COMPUTED[:3])) == []
    assert world.results("lists", "strata") == issued, "lists that were issued stay"
    assert [path.name[:16] for path in (world.path / ".work").iterdir()] == [f"today-{NIGHT}"]
    assert world.run("select", "--date", NIGHT.isoformat()) == 0
    assert different(world.results("lists", "strata"), scored.results("lists", "strata")) == []


def test_an_incomplete_day_is_not_selected_from(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with failing(bucket_steps, "score_bucket", MemoryError(), first_bucket):
        assert world.score() == 5
    assert world.run("select", "--date", NIGHT.isoformat()) == 1
    assert f"score it again with `parcel-risk score --date {NIGHT}`" in capsys.readouterr().err


def test_sums_that_lack_a_bucket_are_not_built_on(world: World, scored: World) -> None:
    bucket = world.store.layout.buckets(NIGHT)[0]
    with failing(bucket_steps, "sum_bucket", MemoryError(), first_bucket):
        assert world.score() == 5
        assert world.score() == 5, "an incomplete day is not taken for a finished one"
    assert manifest(world)["missing"][0]["step"] == "sums of the day"
    assert NIGHT not in world.store.days(DayTable.PROFILES)
    assert not (world.path / f"scores/declared_on={NIGHT}" / bucket.name).exists()
    assert_marked(world)
    # The next day reads the lines of this one anew.
    later = world.copy(world.path.parent / "later")
    expected = scored.copy(world.path.parent / "expected")
    assert (later.score(NEXT), expected.score(NEXT)) == (0, 0)
    of_next = f"scores/declared_on={NEXT}", f"profiles/as_of={NEXT}", f"lists/declared_on={NEXT}"
    assert different(later.results(*of_next), expected.results(*of_next)) == []
    assert world.score() == 0
    assert different(world.results(*COMPUTED[:3]), scored.results(*COMPUTED[:3])) == []


def rot(bucket: Path) -> None:
    whole = bucket.read_bytes()
    bucket.write_bytes(whole[:1000] + bytes(200) + whole[1200:])


def change(bucket: Path) -> None:
    """Sound Parquet, but not what was written."""
    lines = pl.read_parquet(bucket, hive_partitioning=False)
    write_table(lines.with_columns(pl.col("total_price") * 2), bucket)


def cut_short(bucket: Path) -> None:
    bucket.write_bytes(bucket.read_bytes()[:-100])


def make_unreadable(bucket: Path) -> None:
    bucket.unlink()
    bucket.mkdir()


@pytest.mark.parametrize("damage", [change, rot, cut_short, make_unreadable, Path.unlink])
def test_a_bucket_that_cannot_be_read_is_set_aside(
    damage: Callable[[Path], None], world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = world.store.layout.buckets(NIGHT)[1]
    lines = rows(bucket)
    damage(bucket)
    assert world.score() == 5
    said = capsys.readouterr().out
    assert f"{bucket.name}: {lines} lines have no score (reading): {bucket} " in said
    assert "Restore it from a backup of the store" in said
    told = manifest(world)
    assert told["rows_in"] == told["rows_scored"] + lines
    assert [gap["lines"] for gap in told["missing"]] == [lines]
    assert_marked(world)


def test_no_later_day_rests_on_one_that_cannot_be_read(
    world: World, scored: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = world.store.layout.buckets(NIGHT)[1]
    whole = bucket.read_bytes()
    rot(bucket)
    assert world.score(NEXT) == 1
    said = capsys.readouterr().err
    assert f"every line of {NIGHT} is needed" in said
    assert str(bucket) in said
    assert world.store.days(DayTable.SCORES) == []
    assert world.score() == 5
    bucket.write_bytes(whole)
    assert world.score(NEXT) == 0
    assert f"{NIGHT} is still incomplete: score it again" in capsys.readouterr().out
    assert world.score() == 0
    assert different(world.results("scores/declared_on=" + str(NIGHT)), scored.results("scores")) == []


def test_lines_of_a_file_that_is_gone_come_back_with_their_source(world: World, tmp_path: Path) -> None:
    lines = world.store.read_declarations(NIGHT)
    lines.write_parquet(tmp_path / "source.parquet")
    bucket = world.store.layout.buckets(NIGHT)[0]
    bucket.unlink()
    assert world.run("ingest", tmp_path / "source.parquet") == 0
    key = ["declaration_id", "line_no"]
    assert world.store.read_declarations(NIGHT).sort(key).equals(lines.sort(key))


def test_damage_is_not_merged_into_new_files_that_look_whole(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = world.store.read_declarations(NIGHT)
    renamed = ("N" + pl.col("declaration_id")).alias("declaration_id")
    lines.with_columns(renamed).write_parquet(tmp_path / "more.parquet")
    bucket = world.store.layout.buckets(NIGHT)[0]
    change(bucket)
    before = world.results("declarations")
    assert world.run("ingest", tmp_path / "more.parquet") == 1
    assert f"{bucket} is damaged: its bytes are not those that were written" in capsys.readouterr().err
    assert different(world.results("declarations"), before) == []


def test_nothing_is_published_where_no_bucket_can_be_scored(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    before = world.results()
    with failing(bucket_steps, "score_bucket", MemoryError(), lambda _: True):
        assert world.score() == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "could be scored, so nothing was published" in said
    assert "out of memory" in said
    new = {name.split("/")[0] for name in different(world.results(), before)}
    assert new <= {"profiles"}, "only earlier days were closed"


def test_parcels_that_cannot_be_tabulated_are_missing_from_the_lists_alone(
    world: World, scored: World
) -> None:
    bucket, *others = world.store.layout.buckets(NIGHT)
    with failing(select_day, "tabulate", MemoryError(), first_bucket):
        assert world.score() == 5
    assert different(world.results("scores"), scored.results("scores")) == []
    elsewhere = pl.concat(pl.read_parquet(file, columns=["declaration_id"]) for file in others)
    listed = world.listed()["declaration_id"]
    assert len(listed)
    assert set(listed) <= set(elsewhere["declaration_id"])
    (gap,) = manifest(world)["missing"]
    assert (gap["bucket"], gap["step"]) == (bucket.name, "parcels")
    assert_marked(world)
    assert world.score() == 0
    assert world.run("select", "--date", NIGHT.isoformat()) == 0
    assert different(world.results("lists", "strata"), scored.results("lists", "strata")) == []


def test_listed_parcels_that_cannot_be_explained_stand_on_the_lists_without_reasons(
    world: World, scored: World
) -> None:
    with failing(select_day, "explain", ValueError("a row"), first_bucket):
        assert world.score() == 5
    assert different(world.results("scores"), scored.results("scores")) == []
    listed, whole = world.listed(), scored.listed()
    assert listed.drop("reason_1", "reason_2", "reason_3").equals(
        whole.drop("reason_1", "reason_2", "reason_3")
    )
    assert listed["reason_1"].null_count() > whole["reason_1"].null_count()
    (gap,) = manifest(world)["missing"]
    assert (gap["step"], gap["lines"]) == ("reasons", 0)
    assert gap["reason"].startswith("unexpected ValueError in ")
    assert "a row" not in gap["reason"], "a message quotes no data"
    assert_marked(world)
    assert world.score() == 0


def test_a_full_disk_ends_the_night_with_what_to_do_and_the_next_start_goes_on(
    world: World, scored: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    full: list[Path] = []

    def write(frame: pl.DataFrame, path: Path) -> None:
        if path.name.startswith(".bucket-001-") and path.parent.name == "values":
            full.append(path)
            path.write_bytes(b"PAR1 torn")
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_table(frame, path)

    with monkeypatch.context() as patch:
        patch.setattr(score_bucket, "write_table", write)
        assert world.score() == 1
    assert len(full) == 1, "a full disk is not tried again"
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"the disk is full while {full[0]} was written. Make room, then start the same command" in said
    assert not full[0].exists(), "half a file would take room"
    assert NIGHT not in world.store.days(DayTable.SCORES)
    assert world.score() == 0
    assert different(world.results(), scored.results()) == []


def test_a_clock_that_is_set_over_midnight_again_and_again_changes_nothing(
    world: World, scored: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, days = time.time(), itertools.count(1)

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.fromtimestamp(time.time(), tz)

    monkeypatch.setattr(time, "time", lambda: start + 86_400.0 * next(days))
    monkeypatch.setattr(locking, "datetime", Jumping)
    assert world.score() == 0
    assert next(days) > 2, "the clock was looked at"
    monkeypatch.undo()
    assert different(world.results(), scored.results()) == []


def test_a_worker_that_is_killed_changes_nothing_but_the_manifest(world: World, scored: World) -> None:
    killed = threading.Event()

    def kill() -> None:
        while not killed.wait(0.01):
            for child in multiprocessing.active_children():
                assert child.pid is not None
                os.kill(child.pid, signal.SIGKILL)
                killed.set()
                return

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        assert world.score(NIGHT, "--workers", "2") == 0
    finally:
        killed.set()
        thread.join()
    (retried,) = manifest(world)["retried"]
    assert "SIGKILL" in retried["reasons"][0]
    assert different(world.results(), scored.results()) == []
