"""However a day is cut into files, runs of `ingest` and buckets, and in whatever order these come and are
scored: scores, lists and the history of the day are the same to the last bit.
"""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.history.chronicle import Chronicle
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.night import score_day as night
from pipelines.scoring.models_in_use import ModelInUse, models_in_use
from pipelines.store.bucket_checks import Bucket, check_buckets
from pipelines.work.execution import Executor
from pipelines.work.progress import Progress
from tests.pipelines.scoring.test_same_score import same_bits
from tests.pipelines.trained_world import NIGHT, World, different, with_bucket_rows

# Between the night and this moment nothing is dated in the future.
NOW = datetime(2026, 11, 25, tzinfo=UTC)
RESULTS = ("lists", "strata", f"profiles/as_of={NIGHT}")
# It names the files that went into the history.
DESCRIPTION = f"profiles/as_of={NIGHT}/profile.json"


@dataclass(frozen=True)
class Partition:
    """How a day's lines come: shuffled by `seed`, cut into files at `cuts` (shares of the day), each file in
    one of three runs, some of them in a later run again; and about how many lines a bucket holds.
    """

    seed: int
    cuts: tuple[float, ...]
    runs: tuple[int, ...]
    again: int
    bucket_rows: int

    def files(self, lines: pl.DataFrame) -> list[list[pl.DataFrame]]:
        """The lines of each file, by run."""
        mixed = lines.sample(fraction=1.0, shuffle=True, seed=self.seed)
        places = sorted({0, mixed.height, *(round(cut * mixed.height) for cut in self.cuts)})
        files = [mixed[low:high] for low, high in itertools.pairwise(places)]
        runs: list[list[pl.DataFrame]] = [[], [], [], files[: self.again]]
        for number, file in enumerate(files):
            runs[self.runs[number % len(self.runs)]].append(file)
        return [run for run in runs if run]


partitions = st.builds(
    Partition,
    seed=st.integers(0, 999),
    cuts=st.lists(st.floats(0, 1), max_size=6).map(tuple),
    runs=st.lists(st.integers(0, 2), min_size=1, max_size=5).map(tuple),
    again=st.integers(0, 2),
    bucket_rows=st.integers(60, 400),
)


@pytest.fixture(scope="module")
def before_ingest(tmp_path_factory: pytest.TempPathFactory, scored: World) -> World:
    """The store as it was before the night's lines came, with the models in use. Not to be changed."""
    world = scored.copy(tmp_path_factory.mktemp("before"))
    for kind in ("declarations", "scores", "values", "lists", "strata"):
        shutil.rmtree(world.path / kind / f"declared_on={NIGHT}")
    shutil.rmtree(world.path / f"profiles/as_of={NIGHT}")
    shutil.rmtree(world.path / ".runs")
    (world.path / f".checks/declared_on={NIGHT}.json").unlink(missing_ok=True)
    return world


@pytest.fixture(scope="module")
def in_use(before_ingest: World) -> Mapping[str, ModelInUse]:
    """The models, found once: where they come from is not what changes here."""
    return models_in_use(before_ingest.store, before_ingest.settings.risks).models


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that is emptied at the end: each example leaves a store."""
    folder = tmp_path_factory.mktemp("partitions")
    yield folder
    shutil.rmtree(folder)


@settings(max_examples=2)
@given(partition=partitions)
@example(partition=Partition(seed=7, cuts=(0.1, 0.5, 0.9), runs=(2, 0, 1), again=1, bucket_rows=70))
def test_any_partition_of_a_day_gives_the_same_night(
    partition: Partition,
    before_ingest: World,
    in_use: Mapping[str, ModelInUse],
    scored: World,
    folders: Path,
) -> None:
    folder = folders / str(len(list(folders.iterdir())))
    shutil.copytree(before_ingest.path, folder / "S")
    world = World(folder / "S", before_ingest.configs)
    lines = scored.store.read_declarations(NIGHT)
    for number, run in enumerate(partition.files(lines)):
        paths = [folder / f"{number}-{place}.parquet" for place in range(len(run))]
        for path, frame in zip(paths, run, strict=True):
            frame.write_parquet(path)
        report = ingest(
            paths, world.path, IngestOptions(source="table", now=NOW), progress=Progress.silent(),
            settings=with_bucket_rows(world.settings, partition.bucket_rows),
        )  # fmt: skip
        assert report.exit_code == 0
    assert world.store.read_declarations(NIGHT).height == lines.height
    score(world, in_use, partition.seed)
    assert same_bits(world.scores(), scored.scores())
    assert different(world.results(*RESULTS), scored.results(*RESULTS)) in ([], [DESCRIPTION])


def score(world: World, in_use: Mapping[str, ModelInUse], seed: int) -> None:
    """Score the night, its buckets in an order of chance."""
    store = world.store

    def mixed(*day: Any) -> list[Bucket]:
        return random.Random(seed).sample(found := check_buckets(*day), len(found))

    with mock.patch.object(night, "check_buckets", mixed), store.lock("test"):
        report = night.score_day(Chronicle(store, world.settings), NIGHT, in_use, Executor())
    assert not report.gaps
