"""The verb `train`: replays the store and fits, judges, logs and promotes the model of each risk."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from configs.errors import TrackingError
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from models.judging.gate_checks import comparing_metric
from models.stats.metrics import metrics_of
from models.tracking.tracker import Tracker
from pipelines.history.chronicle import Chronicle
from pipelines.history.inspected import save_inspected, stage_inspected
from pipelines.history.profiles import stage_profile
from pipelines.history.source_keys import found_extra_keys, remember_extra_keys, with_source_keys
from pipelines.store.day_table import DayTable
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.training.fitted import FittedOnDisk
from pipelines.training.frames import TrainingData, known_until, training_data
from pipelines.training.report import RiskTrained, TrainReport
from pipelines.training.snapshot import CHAMPIONS, INSPECTED, freeze, only_training, paths_of, still_holds
from pipelines.training.train_risk import CopiedChampion, train_risk
from pipelines.work.progress import Progress

__all__ = ["RiskTrained", "TrainReport", "train"]

logger = logging.getLogger(__name__)


def train(
    store: Path, *, risks: Sequence[str], until: date | None, settings: Settings, progress: Progress
) -> TrainReport:
    """Train the named risks (all where none is named) on what was reported up to and including `until`.

    Without `until` everything in the store counts. A risk with too few findings is left out and named. The
    store is locked only while its files are noted and at the end, so that a night can run meanwhile. A model
    that MLflow does not take is kept, and the same command registers it later.

    Raises:
        DataError: the store holds no results.
        TrackingError: MLflow cannot be reached, or does not let this account write.
        ConfigurationError: a metric of the configuration cannot be used, or models are another store's.
        StoreLockedError: another run works on the store, or another training is going on.
    """
    opened = Store.open(store)
    chosen = settings.select_risks(risks)
    # What would end the work is better told before it than after it.
    comparing_metric(settings.pipeline.gate, metrics_of(settings.pipeline.training))
    with ExitStack() as training:
        reading = training.enter_context(ExitStack())
        reading.enter_context(opened.lock("train", brief=True))
        folder = training.enter_context(only_training(opened))
        tracker = Tracker.in_folder(opened.layout.mlflow, opened.identity())
        extra = found_extra_keys(opened, settings, until)
        remember_extra_keys(opened, extra)
        settings = with_source_keys(settings, extra)
        frozen = freeze(opened, folder)
        if frozen is not None:
            reading.close()
        source = frozen or opened
        manifest = ManifestBuilder("train")
        with paths_of(opened, source):
            chronicle = Chronicle(source, settings)
            last = known_until(chronicle, until)
            champions = _prepared(tracker, chosen, folder)
            with manifest.step("features"):
                data = training_data(chronicle, chosen, last, progress)
                inspected = _missing_inspected(chronicle, opened, last, folder / INSPECTED)
        reading.close()
        work = _Work(data, settings, champions, folder)
        done = work.models(chosen, tracker, manifest, progress)
        with opened.lock("train", patient=True):
            unchanged = frozen is not None and still_holds(opened, frozen, last)
            _enter(opened, data, chronicle, manifest, done, closed=inspected if unchanged else None)
    return TrainReport(list(done.values()), last, tracker.shown)


def _missing_inspected(chronicle: Chronicle, into: Store, until: date, folder: Path) -> dict[date, Path]:
    """Writes into `folder` what was reported on the days up to `until` of which `into` does not keep it yet;
    returns the file of each.
    """
    days = {day for day in chronicle.store.inspection_days() if day <= until}
    lacking = sorted(days - set(into.days(DayTable.INSPECTED)))
    if not lacking:
        return {}
    inspections = chronicle.store.read_inspections(lacking[0], lacking[-1])
    reported = chronicle.with_attributes(inspections, lacking[-1])
    folder.mkdir(exist_ok=True)
    files = {day: folder / f"{day}.parquet" for day in lacking}
    for day, file in files.items():
        save_inspected(file, into, reported, day)
    return files


def _prepared(tracker: Tracker, chosen: Sequence[RiskConfig], folder: Path) -> dict[str, CopiedChampion]:
    """The champions to compare with, once everything may be written that will be."""
    names = [risk.name for risk in chosen]
    tracker.prepare(names)
    copies = folder / CHAMPIONS
    shutil.rmtree(copies, ignore_errors=True)
    return {
        champion.risk: CopiedChampion.copy(tracker, champion, copies)
        for champion in tracker.champions(names)
        if champion.risk in names
    }


@dataclass(frozen=True)
class _Work:
    """What the risks of a training have in common."""

    data: TrainingData
    settings: Settings
    champions: Mapping[str, CopiedChampion]
    folder: Path

    def models(
        self, chosen: Sequence[RiskConfig], tracker: Tracker, manifest: ManifestBuilder, progress: Progress
    ) -> dict[str, RiskTrained]:
        """Fit and register each risk; one that the registry does not take keeps the others from nothing."""
        done: dict[str, RiskTrained] = {}
        waiting: list[FittedOnDisk] = []
        with progress.task("models", total=len(chosen)) as task:
            for risk in chosen:
                with manifest.step(risk.name):
                    folder = self.folder / risk.name
                    fitted = train_risk(risk, self.data, self.settings, self.champions.get(risk.name), folder)
                    if isinstance(fitted, RiskTrained):
                        done[risk.name] = fitted
                    else:
                        waiting = [one for one in (*waiting, fitted) if not _registered(one, tracker, done)]
                task.advance()
        return {risk.name: done[risk.name] for risk in chosen}


def _registered(fitted: FittedOnDisk, tracker: Tracker, done: dict[str, RiskTrained]) -> bool:
    """Whether the registry took a model; what became of it is noted."""
    risk = fitted.packed.risk
    try:
        done[risk] = fitted.register(tracker)
    except TrackingError as error:
        why = (
            f"fitted but not registered: {error} The model is kept in {fitted.folder}: the same command "
            "registers it, and fits nothing again"
        )
        logger.warning("%s: %s", risk, why)
        done[risk] = RiskTrained(risk, why=[why], evaluation=fitted.evaluation, kept=True)
        return False
    return True


def _enter(
    store: Store, data: TrainingData, chronicle: Chronicle, manifest: ManifestBuilder,
    done: Mapping[str, RiskTrained], *, closed: Mapping[date, Path] | None,
) -> None:  # fmt: skip
    """Enter the manifest and, if the days have not changed since, the history of the last day and what was
    reported by then, a file a day in `closed`; None where they have changed.
    """
    manifest.add_rows(rows_in=data.lines, kept=data.lines)
    manifest.model_versions.update(
        {risk.risk: str(risk.version) for risk in done.values() if risk.version is not None}
    )
    manifest.further["data_fingerprint"] = data.fingerprint
    with store.transaction() as t:
        as_of = data.history.as_of
        if closed is not None and as_of is not None and as_of not in store.days(DayTable.PROFILES):
            stage_profile(t, store, data.history, chronicle.spec)
        for day, file in (closed or {}).items():
            stage_inspected(t, store, day, file)
        store.write_manifest(t, "train", data.until, manifest.as_dict())
