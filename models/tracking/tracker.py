"""Runs, models and champions in MLflow.

With `models.tracking.connection` and `models.tracking.pyfunc` this is the only place that knows MLflow. It
imports MLflow when it is first needed, asks a server whether it is there before MLflow retries for minutes,
and turns what goes wrong into a TrackingError in plain words.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from configs.who import code_version
from models.judging.gate import GateDecision
from models.tracking.connection import EXPERIMENT, connected, experiment_of
from models.tracking.packed_training import MODEL, OUT_OF_TIME, TRAINING, PackedTraining
from models.tracking.registry import STORE_TAG, Champion, ModelRegistry, model_name
from models.tracking.run_content import KIND_TAG, PARENT_TAG, LoggedRun, RunContent
from models.tracking.server import TrackingServer

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from models.fitting.training import FittedRisk

_CHECK = "check of rights"


@dataclass(frozen=True)
class LoggedModel:
    """A training in MLflow: its run and the version that was registered."""

    risk: str
    run_id: str
    version: int


@dataclass(frozen=True)
class RegistryState:
    """The models in use at a registry, and what tells the registry from others: None where it is empty."""

    identity: str | None
    champions: tuple[Champion, ...]


class Tracker:
    """Logs runs and trainings, registers models, and keeps the champions.

    Every method raises TrackingError where MLflow cannot be reached or refuses, and ConfigurationError where
    the address cannot be used at all, or where models are those of another store.
    """

    def __init__(
        self, uri: str, artifacts: Path | None = None, *, store: str | None = None, own: bool = False
    ) -> None:
        self._server = TrackingServer(uri, artifacts, own)
        # A database beside a store is that store's, whatever it says.
        self._store, self._refused_unless = store, None if own else store

    @property
    def uri(self) -> str:
        """The address of MLflow, with its password: not to be stored or shown."""
        return self._server.uri

    @property
    def shown(self) -> str:
        """The address without user and password."""
        return self._server.shown

    @property
    def named(self) -> str:
        """The address without user and password, and whether it comes from the environment."""
        return self._server.named

    @classmethod
    def in_folder(cls, folder: Path, store: str | None = None) -> Tracker:
        """MLflow where `MLFLOW_TRACKING_URI` says, else SQLite in `folder`; `store` as for `ModelRegistry`.

        Raises:
            ConfigurationError: the variable holds no address.
        """
        server = TrackingServer.in_folder(folder)
        return cls(server.uri, server.artifacts, store=store, own=server.own)

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
        with connected(self._server) as (_, client):
            own = {KIND_TAG: kind, **({} if parent is None else {PARENT_TAG: parent})}
            with self._run(client, name, own, finished=finished) as run_id:
                _write(client, run_id, content)
        return run_id

    def extend_run(self, run_id: str, content: RunContent, *, finished: bool = True) -> None:
        """Add to a run that `log_run` made; later metrics and tags of a name replace earlier ones."""
        with connected(self._server) as (_, client):
            _write(client, run_id, content)
            if finished:
                client.set_terminated(run_id, "FINISHED")

    def find_runs(
        self, kind: str, tags: Mapping[str, str] | None = None, *, parent: str | None = None
    ) -> tuple[LoggedRun, ...]:
        """Runs of a kind that carry all of `tags` (and belong to `parent`), oldest first."""
        wanted = {KIND_TAG: kind, **(tags or {}), **({} if parent is None else {PARENT_TAG: parent})}
        asked = " and ".join(f"tags.`{key}` = '{value}'" for key, value in wanted.items())
        with connected(self._server) as (_, client):
            experiment = [experiment_of(self._server, client)]
            page = client.search_runs(experiment, asked, max_results=1000)
            found = [*page]
            while page.token:
                page = client.search_runs(experiment, asked, max_results=1000, page_token=page.token)
                found += page
            runs = [LoggedRun.of(run) for run in found]
        return tuple(sorted(runs, key=lambda run: (run.started, run.run_id)))

    def read_text(self, run_id: str, name: str) -> str:
        """A text that was logged into a run, by its file name there."""
        with connected(self._server) as (_, client), tempfile.TemporaryDirectory() as scratch:
            return Path(client.download_artifacts(run_id, name, scratch)).read_text(encoding="utf-8")

    def prepare(self, risks: Collection[str]) -> None:
        """Make sure, before hours of work, that runs, files and models of these risks may be written.

        The models become the store's own, and runs that a training of this store left open because the
        program or the server died are marked as failed; no other training of the store may be going on.
        """
        with connected(self._server) as (_, client):
            registry = ModelRegistry(client, self._refused_unless)
            for risk in risks:
                registry.claim(risk, self._store or "")
            experiment = [experiment_of(self._server, client)]
            own = f"tags.`{STORE_TAG}` = '{self._store}'"
            left = f"{own} and tags.{KIND_TAG} = '{TRAINING}' and attributes.status = 'RUNNING'"
            for run in client.search_runs(experiment, left):
                client.set_terminated(run.info.run_id, "FAILED")
            known = client.search_runs(experiment, f"{own} and tags.{KIND_TAG} = '{_CHECK}'", max_results=1)
            if known:
                self._write_check(client, known[0].info.run_id)
            else:
                with self._run(client, _CHECK, {KIND_TAG: _CHECK}) as run_id:
                    self._write_check(client, run_id)

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
        with tempfile.TemporaryDirectory() as scratch:
            return self.log_packed(PackedTraining.pack(fitted, content, decision, Path(scratch)))

    def log_packed(self, packed: PackedTraining) -> LoggedModel:
        """Log a training that was packed, and register its model."""
        tags = {KIND_TAG: TRAINING, "risk": packed.risk}
        with (
            connected(self._server) as (mlflow, client),
            self._run(client, packed.name, tags) as run_id,
        ):
            # Before the metrics: MLflow reads the history of each one of them when it logs a model.
            uri, model_id = packed.log_model(mlflow, run_id)
            client.log_artifacts(run_id, str(packed.files))
            _write(client, run_id, packed.content)
            registry = ModelRegistry(client, self._refused_unless)
            version = registry.register(packed.risk, uri, run_id, model_id, code_version()["code_version"])
        return LoggedModel(packed.risk, run_id, version)

    def champions(self, risks: Collection[str] | None = None) -> tuple[Champion, ...]:
        """The models in use, by risk; those of another store are refused for `risks`, and left out else."""
        return self.registry(risks).champions

    def registry(self, risks: Collection[str] | None) -> RegistryState:
        """The models in use, and the identity of the registry; a database that is not there is not made.

        The identity is that of the experiment with its moment: a database made anew has another, one that
        was moved or restored has the same.
        """
        if self._server.database is not None and not self._server.database.exists():
            return RegistryState(None, ())
        with connected(self._server) as (_, client):
            experiment = client.get_experiment_by_name(EXPERIMENT)
            found = None if experiment is None else f"{experiment.experiment_id}-{experiment.creation_time}"
            return RegistryState(found, ModelRegistry(client, self._refused_unless).champions(risks))

    def holds(self, risk: str, version: int, run_id: str) -> bool:
        """Whether a version of a risk is that of a run."""
        with connected(self._server) as (_, client):
            return ModelRegistry(client).holds(risk, version, run_id)

    def promote(self, risk: str, version: int, why: str, *, who: str | None = None) -> Champion:
        """Make a version the champion of its risk, and write down by whom and why.

        Raises:
            UsageError: there is no such version.
        """
        with connected(self._server) as (_, client):
            return ModelRegistry(client, self._refused_unless).promote(risk, version, why, who)

    def rollback(self, risk: str, why: str = "rolled back", *, who: str | None = None) -> Champion:
        """Make the champion before the present one champion again; the present one leaves the pile.

        Raises:
            UsageError: there is none.
        """
        with connected(self._server) as (_, client):
            return ModelRegistry(client, self._refused_unless).rollback(risk, why, who)

    def download_champion(self, risk: str, into: Path) -> Champion | None:
        """Copy the champion into a directory that `RiskModel.load` reads; None where there is none."""
        with connected(self._server) as (mlflow, client):
            champion = ModelRegistry(client, self._refused_unless).champion(risk)
            if champion is None:
                return None
            with tempfile.TemporaryDirectory() as scratch:
                uri = f"models:/{model_name(risk)}/{champion.version}"
                folder = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=scratch)
                shutil.copytree(Path(folder) / "artifacts" / MODEL, into, dirs_exist_ok=True)
            return champion

    def out_of_time(self, champion: Champion, into: Path) -> Path:
        """Download the predictions that a champion made ahead of time when it was trained, for the gate."""
        with connected(self._server) as (_, client):
            return Path(client.download_artifacts(champion.run_id, OUT_OF_TIME, str(into)))

    @contextmanager
    def _run(
        self, client: MlflowClient, name: str, tags: Mapping[str, str], *, finished: bool = True
    ) -> Iterator[str]:
        """A run that is finished (or left open) when all went well, and failed otherwise."""
        tagged = {**code_version(), **({STORE_TAG: self._store} if self._store else {}), **tags}
        experiment = experiment_of(self._server, client)
        run_id = str(client.create_run(experiment, tags=tagged, run_name=name).info.run_id)
        try:
            yield run_id
        except BaseException:
            # A server that is gone cannot be told; `prepare` of the next training does it.
            with suppress(Exception):
                client.set_terminated(run_id, "FAILED")
            raise
        if finished:
            client.set_terminated(run_id, "FINISHED")

    def _write_check(self, client: MlflowClient, run_id: str) -> None:
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        client.set_tag(run_id, "checked", moment)
        client.log_text(run_id, f"{moment}: files of runs can be written\n", "check.txt")


def _write(client: MlflowClient, run_id: str, content: RunContent) -> None:
    content.write(client, run_id)
    _log_metrics(client, run_id, content.finite_metrics)


def _log_metrics(client: MlflowClient, run_id: str, metrics: Mapping[str, float]) -> None:
    from mlflow.entities import Metric

    moment = int(datetime.now(UTC).timestamp() * 1000)
    entries = [Metric(name, value, moment, 0) for name, value in sorted(metrics.items())]
    for start in range(0, len(entries), 1000):
        client.log_batch(run_id, metrics=entries[start : start + 1000])
