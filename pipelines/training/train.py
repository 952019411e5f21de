"""The verb `train`: replays the store and fits, judges, logs and promotes the model of each risk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from configs.schema.settings import Settings
from models.judging.gate_checks import comparing_metric
from models.stats.metrics import metrics_of
from models.tracking.tracker import Tracker
from pipelines.history.chronicle import Chronicle
from pipelines.history.profiles import stage_profile
from pipelines.store.layout import DayTable
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.training.frames import known_until, training_data
from pipelines.training.report import RiskTrained, TrainReport
from pipelines.training.train_risk import train_risk
from pipelines.work.progress import Progress

__all__ = ["RiskTrained", "TrainReport", "train"]


def train(
    store: Path, *, risks: Sequence[str], until: date | None, settings: Settings, progress: Progress
) -> TrainReport:
    """Train the named risks (all where none is named) on what was reported up to and including `until`.

    Without `until` everything in the store counts. A risk with too few findings is left out and named.

    Raises:
        DataError: the store holds no results.
        TrackingError: MLflow cannot be reached.
        ConfigurationError: a metric of the configuration cannot be used.
    """
    opened = Store.open(store)
    chosen = settings.select_risks(risks)
    # A metric that cannot be used is better told before the work than after it.
    comparing_metric(settings.pipeline.gate, metrics_of(settings.pipeline.training))
    with opened.lock("train"):
        chronicle = Chronicle(opened, settings)
        last = known_until(chronicle, until)
        tracker = Tracker.in_folder(opened.layout.mlflow)
        tracker.champions()  # an unreachable server is better told before the work than after it
        manifest = ManifestBuilder("train")
        with manifest.step("features"):
            data = training_data(chronicle, chosen, last, progress)
        done = []
        with progress.task("models", total=len(chosen)) as task:
            for risk in chosen:
                with manifest.step(risk.name):
                    done.append(train_risk(risk, data, settings, tracker))
                task.advance()
        manifest.add_rows(rows_in=data.lines, kept=data.lines)
        manifest.model_versions.update(
            {risk.risk: str(risk.version) for risk in done if risk.version is not None}
        )
        manifest.further["data_fingerprint"] = data.fingerprint
        with opened.transaction() as t:
            if data.history.as_of is not None and data.history.as_of not in opened.days(DayTable.PROFILES):
                stage_profile(t, opened, data.history, chronicle.spec)
            opened.write_manifest(t, "train", last, manifest.as_dict())
    return TrainReport(done, last, tracker.shown)
