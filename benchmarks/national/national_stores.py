"""The stores behind a national day: one that the models learn from, and one with the month before the day.

Both are simulated from one seed, so that they share goods, names and offices; sellers and people are as many
as the volume asks for. Each is made once in a work folder and used again; a killed run makes it anew.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import mlflow

from benchmarks.shared.measured_process import run_measured
from models.tracking.registry import STORE_TAG

DAY = date(2026, 11, 20)
EVE = DAY - timedelta(days=1)
SEED = 20261120
OFFICES = 40
DONE = "done"
# Any key does: simulated buyers are pseudonyms already.
_KEY = "a benchmark, nobody is behind these hashes"


@dataclass(frozen=True)
class Setup:
    """What a night is measured on: the work folder, the sizes of the two stores, how the night runs.

    Attributes:
        work: folder for all that is made.
        trained_days: days of the store that the models learn from.
        trained_parcels: its parcels a day.
        month_parcels: parcels a day of the month before the day.
        workers: processes of the night.
        threads: threads of each.
        configs: folder for `--configs` with which the models are trained; None for the packaged settings.
        month_days: days of the month.
        remark: what is said beside the figures.
    """

    work: Path
    trained_days: int = 70
    trained_parcels: int = 3000
    month_parcels: int = 20_000
    workers: int = 2
    threads: int = 1
    configs: Path | None = None
    month_days: int = 30
    remark: str = ""

    @property
    def cores(self) -> int:
        """Threads in all: what the plain trees get too."""
        return self.workers * self.threads

    @property
    def trained(self) -> Path:
        """The store that the models learn from."""
        return self.work / f"trained-{self.trained_days}x{self.trained_parcels}" / "S"

    @property
    def month(self) -> Path:
        """The store with the month before the day."""
        return self.work / f"month-{self.month_days}x{self.month_parcels}" / "S"

    @property
    def log(self) -> Path:
        """What the verbs said."""
        return self.work / "verbs.log"

    def environment(self, *, training: bool = False) -> dict[str, str]:
        """Variables under which every process runs: no more threads than the night has, and the models of the
        trained store, unless it is being made.
        """
        few = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        variables = {
            **dict.fromkeys(few, str(self.cores)),
            "OMP_WAIT_POLICY": "PASSIVE",
            "PARCEL_RISK_PSEUDONYM_KEY": _KEY,
        }
        if not training:
            variables["MLFLOW_TRACKING_URI"] = f"sqlite:///{self.trained}.mlflow/mlflow.db"
        return variables

    def command(self, verb: str, store: Path, *options: str | Path, configs: Path | None = None) -> list[str]:
        """The command line of a verb on a store."""
        overlay = configs or self.configs
        given = [verb, *(str(option) for option in options), "--store", str(store), "--quiet"]
        given += ["--configs", str(overlay)] if overlay else []
        return [sys.executable, "-m", "pipelines.cli.main", *given]


def prepare_stores(setup: Setup) -> None:
    """Make the two stores that are not there yet."""
    setup.work.mkdir(parents=True, exist_ok=True)
    learn = [
        setup.command("simulate", setup.trained, *_simulated(setup.trained_days, setup.trained_parcels)),
        setup.command("train", setup.trained),
    ]
    _make(setup, setup.trained, setup.environment(training=True), learn)
    leave_models(setup)
    _make(setup, setup.month, setup.environment(), month_commands(setup))


def leave_models(setup: Setup) -> None:
    """Leave the models of the trained store to whichever store scores with them."""
    client = mlflow.MlflowClient(setup.environment()["MLFLOW_TRACKING_URI"])
    for registered in client.search_registered_models():
        if STORE_TAG in registered.tags:
            client.delete_registered_model_tag(registered.name, STORE_TAG)


def month_commands(setup: Setup) -> list[list[str]]:
    """What makes the month: it is closed by the night of its last day."""
    return [
        setup.command("simulate", setup.month, *_simulated(setup.month_days, setup.month_parcels)),
        setup.command("score", setup.month, "--date", str(EVE), *night_options(setup)),
    ]


def night_options(setup: Setup) -> list[str]:
    """How the nightly job uses the machine."""
    return ["--workers", str(setup.workers), "--threads", str(setup.threads)]


def store_of_the_night(setup: Setup, store: Path) -> None:
    """Make `store` anew: the month's, so that a night changes nothing of it."""
    shutil.rmtree(store, ignore_errors=True)
    # Files are replaced, never changed, so links do; what is written in place stays behind.
    shutil.copytree(setup.month, store, copy_function=os.link, ignore=shutil.ignore_patterns(".*"))


def capacity_overlay(setup: Setup, folder: Path, parcels: int) -> Path:
    """A folder for `--configs` with lists of `parcels` in all, shared by the offices alike."""
    shutil.rmtree(folder, ignore_errors=True)
    if setup.configs is None:
        folder.mkdir(parents=True)
    else:
        shutil.copytree(setup.configs, folder)
    each = max(parcels // OFFICES, 1)
    (folder / "capacity.yaml").write_text(f"default: {{parcels: {each}}}\n", encoding="utf-8")
    return folder


def _simulated(days: int, parcels: int) -> list[str]:
    return ["--days", str(days), "--parcels-per-day", str(parcels), "--end", str(EVE), "--seed", str(SEED)]


def _make(
    setup: Setup, store: Path, environment: Mapping[str, str], commands: Sequence[Sequence[str]]
) -> None:
    if (store.parent / DONE).exists():
        return
    shutil.rmtree(store.parent, ignore_errors=True)
    store.parent.mkdir(parents=True)
    for command in commands:
        print(f"{store.parent.name}: {command[3]}", flush=True)
        measured = run_measured(command, environment, setup.log)
        print(f"{store.parent.name}: {command[3]}: {measured.seconds:.0f} s", flush=True)
    (store.parent / DONE).touch()
