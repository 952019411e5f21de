"""How a night scales: its serial part, its tasks, and the law that they give, beside what 2 workers take.

    python -m benchmarks.scaling [--store S --date D [--configs DIR]] [--parcels N]

Scores one day and half of its buckets in one process, each task timed; then the day with two processes, and
on a Dask cluster on this machine with one and two workers. Every run has a process and a copy of the store of
its own. Without a store a small one is simulated and trained. Writes benchmarks/results/scaling.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from benchmarks.scale.scaling_law import Law, Measured
from benchmarks.scale.scaling_report import write_report
from pipelines.store.layout import bucket_name

ROOT = Path(__file__).resolve().parents[1]
END = date(2026, 11, 20)
_DAYS = 22
_PORT = 28786


@dataclass(frozen=True)
class Night:
    """A day of a store to be scored, and with what."""

    store: Path
    day: date
    configs: Path | None


def main() -> None:
    """Measure, print the law, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--store", type=Path, help="A store with models in use whose eve is closed; it stays as it is."
    )
    parser.add_argument(
        "--date", type=date.fromisoformat, default=END, help="A day of it. [default: %(default)s]"
    )
    parser.add_argument("--configs", type=Path, help="The configuration that its models were trained with.")
    parser.add_argument(
        "--parcels", type=int, default=3_000, help="Of a simulated day. [default: %(default)s]"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scaling-", dir=given.store and given.store.parent) as scratch:
        work = Path(scratch)
        if given.store is None:
            night = simulated(work / "made", given.parcels)
        else:
            night = Night(given.store.absolute(), given.date, given.configs and given.configs.absolute())
        half = measure(night, work, "half", half=True)
        whole = measure(night, work, "whole")
        pool = measure(night, work, "two-processes", workers=2)
        clusters = []
        for workers in (1, 2):
            with local_cluster(workers) as address:
                clusters.append(
                    measure(night, work, f"cluster-{workers}", workers=workers, scheduler=address)
                )
    law = Law.of(half, whole)
    write_report(ROOT / "benchmarks/results/scaling.md", law, half, whole, pool, clusters)


def simulated(folder: Path, parcels: int) -> Night:
    """A small store with models, in small buckets."""
    store, configs, eve = folder / "S", folder / "configs", END - timedelta(days=1)
    configs.mkdir(parents=True)
    (configs / "pipeline.yaml").write_text("store: {bucket_rows: 1000}\n", encoding="utf-8")

    def call(verb: str, *options: object) -> None:
        shared = ("--store", store, "--configs", configs, "--quiet")
        command = [sys.executable, "-m", "pipelines.cli.main", verb, *map(str, (*options, *shared))]
        subprocess.run(command, cwd=ROOT, check=True)

    call("simulate", "--days", _DAYS, "--parcels-per-day", parcels, "--end", END, "--seed", 11)
    call("train", "--until", eve)
    # The history is closed and the models are fetched, as in any store in use.
    call("score", "--date", eve)
    return Night(store, END, configs)


def measure(
    night: Night,
    work: Path,
    name: str,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    half: bool = False,
) -> Measured:
    """One night in a process of its own, on a copy of the store."""
    store = work / name / night.store.name
    copy_store(night, store)
    if half:
        keep_half(store, night.day)
    asked = {
        "store": str(store),
        "day": night.day.isoformat(),
        "configs": None if night.configs is None else str(night.configs),
        "workers": workers,
        "scheduler": scheduler,
    }
    command = [sys.executable, "-m", "benchmarks.scale.scaling_night", json.dumps(asked)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, check=True)
    shutil.rmtree(work / name)
    measured = Measured(**json.loads(done.stdout.splitlines()[-1]), name=name)
    print(f"{name}: {measured.lines:,} lines in {measured.seconds:.1f} s", flush=True)
    return measured


def copy_store(night: Night, to: Path) -> None:
    """The store without what a night of the day left; files are linked."""
    left = [f"{kind}/declared_on={night.day}" for kind in ("scores", "values", "lists", "strata")]
    left += [f"profiles/as_of={night.day}", ".runs", ".work", ".lock", "truth"]
    gone = {str(night.store / name) for name in left}

    def unwanted(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if str(Path(folder, name)) in gone]

    shutil.copytree(night.store, to, ignore=unwanted, copy_function=os.link)
    models = night.store.with_name(f"{night.store.name}.mlflow")
    if models.exists():
        # Read only, but SQLite keeps files beside its own.
        shutil.copytree(models, to.with_name(models.name))


def keep_half(store: Path, day: date) -> None:
    """Leave the first half of a day's buckets."""
    files = sorted((store / f"declarations/declared_on={day}").glob("bucket-*.parquet"))
    if len(files) < 2:
        raise SystemExit(f"expected a day of several buckets, {day} has one: make store.bucket_rows smaller")
    left = len(files) // 2
    for number, file in enumerate(files):
        if number < left:
            file.rename(file.with_name(bucket_name(number, left)))
        else:
            file.unlink()
    # They are of the whole day; without them the lines are counted in the files.
    (store / f".checks/declared_on={day}.json").unlink(missing_ok=True)


def environment() -> dict[str, str]:
    """One thread a process, so that a task takes as long beside others as alone."""
    few = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    return {**os.environ, **few, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": str(ROOT)}


@contextmanager
def local_cluster(workers: int) -> Iterator[str]:
    """A scheduler and workers on this machine, each a process; ended at the end."""
    address = f"tcp://127.0.0.1:{_PORT}"
    with ExitStack() as running:
        running.enter_context(start("scheduler", "--host", "127.0.0.1", "--port", str(_PORT)))
        for _ in range(workers):
            running.enter_context(start("worker", address, "--nthreads", "1", "--no-nanny"))
        yield address


@contextmanager
def start(*command: str) -> Iterator[None]:
    """A Dask process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *command, "--no-dashboard"],
        cwd=ROOT,
        env=environment(),
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
