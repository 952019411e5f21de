"""All of it on simulated data: simulate, train, promote, score nights, count what their lists would find."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from configs.errors import DataError
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from models.tracking.addresses import URI_VARIABLE
from pipelines.demo.folder import CAPACITY, DemoFolder, demo_settings, fresh_folder
from pipelines.demo.list_outcome import ListsOutcome, list_outcome
from pipelines.demo.report import DemoReport
from pipelines.demo.sample import top_of_list
from pipelines.demo.true_parcels import true_parcels
from pipelines.night.score import score
from pipelines.simulation import WorldParameters, simulate
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from pipelines.training.train import TrainReport, train
from pipelines.work.progress import Progress

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DemoPlan:
    """How large the demo is.

    The last `nights` of `days` are scored one after the other by models that were trained on what was
    reported up to the eve of the first of them. Offices open more parcels than the simulator has them open by
    default, so that a few weeks have the findings that months would have; `capacity_share` and
    `capacity_minimum` say how many parcels an office of so small a world can take from a list.
    """

    end: date = date(2026, 11, 18)
    days: int = 80
    parcels_per_day: int = 3_000
    nights: int = 7
    seed: int = 7
    inspection_share: float = 0.07
    random_share: float = 0.02
    capacity_share: float = 0.04
    capacity_minimum: int = 5

    @property
    def first_night(self) -> date:
        """The first day that is scored."""
        return self.end - timedelta(days=self.nights - 1)

    @property
    def world(self) -> WorldParameters:
        """The parameters of the simulated world."""
        return replace(
            WorldParameters.for_volume(self.parcels_per_day),
            inspection_share=self.inspection_share,
            random_share=self.random_share,
        )


@dataclass
class _Stopwatch:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, message: str) -> Iterator[None]:
        logger.info("%s", message)
        began = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - began


def demo(
    directory: Path, *, settings: Settings, progress: Progress, plan: DemoPlan | None = None
) -> DemoReport:
    """Simulate, train, score and evaluate inside `directory`, which is made or emptied first.

    Nothing outside of the folder is read or written: a tracking server that MLFLOW_TRACKING_URI names would
    get models of an invented world as champions, so the demo keeps its own.

    Raises:
        UsageError: the folder holds things that no demo made.
        StoreLockedError: another run works in it.
        DataError: the configuration lets no risk be trained.
    """
    plan = plan or DemoPlan()
    watch = _Stopwatch()
    eve = plan.first_night - timedelta(days=1)
    with fresh_folder(directory) as folder, _own_tracking(), progress.task("demo", total=4) as steps:
        settings = demo_settings(folder, settings, capacity=_capacity(plan, folder))
        with watch.step("simulate", f"1 of 4: simulating {plan.days} days to {plan.end}"):
            simulated = simulate(
                folder.store,
                days=plan.days,
                parcels_per_day=plan.parcels_per_day,
                end=plan.end,
                seed=plan.seed,
                drift=False,
                settings=settings,
                progress=progress,
                parameters=plan.world,
            )
        steps.advance()
        with watch.step("train", f"2 of 4: training on what was reported up to {eve}"):
            trained = train(folder.store, risks=[], until=eve, settings=settings, progress=progress)
            _refuse_untrained(trained)
        steps.advance()
        with watch.step("score", f"3 of 4: scoring the nights {plan.first_night} to {plan.end}"):
            scored = score(
                folder.store,
                first=plan.first_night,
                last=plan.end,
                workers=None,
                threads=None,
                scheduler=None,
                settings=settings,
                progress=progress,
            )
        steps.advance()
        with watch.step("evaluate", "4 of 4: opening every listed parcel in the truth"):
            store = Store.open(folder.store)
            nights = [night.day for night in scored.days]
            parcels = pl.concat([true_parcels(store, night) for night in nights])
            outcome = _outcome(store, nights, parcels, settings.risks)
            sample = top_of_list(store, nights[-1], parcels, settings.risks)
        steps.advance()
    return DemoReport(folder, simulated, trained, scored, outcome, sample, watch.seconds)


def _refuse_untrained(trained: TrainReport) -> None:
    if trained.exit_code:
        why = "; ".join(line for risk in trained.risks for line in risk.lines())
        raise DataError(
            f"expected a model of at least one risk from the simulated inspections, got none: {why}"
        )


def _capacity(plan: DemoPlan, folder: DemoFolder) -> str:
    return CAPACITY.format(
        store=folder.store,
        configs=folder.configs,
        day=plan.end,
        share=plan.capacity_share,
        minimum=plan.capacity_minimum,
    )


@contextmanager
def _own_tracking() -> Iterator[None]:
    """While the block runs, models are kept beside the store, whatever the environment says."""
    elsewhere = os.environ.pop(URI_VARIABLE, None)
    if elsewhere is not None:
        logger.info("%s is set, but the demo keeps its models in its own folder", URI_VARIABLE)
    try:
        yield
    finally:
        if elsewhere is not None:
            os.environ[URI_VARIABLE] = elsewhere


def _outcome(
    store: Store, nights: list[date], parcels: pl.DataFrame, risks: Mapping[str, RiskConfig]
) -> ListsOutcome:
    """What the lists of the nights would have found; risks that the simulator does not know are left out."""
    files = {night: store.layout.file(DayTable.LISTS, night) for night in nights}
    lists = pl.concat(
        pl.read_parquet(file, hive_partitioning=False).with_columns(pl.lit(night).alias("declared_on"))
        for night, file in files.items()
    )
    labels = {name: risk.label for name, risk in risks.items() if risk.label in parcels.columns}
    return list_outcome(parcels, lists, labels)
