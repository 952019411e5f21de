"""A night of this program and of the released one: CPU seconds of the same days in one run, part by part.

    python -m benchmarks.decisions.night_cost [--work DIR] [--parcels N] [--turns N] [--this DIR]

Both learn from the same simulated store with their own settings. Then they score a night of a larger one in
turns, each time in a copy whose eve is closed, in one process with one thread; the ratio is that of a turn,
so that what else the machine does touches it little. CPU seconds are those that the system booked on the
process and its children, start and end included. Parts are measured in turns of their own. Stores and models
stay in the work folder for the next run: remove `this` in it after a change of what is learned.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import mlflow

from benchmarks.judging.released import THIS_PROGRAM, released_program
from benchmarks.shared.measured_process import run_measured
from models.tracking.registry import STORE_TAG

NIGHTS = (date(2026, 11, 19),)
SEED = 20261120
_DAYS, _LEARNED_DAYS, _LEARNED_PARCELS = 3, 60, 3000
_WORK = THIS_PROGRAM / "benchmarks/work/night_cost"
_FEW = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_KEY = "a benchmark, nobody is behind these hashes"
_PARTS = Path(__file__).with_name("night_parts.py")


@dataclass(frozen=True)
class Night:
    """Lines of a night, its CPU and wall seconds, and CPU seconds by step or part."""

    lines: int
    cpu: float
    wall: float
    parts: dict[str, float]


@dataclass(frozen=True)
class Program:
    """A program in the folder `code`, and what it makes in the folder `made`."""

    name: str
    code: Path
    made: Path

    @property
    def models(self) -> str:
        """Where its models are registered."""
        return f"sqlite:///{self.made}/mlflow.db"

    def verb(
        self, verb: str, store: Path, *options: object, parts: Path | None = None
    ) -> tuple[float, float]:
        """Run a verb; CPU and wall seconds."""
        environment = {
            **dict.fromkeys(_FEW, "1"),
            "OMP_WAIT_POLICY": "PASSIVE",
            "PYTHONPATH": str(self.code),
            "PARCEL_RISK_PSEUDONYM_KEY": _KEY,
            "MLFLOW_TRACKING_URI": self.models,
        }
        run = ["-m", "pipelines.cli.main"] if parts is None else ["-P", str(_PARTS), str(parts)]
        command = [sys.executable, *run, verb, "--store", str(store), "--quiet", *map(str, options)]
        measured = run_measured(command, environment, self.made / "verbs.log", folder=self.code)
        return measured.cpu_seconds, measured.seconds

    def prepare(self, learned: Path, days: Path) -> None:
        """Learn, and close the days before the nights."""
        if not (self.made / "trained").exists():
            print(f"{self.name}: training", flush=True)
            shutil.rmtree(self.made, ignore_errors=True)
            _copy(learned, self.made / "learned")
            self.verb("train", self.made / "learned")
            client = mlflow.MlflowClient(self.models)
            for registered in client.search_registered_models():
                # The models belong to whichever store scores with them.
                client.delete_registered_model_tag(registered.name, STORE_TAG)
            (self.made / "trained").touch()
        if not self._closed(days).exists():
            print(f"{self.name}: the days before", flush=True)
            beside = self._closed(days).with_name("closing")
            _copy(days, beside)
            self.verb("score", beside, "--date", NIGHTS[0] - timedelta(days=1))
            beside.rename(self._closed(days))

    def _closed(self, days: Path) -> Path:
        return self.made / days.name

    def nights(self, days: Path, *, by_part: bool = False) -> list[Night]:
        """Score the nights in a copy of the store with these days.

        Seconds are by step of the manifest, or by part of the scores.
        """
        store, parts, done = self.made / "night", self.made / "parts.json", []
        _copy(self._closed(days), store)
        for night in NIGHTS:
            options = ("--date", night, "--workers", 1, "--threads", 1)
            cpu, wall = self.verb("score", store, *options, parts=parts if by_part else None)
            newest = max((store / "manifests").glob("score-*"), key=lambda path: path.stat().st_mtime)
            manifest = json.loads(newest.read_text(encoding="utf-8"))
            of_step = json.loads(parts.read_text()) if by_part else dict(manifest["cpu_seconds"])
            rest = "all but these parts" if by_part else "start, checks, commit"
            of_step[rest] = cpu - sum(of_step.values())
            done.append(Night(manifest["rows_scored"], cpu, wall, of_step))
        return done


def _copy(store: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    # Files are replaced, never changed, so links do; what is written in place stays behind.
    shutil.copytree(store, place, copy_function=os.link, ignore=shutil.ignore_patterns(".*"))


def _simulated(program: Program, folder: Path, days: int, parcels: int, end: date) -> Path:
    place = folder / f"{days}x{parcels}"
    if not place.exists():
        print(f"simulating {days} days of {parcels:,} parcels", flush=True)
        beside = place.with_name(f"{place.name}.{os.getpid()}")
        program.made.mkdir(parents=True, exist_ok=True)
        sizes = ("--days", days, "--parcels-per-day", parcels)
        program.verb("simulate", beside, *sizes, "--end", end, "--seed", SEED)
        beside.rename(place)
    return place


def _table(title: str, before: list[Night], now: list[Night]) -> str:
    """CPU microseconds a line by step or part, the median of all nights of each program."""
    rows = [f"| {title} | released | this | more |", "|---|---|---|---|"]
    names = dict.fromkeys(name for nights in (now, before) for night in nights for name in night.parts)
    for name in (*names, "whole"):
        middle = [
            statistics.median(
                (night.cpu if name == "whole" else night.parts.get(name, 0.0)) / night.lines * 1e6
                for night in nights
            )
            for nights in (before, now)
        ]
        rows.append(f"| {name} | {middle[0]:.2f} | {middle[1]:.2f} | {middle[1] - middle[0]:+.2f} |")
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, default=_WORK, help="folder for stores and models")
    parser.add_argument("--parcels", type=int, default=250_000, help="of a night")
    parser.add_argument("--turns", type=int, default=3, help="how often each program scores the nights")
    parser.add_argument("--parts", type=int, default=1, help="further turns by part of the scores")
    parser.add_argument("--this", type=Path, default=THIS_PROGRAM, help="the checkout that is measured")
    given = parser.parse_args()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    programs = [
        Program("released", released_program(work), work / "released"),
        Program("this", given.this.resolve(), work / "this"),
    ]
    simulator = Program("simulator", THIS_PROGRAM, work / "simulator")
    learned = _simulated(simulator, work, _LEARNED_DAYS, _LEARNED_PARCELS, NIGHTS[0])
    days = _simulated(simulator, work, _DAYS, given.parcels, NIGHTS[-1])
    for program in programs:
        program.prepare(learned, days)
    measured: dict[bool, list[list[Night]]] = {False: [[], []], True: [[], []]}
    ratios: list[float] = []
    for turn in range(given.turns + given.parts):
        by_part = turn >= given.turns
        both = [program.nights(days, by_part=by_part) for program in programs]
        for kept, nights in zip(measured[by_part], both, strict=True):
            kept += nights
        if not by_part:
            ratios += [now.cpu / before.cpu for before, now in zip(*both, strict=True)]
            print(" ".join(f"{ratio:.3f}" for ratio in ratios[-len(NIGHTS) :]), flush=True)
    for program, nights in zip(programs, measured[False], strict=True):
        cpu, wall = (statistics.median(getattr(night, name) for night in nights) for name in ("cpu", "wall"))
        lines = " and ".join(f"{night.lines:,}" for night in nights[: len(NIGHTS)])
        print(f"{program.name}: {lines} lines, {cpu:.1f} CPU seconds a night, {wall:.1f} s on the clock")
    print(f"ratio {statistics.median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}\n")
    print(_table("CPU µs a line by step", *measured[False]), "\n")
    if given.parts:
        print(_table("by part of the scores", *measured[True]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
