"""A run that is killed at any moment and started again leaves what an undisturbed one leaves."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.store.store import Store
from tests.pipelines.killing import KILLED, End, Killer, killer
from tests.pipelines.trained_world import NIGHT, World, different

# The day before was not scored either, so its history is closed first.
DAY = NIGHT + timedelta(days=1)
TABLES = ("declarations", "inspections", "quarantine", "ledger", "store.json")


@pytest.fixture(scope="module")
def program() -> Iterator[Killer]:
    with killer() as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, trained: World, program: Killer
) -> tuple[World, End]:
    """A night without a fault, and the changes of files that it made."""
    world = trained.copy(tmp_path_factory.mktemp("undisturbed"))
    end = program.run(world.arguments("score", "--date", DAY.isoformat()), world.path)
    assert end.status == 0, end.said
    return world, end


# Moments by what happens then: how the change begins, and where among those that begin so (0 to 1).
MOMENTS = {
    "in the middle of a bucket": ("write /.work", 1.0),
    "the first tables are in place": ("os.rename /.staging", 0.5),
}
# One run after another is killed at the first of these; each begins where the one before was stopped.
AGAIN_AND_AGAIN = (
    "open /.lock",
    "os.rename /models",
    "write /.work",
    "os.rename /.journal",
    "os.remove /.journal",
    "os.rmdir /.work",
)


def moment(changes: list[str], what: str, where: float) -> tuple[str, int]:
    """The change at a place among those that begin with `what`."""
    found = sum(change.startswith(what) for change in changes)
    assert found, f"{what} never happens: {changes}"
    return what, 1 + round(where * (found - 1))


def assert_same_night(world: World, expected: World) -> None:
    """Everything is as after the undisturbed night, and nothing else is left."""
    assert different(world.results(), expected.results()) == []
    names = [[path.name for path in each.store.layout.manifests("score")] for each in (world, expected)]
    assert names[0] == names[1]
    assert without_times(world) == without_times(expected)
    assert left_behind(world, expected) == []


def left_behind(world: World, expected: World) -> list[str]:
    """What lies in the folders for work in progress that the undisturbed night has not left as well, the sums
    kept for `select`, or has left with other bytes.
    """
    usual = _in_progress(expected)
    return [path for path, held in _in_progress(world).items() if path not in usual or usual[path] != held]


def _in_progress(world: World) -> dict[str, bytes | None]:
    """The bytes of each file by its path, None for a folder."""
    folders = (world.path / name for name in (".work", ".staging", ".journal"))
    paths = sorted(path for folder in folders for path in folder.rglob("*"))
    return {str(path.relative_to(world.path)): None if path.is_dir() else path.read_bytes() for path in paths}


@pytest.mark.parametrize("name", MOMENTS)
def test_a_night_that_is_killed_and_repeated_leaves_the_same_bytes(
    name: str, tmp_path: Path, trained: World, undisturbed: tuple[World, End], program: Killer
) -> None:
    expected, end = undisturbed
    world = trained.copy(tmp_path)
    command = world.arguments("score", "--date", DAY.isoformat())
    killed = program.run(command, world.path, moment(end.changes, *MOMENTS[name]))
    assert killed.status == KILLED, killed.said
    repeated = program.run(command)
    assert repeated.status == 0, repeated.said
    assert_same_night(world, expected)


def test_a_night_that_is_killed_again_and_again_leaves_the_same_bytes(
    tmp_path: Path, trained: World, undisturbed: tuple[World, End], program: Killer
) -> None:
    expected, _ = undisturbed
    world = trained.copy(tmp_path)
    command = world.arguments("score", "--date", DAY.isoformat())
    for what in AGAIN_AND_AGAIN:
        killed = program.run(command, world.path, (what, 1))
        assert killed.status == KILLED, (what, killed.said, killed.changes)
    repeated = program.run(command)
    assert repeated.status == 0, repeated.said
    assert_same_night(world, expected)


def without_times(world: World) -> list[dict[str, object]]:
    manifests = [
        json.loads(path.read_text(encoding="utf-8")) for path in world.store.layout.manifests("score")
    ]
    changing = ("seconds", "cpu_seconds", "began_at", "peak_memory_mb")
    return [{key: value for key, value in manifest.items() if key not in changing} for manifest in manifests]


INGEST_MOMENTS = (
    ("open /.staging", 1.0),
    ("os.rename /.journal", 0.0),
    ("os.rename /.staging", 0.0),
    # The description of the store moves away before the new one takes its place.
    ("os.rename /.staging", 1.0),
)


def test_an_ingest_that_is_killed_took_all_or_nothing(
    tmp_path: Path, untrained: World, program: Killer
) -> None:
    lines = untrained.store.read_declarations(NIGHT)
    lines = lines.with_columns(("N" + pl.col("declaration_id")).alias("declaration_id"))
    lines = pl.concat([lines, lines[:3].with_columns(pl.lit("x").alias("hs_code"))])
    lines.write_parquet(tmp_path / "lines.parquet")
    lines[:5].select("declaration_id", "line_no").with_columns(
        pl.lit(NIGHT).alias("inspected_on"), pl.lit(NIGHT).alias("reported_on"), pl.lit(True).alias("forged")
    ).write_parquet(tmp_path / "results.parquet")
    files = [tmp_path / "lines.parquet", tmp_path / "results.parquet"]
    whole = untrained.copy(tmp_path / "whole")
    end = program.run(whole.arguments("ingest", *files), whole.path)
    assert end.status == 0, end.said
    assert different(whole.results("store.json"), untrained.results("store.json")) == ["store.json"]
    counts = {store.store.read_declarations(NIGHT).height for store in (untrained, whole)}
    for number, (what, where) in enumerate(INGEST_MOMENTS):
        world = untrained.copy(tmp_path / f"killed-{number}")
        killed = program.run(world.arguments("ingest", *files), world.path, moment(end.changes, what, where))
        assert killed.status == KILLED, killed.said
        assert Store.open(world.path).read_declarations(NIGHT).height in counts, what
        repeated = program.run(world.arguments("ingest", *files))
        assert repeated.status == 0, (what, repeated.said)
        assert different(world.results(*TABLES), whole.results(*TABLES)) == [], what


def test_a_training_that_is_killed_leaves_the_model_in_use(
    tmp_path: Path, trained: World, undisturbed: tuple[World, End], program: Killer
) -> None:
    world = trained.copy(tmp_path)
    command = world.arguments("train", "--risk", "food_safety", "--until", NIGHT.isoformat())
    killed = program.run(command, tmp_path / "S.mlflow", ("", 1))
    assert killed.status == KILLED, killed.said
    night = program.run(world.arguments("score", "--date", DAY.isoformat()))
    assert night.status == 0, night.said
    assert "food_safety: model version 1" in night.said
    expected, _ = undisturbed
    assert different(world.results("scores", "lists"), expected.results("scores", "lists")) == []
    again = program.run(command)
    assert again.status == 0, again.said
    assert "food_safety: version 2" in again.said


@pytest.mark.parametrize("verb", ["score", "train", "ingest", "select"])
def test_the_second_run_on_a_store_learns_who_holds_it(
    verb: str, trained: World, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {
        "score": ["--date", NIGHT.isoformat()],
        "select": ["--date", NIGHT.isoformat()],
        "ingest": [str(trained.configs / "pipeline.yaml")],
        "train": [],
    }
    with trained.store.lock("score"):
        assert trained.run(verb, *options[verb]) == 1
    said = capsys.readouterr().err
    assert f"in use by `score` (process {os.getpid()} on " in said
    assert "wait until it is done" in said
