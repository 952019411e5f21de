"""Trains, evaluates, registers and promotes the models of the risks."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from configs.errors import DataError
from configs.schema import RiskConfig, Settings
from features.reasons import check_reasons
from models.errors import TooFewFindings
from models.evaluation import Evaluation
from models.gate import GateDecision, decide, unseen_predictions
from models.risk_model import RiskModel
from models.run_content import RunContent
from models.tracking import Tracker
from models.training import FittedRisk, fit_risk
from pipelines.chronicle import Chronicle
from pipelines.manifest import ManifestBuilder
from pipelines.profiles import stage_profile
from pipelines.progress import Progress
from pipelines.store import Store
from pipelines.training_data import TrainingData, training_data

logger = logging.getLogger(__name__)

_HEADLINE = ("average_precision", "auc", "precision_at_05", "precision_at_10", "recall_at_05", "recall_at_10")


@dataclass(frozen=True)
class RiskTrained:
    """What became of one risk: its version and figures, or why it was not trained."""

    risk: str
    version: int | None = None
    promoted: bool = False
    why: Sequence[str] = ()
    evaluation: Evaluation | None = None
    warnings: Sequence[str] = ()

    def lines(self) -> list[str]:
        """The risk's part of the report for people."""
        if self.version is None:
            return [f"{self.risk}: not trained: {'; '.join(self.why)}"]
        state = "in use from now on" if self.promoted else "registered, but not in use"
        said = [f"{self.risk}: version {self.version}, {state}"]
        said += [f"{self.risk}: {reason}" for reason in self.why]
        if self.evaluation is not None and self.evaluation.period is not None:
            first, last = self.evaluation.period
            said.append(
                f"{self.risk}: evaluated on {self.evaluation.lines.height:,} later lines "
                f"of {first} to {last} with {self.evaluation.findings:,} findings"
            )
            for part in ("all", "no_twin"):
                said += self._figures(part)
        return said + [f"{self.risk}: note: {warning}" for warning in self.warnings]

    def _figures(self, part: str) -> list[str]:
        assert self.evaluation is not None
        shown = []
        for name in _HEADLINE:
            figure = self.evaluation.figure(name, part=part)
            if figure.value == figure.value:
                words = name.replace("_at_", " at ").replace("_", " ") + ("%" if "_at_" in name else "")
                words = words.replace(" 0", " ")
                shown.append(f"{words} {figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]")
        where = "" if part == "all" else " on lines without a twin in the past"
        return [f"{self.risk}: {', '.join(shown)}{where}"] if shown else []

    def as_dict(self) -> dict[str, Any]:
        """The risk's part of the report for programs."""
        return {
            "version": self.version,
            "promoted": self.promoted,
            "reasons": list(self.why),
            "metrics": self.evaluation.as_metrics() if self.evaluation is not None else {},
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class TrainReport:
    """What became of each risk."""

    risks: Sequence[RiskTrained]
    until: date
    tracking: str
    notes: Sequence[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 where a model was trained; 3 where no risk had enough findings."""
        return 0 if any(risk.version is not None for risk in self.risks) else 3

    def lines(self) -> list[str]:
        """The report for people."""
        said = [f"trained on what was reported up to and including {self.until}"]
        for risk in self.risks:
            said += risk.lines()
        return [*said, f"runs and models: mlflow ui --backend-store-uri {self.tracking}"]

    def as_dict(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "until": self.until.isoformat(),
            "tracking_uri": self.tracking,
            "risks": {risk.risk: risk.as_dict() for risk in self.risks},
        }


def train(
    store: Path, *, risks: Sequence[str], until: date | None, settings: Settings, progress: Progress
) -> TrainReport:
    """Trains the named risks (all where none is named) on what was reported up to and including `until`.

    Without `until` everything in the store counts. A risk with too few findings is left out and named.

    Raises DataError where the store holds no results, TrackingError where MLflow cannot be reached.
    """
    opened = Store.open(store)
    chosen = settings.select_risks(risks)
    with opened.lock("train"):
        chronicle = Chronicle(opened, settings)
        days = chronicle.days()
        if not days:
            raise DataError(
                f"expected declarations and inspections in {store}, found none: use `parcel-risk ingest`"
            )
        last = until or days[-1]
        tracker = Tracker.for_store(opened.path)
        tracker.champions()  # an unreachable server is better told before the work than after it
        manifest = ManifestBuilder("train")
        with manifest.step("features"):
            data = training_data(chronicle, chosen, last, progress)
        done = []
        with progress.task("models", total=len(chosen)) as task:
            for risk in chosen:
                with manifest.step(risk.name):
                    done.append(_train_one(risk, data, settings, tracker))
                task.advance()
        manifest.add_rows(rows_in=data.lines, kept=data.lines)
        manifest.model_versions.update(
            {risk.risk: str(risk.version) for risk in done if risk.version is not None}
        )
        manifest.further["data_fingerprint"] = data.fingerprint
        with opened.transaction() as t:
            if data.history.as_of is not None and data.history.as_of not in opened.profile_days():
                stage_profile(t, opened, data.history, settings)
            opened.write_manifest(t, "train", last, manifest.as_dict())
    return TrainReport(done, last, tracker.uri)


def _train_one(risk: RiskConfig, data: TrainingData, settings: Settings, tracker: Tracker) -> RiskTrained:
    frame = data.frames[risk.name]
    if risk.label not in frame.columns or not frame[risk.label].count():
        return RiskTrained(risk.name, why=[f"no inspected line has a result in the column {risk.label}"])
    try:
        fitted = fit_risk(frame, risk, settings.pipeline.training, until=data.until)
    except TooFewFindings as error:
        return RiskTrained(risk.name, why=[str(error)])
    check_reasons(risk, _words(frame, fitted))
    earlier = next((champion for champion in tracker.champions() if champion.risk == risk.name), None)
    decision = decide(
        fitted.evaluation, _unseen_by(tracker, risk, frame), seed=settings.pipeline.training.seed
    )
    content = RunContent(
        tags={
            "data_fingerprint": data.fingerprint,
            "configuration_fingerprint": settings.fingerprint,
            "frame_fingerprint": hashlib.sha256(json.dumps(frame.columns).encode()).hexdigest(),
        },
        parameters={**risk.model, "rounds": fitted.model.metadata["rounds"], "until": data.until},
        texts={
            "configuration.yaml": json.dumps(
                {"risk": risk.model_dump(mode="json"), "pipeline": settings.pipeline.model_dump(mode="json")},
                indent=1,
            )
        },
    )
    logged = tracker.log_training(fitted, content, decision=decision)
    promoted, warnings = decision.passed or earlier is None, list(fitted.warnings)
    if promoted:
        tracker.promote(risk.name, logged.version, _why(decision, first=earlier is None))
    if earlier is None and not decision.passed:
        warnings.append(
            "this first model is in use although it failed its gate: look at its run before you rely on it"
        )
    return RiskTrained(risk.name, logged.version, promoted, decision.reasons, fitted.evaluation, warnings)


def _why(decision: GateDecision, *, first: bool) -> str:
    passed = "passed its gate" if decision.passed else "FAILED its gate"
    return ("the first model of the risk; " if first else "") + passed


def _unseen_by(tracker: Tracker, risk: RiskConfig, frame: pl.DataFrame) -> pl.DataFrame | None:
    """The champion's probabilities of lines that it was not trained on; None without a champion.

    These are what it predicted ahead of time when it was trained, and its predictions of the days after that.
    """
    champion = next((found for found in tracker.champions() if found.risk == risk.name), None)
    if champion is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        tracker.download_champion(risk.name, Path(scratch) / "model")
        model = RiskModel.load(Path(scratch) / "model")
        ahead = pl.read_parquet(tracker.out_of_time(champion, Path(scratch)))
    return unseen_predictions(model, ahead, frame)


def _words(frame: pl.DataFrame, fitted: FittedRisk) -> dict[str, pl.DataType]:
    """Columns that the words of a risk may name: features, and what the model adds."""
    added = fitted.model.model_columns(frame.head(1))
    return {**frame.schema, **added.schema}
