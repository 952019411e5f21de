"""A small store with trained models, and how tests run the program on it and look at what it left."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from configs.loader import load_settings
from configs.schema.settings import Settings
from features.arrays.hashing import hash_text
from pipelines.cli.main import run
from pipelines.simulation.run import simulate
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.taken_in import take_in
from tests.places import ROOT

END = date(2026, 11, 20)
DAYS = 22
PARCELS_PER_DAY = 260
# Two days are left that no model has seen: 18 November, the night of most tests, and what comes after it.
TRAINED_UNTIL = date(2026, 11, 17)
NIGHT = TRAINED_UNTIL + timedelta(days=1)
RISKS = ("food_safety", "prohibited_items", "undervaluation")
# What a night leaves. Manifests have seconds in them; models and the lock's file are not a night's result.
RESULTS = ("scores", "values", "lists", "strata", "profiles", ".runs")

_PIPELINE = """
# As packaged but for fewer keys and less data: the tests look at how it works, not at how well.
history:
  keep_daily_profiles: 4
  combinations:
    - {name: all, columns: []}
    - {name: seller, columns: [seller_id], backoff: all}
    - {name: buyer, columns: [buyer_id], backoff: all}
    - {name: address, columns: [address_id], backoff: all}
    - {name: hs2, columns: [hs2], backoff: all}
    - {name: hs4, columns: [hs4], backoff: hs2}
    - {name: hs6, columns: [hs6], backoff: hs4}
    - {name: hs6_origin, columns: [hs6, origin_country], backoff: hs6}
    - {name: hs6_origin_dispatch, columns: [hs6, origin_country, dispatch_country], backoff: hs6_origin}
    - {name: seller_hs6, columns: [seller_id, hs6], backoff: seller}
    - {name: agent_hs6, columns: [agent_id, hs6], backoff: all}
    - {name: item_key, columns: [item_key], backoff: hs6}
    - {name: item_key_hs4, columns: [item_key, hs4], backoff: item_key}
    - {name: hs6_origin_price, columns: [hs6, origin_country, price_key], backoff: hs6_origin}
training:
  folds: 2
  evaluation_days: 6
  min_findings: 4
  candidates:
    - {name: plain, columns: [goods__*, route__*, intermediaries__*, price__*], rounds: 15}
scoring: {workers: 1}
"""


def quicker_risk(text: str) -> str:
    """A risk's file with fewer trees and a shorter wait for results."""
    text = re.sub(r"^rounds: \d+", "rounds: 20", text, flags=re.MULTILINE)
    return re.sub(r"^maturity_days: \d+", "maturity_days: 3", text, flags=re.MULTILINE)


def write_configs(folder: Path) -> Path:
    """A folder for `--configs` with which training takes seconds."""
    (folder / "risks").mkdir(parents=True)
    (folder / "pipeline.yaml").write_text(_PIPELINE, encoding="utf-8")
    for risk in RISKS:
        packaged = ROOT / "configs" / "risks" / f"{risk}.yaml"
        text = quicker_risk(packaged.read_text(encoding="utf-8"))
        (folder / "risks" / packaged.name).write_text(text, encoding="utf-8")
    return folder


def with_bucket_rows(settings: Settings, rows: int) -> Settings:
    """The settings with buckets smaller than a configuration may ask for."""
    store = settings.pipeline.store.model_copy(update={"bucket_rows": rows})
    return settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update={"store": store})})


@dataclass(frozen=True)
class World:
    """A store and the configuration folder that it is used with."""

    path: Path
    configs: Path

    @property
    def store(self) -> Store:
        """The store, opened."""
        return Store.open(self.path)

    @property
    def settings(self) -> Settings:
        """The settings with the folder laid over them."""
        return load_settings(self.configs)

    def arguments(self, verb: str, *options: str | Path) -> list[str]:
        """A command line on this store."""
        given = [str(option) for option in options]
        return [*verb.split(), *given, "--store", str(self.path), "--configs", str(self.configs)]

    def run(self, verb: str, *options: str | Path) -> int:
        """Run a command line on this store in this process; its exit code."""
        return run(self.arguments(verb, *options))

    def score(self, day: date = NIGHT, *options: str) -> int:
        """Score a day; the exit code."""
        return self.run("score", "--date", day.isoformat(), *options)

    def copy(self, to: Path) -> World:
        """A copy of the store under `to`, with runs and models beside it."""
        shutil.copytree(self.path, to / "S")
        if self.path.with_name("S.mlflow").exists():
            shutil.copytree(self.path.with_name("S.mlflow"), to / "S.mlflow")
        return World(to / "S", self.configs)

    def newest(self, to: Path, first: date) -> World:
        """A copy of a store without models under `to` that knows nothing of the days before `first`."""
        world = self.copy(to)
        for table in (DayTable.DECLARATIONS, DayTable.INSPECTIONS):
            for day in world.store.days(table):
                if day < first:
                    shutil.rmtree(world.store.layout.partition(table, day))
        return world

    def results(self, *kinds: str) -> dict[str, bytes]:
        """What nights have left, file by file."""
        return dict(_files(self.path, kinds or RESULTS))

    def scores(self, day: date = NIGHT) -> pl.DataFrame:
        """The scores of a day."""
        return pl.read_parquet(self.path / f"scores/declared_on={day}/*.parquet", hive_partitioning=False)

    def listed(self, day: date = NIGHT) -> pl.DataFrame:
        """The sampling list of a day."""
        return pl.read_parquet(
            self.path / f"lists/declared_on={day}/sampling_list.parquet", hive_partitioning=False
        )


def _files(root: Path, kinds: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    for kind in kinds:
        if (root / kind).is_file():
            yield kind, (root / kind).read_bytes()
        for folder, _, names in os.walk(root / kind):
            for name in names:
                path = Path(folder, name)
                yield str(path.relative_to(root)), path.read_bytes()


def different(found: Mapping[str, bytes], expected: Mapping[str, bytes]) -> list[str]:
    """Names of files that only one side has, or that differ."""
    return sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))


def make_world(folder: Path) -> World:
    """A store with simulated days and many results: more are inspected than in the simulated world."""
    world = World(folder / "S", write_configs(folder / "configs"))
    settings = with_bucket_rows(world.settings, 150)
    simulate(
        world.path, days=DAYS, parcels_per_day=PARCELS_PER_DAY, end=END, seed=3, drift=False,
        settings=settings, progress=Progress.silent(),
    )  # fmt: skip
    take_in(world.path, results_of(world.path), settings=settings)
    return world


def results_of(store: Path) -> pl.DataFrame:
    """Results of every line with a risk and of some without; what was inspected anyway is left out."""
    truth = pl.read_parquet(store / "truth/*/*.parquet", hive_partitioning=True)
    inspected = pl.read_parquet(store / "inspections/*/*.parquet", hive_partitioning=False)
    chance = hash_text(truth["declaration_id"])
    risky = pl.col("undervaluation") | pl.col("prohibited_item") | pl.col("food_safety")
    return (
        truth.with_columns(chance.alias("chance"))
        .filter(risky | (pl.col("chance") % 8 == 0))
        .join(inspected, on="declaration_id", how="anti")
        .select(
            "declaration_id",
            "line_no",
            pl.col("declared_on").alias("inspected_on"),
            (pl.col("declared_on") + pl.duration(days=1 + pl.col("chance") % 3)).alias("reported_on"),
            pl.lit("referral").alias("selection"),
            "undervaluation",
            "prohibited_item",
            "food_safety",
        )
        .filter(pl.col("reported_on") <= END)
    )


@contextmanager
def without_server() -> Iterator[None]:
    """The environment without an MLflow server, for fixtures that are made before a test has its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield
