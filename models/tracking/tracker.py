"""Runs, models and champions in MLflow.

With `models.tracking.pyfunc` this is the only place that knows MLflow. It imports MLflow when it is first
needed, asks a server whether it is there before MLflow retries for minutes, and turns what goes wrong into a
TrackingError in plain words.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from configs.errors import TrackingError
from models.judging.gate import GateDecision
from models.risk.risk_model import RiskModel
from models.tracking.lineage import code_version, copy_code, requirements
from models.tracking.registry import Champion, ModelRegistry, model_name
from models.tracking.run_content import KIND_TAG, PARENT_TAG, TAG_CHARACTERS, LoggedRun, RunContent
from models.tracking.server import ENVIRONMENT, URI_VARIABLE, TrackingServer

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from models.fitting.training import FittedRisk

EXPERIMENT = "parcel-risk"
TRAINING = "training"


@dataclass(frozen=True)
class LoggedModel:
    """A training in MLflow: its run and the version that was registered."""

    risk: str
    run_id: str
    version: int


class Tracker:
    """Logs runs and trainings, registers models, and keeps the champions.

    Every method raises TrackingError where MLflow cannot be reached or refuses.
    """

    def __init__(self, uri: str, artifacts: Path | None = None) -> None:
        self._server = TrackingServer(uri, artifacts)

    @property
    def uri(self) -> str:
        """The address of MLflow."""
        return self._server.uri

    @classmethod
    def in_folder(cls, folder: Path) -> Tracker:
        """MLflow where `MLFLOW_TRACKING_URI` says, else SQLite in `folder`."""
        server = TrackingServer.in_folder(folder)
        return cls(server.uri, server.artifacts)

    def log_run(
        self,
        name: str,
        content: RunContent,
        *,
        kind: str,
        parent: str | None = None,
        finished: bool = True,
    ) -> str:
        """Log a run that is no training, such as a night's monitoring or a trial of a search; its identity.

        `kind` (`monitoring`, `tuning`, …) is what `find_runs` looks for. `parent` is the identity of the run
        that this one belongs to. With `finished=False` the run stays open for `extend_run`. Version and
        commit of the code are tagged on every run.
        """
        with self._client() as (_, client):
            own = {KIND_TAG: kind, **({} if parent is None else {PARENT_TAG: parent})}
            with self._run(client, name, own, finished=finished) as run_id:
                _write(client, run_id, content)
        return run_id

    def extend_run(self, run_id: str, content: RunContent, *, finished: bool = True) -> None:
        """Add to a run that `log_run` made; later metrics and tags of a name replace earlier ones."""
        with self._client() as (_, client):
            _write(client, run_id, content)
            if finished:
                client.set_terminated(run_id, "FINISHED")

    def find_runs(
        self, kind: str, tags: Mapping[str, str] | None = None, *, parent: str | None = None
    ) -> tuple[LoggedRun, ...]:
        """Runs of a kind that carry all of `tags` (and belong to `parent`), oldest first."""
        wanted = {KIND_TAG: kind, **(tags or {}), **({} if parent is None else {PARENT_TAG: parent})}
        asked = " and ".join(f"tags.`{key}` = '{value}'" for key, value in wanted.items())
        with self._client() as (_, client):
            experiment = [self._experiment(client)]
            page = client.search_runs(experiment, asked, max_results=1000)
            found = [*page]
            while page.token:
                page = client.search_runs(experiment, asked, max_results=1000, page_token=page.token)
                found += page
            runs = [LoggedRun.of(run) for run in found]
        return tuple(sorted(runs, key=lambda run: (run.started, run.run_id)))

    def read_text(self, run_id: str, name: str) -> str:
        """A text that was logged into a run, by its file name there."""
        with self._client() as (_, client), tempfile.TemporaryDirectory() as scratch:
            return Path(client.download_artifacts(run_id, name, scratch)).read_text(encoding="utf-8")

    def log_training(
        self,
        fitted: FittedRisk,
        content: RunContent,
        *,
        decision: GateDecision | None = None,
    ) -> LoggedModel:
        """Log a training with its metrics and predictions ahead of time, and register its model.

        `content` is what the caller adds: parameters, lineage as tags, the configuration, plots, the report.
        """
        model, evaluation = fitted.model, fitted.evaluation
        with self._client() as (mlflow, client):
            tags = {KIND_TAG: TRAINING, "risk": model.name}
            tags |= {f"model.{key}": value for key, value in model.metadata.items()}
            if decision is not None:
                tags |= {"gate": decision.verdict}
                tags |= {"gate_reasons": "\n".join(decision.reasons)[:TAG_CHARACTERS]}
            name = f"{model.name} {model.metadata.get('declared_to', '')}".strip()
            with self._run(client, name, tags) as run_id, tempfile.TemporaryDirectory() as scratch:
                # Before the metrics: MLflow reads the history of each one of them when it logs a model.
                uri, model_id = self._log_model(mlflow, run_id, model, Path(scratch))
                predictions = Path(scratch) / "out_of_time.parquet"
                fitted.out_of_time.write_parquet(predictions)
                client.log_artifact(run_id, str(predictions))
                _log_metrics(client, run_id, evaluation.headline())
                client.log_dict(run_id, dict(sorted(evaluation.as_metrics().items())), "metrics.json")
                _write(client, run_id, content)
                version = ModelRegistry(client).register(
                    model.name, uri, run_id, model_id, code_version()["code_version"]
                )
        return LoggedModel(model.name, run_id, version)

    def champions(self) -> tuple[Champion, ...]:
        """The models in use, by risk."""
        with self._client() as (_, client):
            return ModelRegistry(client).champions()

    def promote(self, risk: str, version: int, why: str, *, who: str | None = None) -> Champion:
        """Make a version the champion of its risk, and write down by whom and why.

        Raises:
            UsageError: there is no such version.
        """
        with self._client() as (_, client):
            return ModelRegistry(client).promote(risk, version, why, who)

    def rollback(self, risk: str, why: str = "rolled back", *, who: str | None = None) -> Champion:
        """Make the champion before the present one champion again; the present one leaves the pile.

        Raises:
            UsageError: there is none.
        """
        with self._client() as (_, client):
            return ModelRegistry(client).rollback(risk, why, who)

    def download_champion(self, risk: str, into: Path) -> Champion | None:
        """Copy the champion into a directory that `RiskModel.load` reads; None where there is none."""
        with self._client() as (mlflow, client):
            from models.tracking.pyfunc import ARTIFACT

            champion = ModelRegistry(client).champion(risk)
            if champion is None:
                return None
            with tempfile.TemporaryDirectory() as scratch:
                uri = f"models:/{model_name(risk)}/{champion.version}"
                folder = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=scratch)
                shutil.copytree(Path(folder) / "artifacts" / ARTIFACT, into, dirs_exist_ok=True)
            return champion

    def out_of_time(self, champion: Champion, into: Path) -> Path:
        """Download the predictions that a champion made ahead of time when it was trained, for the gate."""
        with self._client() as (_, client):
            return Path(client.download_artifacts(champion.run_id, "out_of_time.parquet", str(into)))

    @contextmanager
    def _client(self) -> Iterator[tuple[ModuleType, MlflowClient]]:
        """MLflow turned to this tracker's server, and back to where it was afterwards."""
        self._server.check_reachable()
        from sqlalchemy.exc import SQLAlchemyError

        before = os.environ.get(URI_VARIABLE)
        mlflow = _quiet_mlflow()
        if self._server.artifacts is not None:
            self._server.artifacts.mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(self.uri)
        try:
            with warnings.catch_warnings():
                # What MLflow and SQLAlchemy say about each other's age is no news to a user of this program.
                warnings.simplefilter("ignore", DeprecationWarning)
                warnings.simplefilter("ignore", FutureWarning)
                warnings.filterwarnings("ignore", message=".*An input example was not provided")
                yield mlflow, mlflow.MlflowClient(tracking_uri=self.uri)
        except (mlflow.exceptions.MlflowException, SQLAlchemyError, OSError) as error:
            raise TrackingError(
                f"MLflow at {self._server.shown} did not do it: {_first_line(error)}"
            ) from error
        finally:
            mlflow.set_tracking_uri(None)
            if before is not None:
                os.environ[URI_VARIABLE] = before

    def _experiment(self, client: MlflowClient) -> str:
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        artifacts = self._server.artifacts
        location = None if artifacts is None else artifacts.as_uri()
        return str(client.create_experiment(EXPERIMENT, artifact_location=location))

    @contextmanager
    def _run(
        self, client: MlflowClient, name: str, tags: Mapping[str, str], *, finished: bool = True
    ) -> Iterator[str]:
        """A run that is finished (or left open) when all went well, and failed otherwise."""
        tagged = {**code_version(), **tags}
        run_id = str(client.create_run(self._experiment(client), tags=tagged, run_name=name).info.run_id)
        try:
            yield run_id
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        if finished:
            client.set_terminated(run_id, "FINISHED")

    def _log_model(self, mlflow: ModuleType, run_id: str, model: RiskModel, scratch: Path) -> tuple[str, str]:
        """Log the pyfunc; its URI and identity."""
        from models.tracking.pyfunc import ARTIFACT
        from models.tracking.signature import signature_of

        # MLflow names the copy after the folder, and `download_champion` looks for it by this name.
        model.save(scratch / ARTIFACT)
        with mlflow.start_run(run_id=run_id):
            info = mlflow.pyfunc.log_model(
                name=f"{model.name}-model",
                python_model=str(Path(__file__).with_name("pyfunc.py")),
                artifacts={ARTIFACT: str(scratch / ARTIFACT)},
                signature=signature_of(model),
                pip_requirements=requirements(),
                code_paths=copy_code(scratch / "code"),
                metadata=dict(model.metadata),
            )
        return str(info.model_uri), str(info.model_id)


def _write(client: MlflowClient, run_id: str, content: RunContent) -> None:
    content.write(client, run_id)
    _log_metrics(client, run_id, content.finite_metrics)


def _log_metrics(client: MlflowClient, run_id: str, metrics: Mapping[str, float]) -> None:
    from mlflow.entities import Metric

    moment = int(datetime.now(UTC).timestamp() * 1000)
    entries = [Metric(name, value, moment, 0) for name, value in sorted(metrics.items())]
    for start in range(0, len(entries), 1000):
        client.log_batch(run_id, metrics=entries[start : start + 1000])


def _quiet_mlflow() -> ModuleType:
    """MLflow, told to write warnings only and to call nobody."""
    for key, value in ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:500]
