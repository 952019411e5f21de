"""Does a list with a random share, exploration and caps find more in the end than a sort by expected value?

    python -m benchmarks.selection [--seeds N] [--weeks W] [--parcels M] [--parallel P] [--work DIR]

`make bench-selection`. Each seed is a simulated world that changes in its last third (`simulate --drift`).
From the same eve on, `parcel-risk backtest` takes the strategies through the nights of many weeks: the whole
list as configured, the uncapped sort with no random share, and lists drawn by lot. All see the same world and
inspections with the same luck, so their differences are paired.

A killed run goes on in the work folder where it was. The figures of each world are kept beside the report, in
`benchmarks/results/selection/`, so that more seeds are added to those that are there, from any checkout.
`benchmarks/results/selection.md` is written anew after every seed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.judging.selection_report import report
from benchmarks.judging.world_run import write_figures
from benchmarks.shared.processes import commit, run_modules
from benchmarks.worlds import with_threads
from configs.loader import load_settings
from configs.schema.settings import Settings
from pipelines.backtest import STRATEGIES as BACKTEST_STRATEGIES
from pipelines.backtest import Plan, backtest
from pipelines.simulation import simulate
from pipelines.work.progress import Progress

WORK = Path(__file__).resolve().parent / "work" / "selection"
RESULT = Path(__file__).resolve().parent / "results" / "selection.md"
STRATEGIES = ("random", "model", "full")
FIRST_SEED = 7100
_DAYS_OF_A_WEEK = 7


@dataclass(frozen=True)
class Size:
    """How long and how busy each world is; the nights of `weeks` come after `before` days of history."""

    weeks: int = 26
    before: int = 90
    parcels_per_day: int = 1000
    retrain_every: int = 42
    end: date = date(2026, 11, 20)

    @property
    def days(self) -> int:
        """All days of a world."""
        return self.before + _DAYS_OF_A_WEEK * self.weeks

    @property
    def first(self) -> date:
        """The first night."""
        return self.end - timedelta(days=_DAYS_OF_A_WEEK * self.weeks - 1)

    @property
    def changes_on(self) -> date:
        """The day from which the world is another."""
        return self.end - timedelta(days=self.days // 3 - 1)

    def as_list(self) -> list[int]:
        """Weeks, days of history, parcels a day, days from training to training: as figures hold them."""
        return [self.weeks, self.before, self.parcels_per_day, self.retrain_every]


def run_seed(
    seed: int, size: Size, folder: Path, settings: Settings, strategies: Sequence[str] = STRATEGIES
) -> dict[str, Any]:
    """The figures of one world as JSON can hold them; what was done of it before is kept."""
    began = time.perf_counter()
    store = folder / "S"
    if not list(store.glob("manifests/simulate-*.json")):
        shutil.rmtree(store, ignore_errors=True)
        simulate(
            store,
            days=size.days,
            parcels_per_day=size.parcels_per_day,
            end=size.end,
            seed=seed,
            drift=True,
            settings=settings,
            progress=Progress.silent(),
        )
    done = backtest(
        store,
        plan=Plan(size.first, size.end, size.retrain_every),
        strategies=strategies,
        out=folder / "B",
        settings=with_seed(settings, seed),
        progress=Progress.silent(),
    )
    halves = pl.when(pl.col("week_from") < size.changes_on).then(pl.lit("before")).otherwise(pl.lit("after"))
    sums = pl.col("opened", "findings", "recovered_tax_cny", "value_cny").sum()
    by_half = done.weeks.group_by("strategy", halves.alias("half"), maintain_order=True).agg(sums)
    nights = pl.read_parquet(done.folder / "nights.parquet", glob=False, hive_partitioning=False)
    sorts = pl.col("^(full_)?sort_(opened|value_cny)$").sum()
    figures = {
        "seed": seed,
        "size": size.as_list(),
        "commit": commit(),
        "seconds": time.perf_counter() - began,
        "strategies": done.totals.to_dicts(),
        "selections": done.selections.to_dicts(),
        "halves": by_half.to_dicts(),
        "sorts": nights.group_by("strategy", maintain_order=True).agg(sorts).to_dicts(),
        "trainings": {name: len(found) for name, found in done.trainings.items()},
    }
    return figures


def with_seed(settings: Settings, seed: int) -> Settings:
    """The settings with another start of what is left to chance."""
    capacity = settings.capacity.model_copy(update={"seed": seed})
    return settings.model_copy(update={"capacity": capacity})


def run(
    seeds: Sequence[int],
    size: Size,
    work: Path,
    result: Path,
    settings: Settings,
    strategies: Sequence[str] = STRATEGIES,
) -> None:
    """Every seed that is not done yet; the report after each."""
    for seed in seeds:
        folder = work / f"world-{seed}"
        kept = kept_figures(result) / f"world-{seed}.json"
        for other in kept.parent.glob("world-*.json"):
            _alike(other, size, strategies)
        if not kept.exists():
            folder.mkdir(parents=True, exist_ok=True)
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_figures(run_seed(seed, size, folder, settings, strategies), kept)
            # The tables stay, what they were made from does not: worlds are large, and made again from their
            # seed.
            for name in ("S", "S.mlflow", "B/work"):
                shutil.rmtree(folder / name, ignore_errors=True)
        worlds = [_alike(path, size, strategies) for path in sorted(kept.parent.glob("world-*.json"))]
        print(f"seed {seed}: done", flush=True)
        result.write_text(report(worlds, size.changes_on), encoding="utf-8")


def kept_figures(result: Path) -> Path:
    """The folder with the figures of each world of a report."""
    return result.with_suffix("")


def _alike(kept: Path, size: Size, strategies: Sequence[str]) -> dict[str, Any]:
    """The figures of a world; SystemExit where they are of another size or of other strategies."""
    figures: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    names = [row["strategy"] for row in figures["strategies"]]
    if (figures["size"], names) != (size.as_list(), [*strategies]):
        raise SystemExit(
            f"{kept} holds {', '.join(names)} of {figures['size']} (weeks, days before, parcels, days from "
            f"training to training), not {', '.join(strategies)} of {size.as_list()}: give other --results"
        )
    return figures


def main() -> int:
    """Run what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="how many worlds")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, help="the seed of the first world")
    parser.add_argument("--weeks", type=int, default=Size.weeks, help="weeks of nights")
    parser.add_argument("--before", type=int, default=Size.before, help="days before the first night")
    parser.add_argument("--parcels", type=int, default=Size.parcels_per_day, help="parcels on an average day")
    parser.add_argument("--retrain-every", type=int, default=Size.retrain_every, help="days of a model")
    parser.add_argument(
        "--strategy", action="append", choices=list(BACKTEST_STRATEGIES), help="beside `model` and `full`"
    )
    parser.add_argument("--parallel", type=int, default=1, help="worlds at a time, which share the cores")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of all of them")
    parser.add_argument("--configs", type=Path, help="folder laid over the packaged settings")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of worlds")
    parser.add_argument("--results", type=Path, default=RESULT, help="where the report is written")
    given = parser.parse_args()
    size = Size(given.weeks, given.before, given.parcels, given.retrain_every)
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    wanted = {*given.strategy, "model", "full"} if given.strategy else {*STRATEGIES}
    strategies = [name for name in BACKTEST_STRATEGIES if name in wanted]
    work = given.work.resolve()
    if given.parallel > 1:
        threads = max(1, given.threads // given.parallel)
        shared = [
            *("--seeds=1", f"--threads={threads}", f"--work={work}", f"--results={given.results.resolve()}"),
            *(f"--weeks={size.weeks}", f"--before={size.before}", f"--parcels={size.parcels_per_day}"),
            *(f"--retrain-every={size.retrain_every}", *(f"--strategy={name}" for name in strategies)),
            *([f"--configs={given.configs.resolve()}"] if given.configs else []),
        ]
        calls = [["benchmarks.selection", f"--first-seed={seed}", *shared] for seed in seeds]
        run_modules(calls, parallel=given.parallel, threads=threads)
    settings = with_threads(load_settings(given.configs), given.threads)
    run(seeds, size, work, given.results, settings, strategies)
    print(f"see {given.results}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
