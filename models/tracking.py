"""Runs, models and champions in MLflow.

With `models.pyfunc` this is the only place that knows MLflow. It imports MLflow when it is first needed,
asks a server whether it is there before MLflow retries for minutes, and turns what goes wrong into a
TrackingError in plain words.
"""

from __future__ import annotations

import getpass
import logging
import os
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from configs.errors import TrackingError, UsageError
from models.gate import GateDecision
from models.plots import draw_plots
from models.registry import (
    ALIAS,
    HISTORY_TAG,
    Champion,
    Reign,
    model_name,
    read_history,
    risk_name,
    write_history,
)
from models.risk_model import RiskModel
from models.training import FittedRisk

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "parcel-risk"
_URI_VARIABLE = "MLFLOW_TRACKING_URI"
_REACH_SECONDS = 3.0
_PACKAGES = ("lightgbm", "numba", "numpy", "pandas", "polars", "pyarrow", "pydantic", "scipy")
# Set only where the user has not: quiet, nothing sent to MLflow's makers, seconds instead of minutes of
# retrying.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


@dataclass(frozen=True)
class LoggedModel:
    """A training in MLflow: its run and the version that was registered."""

    risk: str
    run_id: str
    version: int


class Tracker:
    """Logs trainings, registers their models, and keeps the champions.

    Every method raises TrackingError where MLflow cannot be reached or refuses.
    """

    def __init__(self, uri: str, artifacts: Path | None = None) -> None:
        self.uri = uri
        self._artifacts = artifacts

    @classmethod
    def for_store(cls, store: Path) -> Tracker:
        """MLflow where `MLFLOW_TRACKING_URI` says, else SQLite in the folder `<store>.mlflow` beside it."""
        uri = os.environ.get(_URI_VARIABLE, "").strip()
        if uri:
            return cls(uri)
        beside = store.resolve().with_name(store.resolve().name + ".mlflow")
        return cls(f"sqlite:///{beside / 'mlflow.db'}", beside / "artifacts")

    def log_training(
        self,
        fitted: FittedRisk,
        *,
        parameters: Mapping[str, object],
        fingerprints: Mapping[str, str],
        configuration: str,
        code_version: str,
        decision: GateDecision | None = None,
    ) -> LoggedModel:
        """Log a run with parameters, metrics and plots, and register its model as a new version."""
        model, evaluation = fitted.model, fitted.evaluation
        with self._client() as (mlflow, client):
            tags = {"risk": model.name, "code_version": code_version, **fingerprints}
            tags |= {f"model.{key}": value for key, value in model.metadata.items()}
            if decision is not None:
                tags |= {"gate": "passed" if decision.passed else "failed"}
                tags |= {"gate_reasons": "\n".join(decision.reasons)}
            with self._run(client, model, tags) as run_id:
                for key, parameter in parameters.items():
                    client.log_param(run_id, key, str(parameter)[:500])
                with tempfile.TemporaryDirectory() as scratch:
                    # Before the metrics: MLflow reads the history of each one of them when it logs a model.
                    uri, model_id = self._log_model(mlflow, run_id, model, Path(scratch))
                    fitted.out_of_time.write_parquet(Path(scratch) / "out_of_time.parquet")
                    client.log_artifact(run_id, str(Path(scratch) / "out_of_time.parquet"))
                self._log_metrics(client, run_id, evaluation.headline())
                client.log_dict(run_id, dict(sorted(evaluation.as_metrics().items())), "metrics.json")
                client.log_text(run_id, configuration, "configuration.yaml")
                for name, figure in draw_plots(model, evaluation, fitted.price_residuals).items():
                    client.log_figure(run_id, figure, f"plots/{name}")
                version = self._register(client, model.name, uri, run_id, model_id, code_version)
        return LoggedModel(model.name, run_id, version)

    def champions(self) -> tuple[Champion, ...]:
        """The models in use, by risk."""
        with self._client() as (_, client):
            found = []
            for registered in client.search_registered_models("name LIKE 'parcel-risk-%'", max_results=1000):
                risk = risk_name(registered.name)
                if risk is not None and ALIAS in registered.aliases:
                    found.append(self._champion(client, risk, registered))
            return tuple(sorted(found, key=lambda champion: champion.risk))

    def promote(self, risk: str, version: int, why: str, *, who: str | None = None) -> Champion:
        """Make a version the champion of its risk, and write down by whom and why.

        Raises UsageError where there is no such version.
        """
        with self._client() as (_, client):
            known = sorted(int(found.version) for found in self._versions(client, risk))
            if version not in known:
                listed = ", ".join(map(str, known[-5:])) or "none"
                raise UsageError(f"risk '{risk}' has no version {version}; its newest versions: {listed}.")
            pile = self._pile(client, risk)
            return self._crown(client, risk, [*pile, Reign(version, _now(), who or _user(), why)])

    def rollback(self, risk: str, why: str = "rolled back", *, who: str | None = None) -> Champion:
        """Make the champion before the present one champion again; the present one leaves the pile.

        Raises UsageError where there is none.
        """
        with self._client() as (_, client):
            pile = self._pile(client, risk)
            earlier = list(pile)
            while earlier and earlier[-1].version == pile[-1].version:
                earlier.pop()
            if not earlier:
                raise UsageError(
                    f"risk '{risk}' cannot be rolled back: it had {len(pile)} champion so far; "
                    f"`champion promote` names a version by hand."
                )
            left, back = pile[-1], earlier[-1]
            said = f"{why} (from version {left.version})"
            client.set_model_version_tag(
                model_name(risk), str(left.version), "rolled_back", f"{_now()}: {why}"
            )
            return self._crown(
                client, risk, [*earlier[:-1], Reign(back.version, _now(), who or _user(), said)]
            )

    def download_champion(self, risk: str, into: Path) -> Champion | None:
        """Copy the champion into a directory that `RiskModel.load` reads; None where there is none."""
        with self._client() as (mlflow, client):
            from models.pyfunc import ARTIFACT

            registered = self._registered(client, risk)
            if registered is None or ALIAS not in registered.aliases:
                return None
            champion = self._champion(client, risk, registered)
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
        self._check_reachable()
        from sqlalchemy.exc import SQLAlchemyError

        before = os.environ.get(_URI_VARIABLE)
        mlflow = _quiet_mlflow()
        if self._artifacts is not None:
            self._artifacts.mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(self.uri)
        try:
            with warnings.catch_warnings():
                # What MLflow and SQLAlchemy say about each other's age is no news to a user of this program.
                warnings.simplefilter("ignore", DeprecationWarning)
                warnings.simplefilter("ignore", FutureWarning)
                warnings.filterwarnings("ignore", message=".*An input example was not provided")
                yield mlflow, mlflow.MlflowClient(tracking_uri=self.uri)
        except (mlflow.exceptions.MlflowException, SQLAlchemyError, OSError) as error:
            raise TrackingError(f"MLflow at {self._shown()} did not do it: {_first_line(error)}") from error
        finally:
            mlflow.set_tracking_uri(None)
            if before is not None:
                os.environ[_URI_VARIABLE] = before

    def _check_reachable(self) -> None:
        parts = urlsplit(self.uri)
        if parts.scheme not in ("http", "https"):
            return
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), timeout=_REACH_SECONDS).close()
        except OSError as error:
            raise TrackingError(
                f"the MLflow server {self._shown()} cannot be reached ({error}). Start it, correct "
                f"{_URI_VARIABLE}, or unset it to use a SQLite file beside the store."
            ) from error

    def _shown(self) -> str:
        """The address without a password."""
        parts = urlsplit(self.uri)
        if "@" not in parts.netloc:
            return self.uri
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def _experiment(self, client: MlflowClient) -> str:
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        location = None if self._artifacts is None else self._artifacts.as_uri()
        return str(client.create_experiment(EXPERIMENT, artifact_location=location))

    @contextmanager
    def _run(self, client: MlflowClient, model: RiskModel, tags: Mapping[str, str]) -> Iterator[str]:
        """A run that is finished when all went well, and failed otherwise."""
        name = f"{model.name} {model.metadata.get('declared_to', '')}".strip()
        run_id = str(client.create_run(self._experiment(client), tags=dict(tags), run_name=name).info.run_id)
        status = "FAILED"
        try:
            yield run_id
            status = "FINISHED"
        finally:
            client.set_terminated(run_id, status)

    def _log_metrics(self, client: MlflowClient, run_id: str, metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        moment = int(datetime.now(UTC).timestamp() * 1000)
        entries = [Metric(name, value, moment, 0) for name, value in sorted(metrics.items())]
        for start in range(0, len(entries), 1000):
            client.log_batch(run_id, metrics=entries[start : start + 1000])

    def _log_model(self, mlflow: ModuleType, run_id: str, model: RiskModel, scratch: Path) -> tuple[str, str]:
        """Log the pyfunc; its URI and identity."""
        from models.pyfunc import ARTIFACT, signature_of

        # MLflow names the copy after the folder, and `download_champion` looks for it by this name.
        model.save(scratch / ARTIFACT)
        with mlflow.start_run(run_id=run_id):
            info = mlflow.pyfunc.log_model(
                name=f"{model.name}-model",
                python_model=str(Path(__file__).with_name("pyfunc.py")),
                artifacts={ARTIFACT: str(scratch / ARTIFACT)},
                signature=signature_of(model),
                pip_requirements=[f"{name}=={metadata.version(name)}" for name in _PACKAGES],
                metadata=dict(model.metadata),
            )
        return str(info.model_uri), str(info.model_id)

    def _register(
        self, client: MlflowClient, risk: str, uri: str, run_id: str, model_id: str, code_version: str
    ) -> int:
        name = model_name(risk)
        if self._registered(client, risk) is None:
            client.create_registered_model(name, tags={"risk": risk})
        made = client.create_model_version(
            name, source=uri, run_id=run_id, model_id=model_id, tags={"code_version": code_version}
        )
        return int(made.version)

    def _registered(self, client: MlflowClient, risk: str) -> Any:
        """The registered model of a risk, None where it has none."""
        found = client.search_registered_models(f"name = '{model_name(risk)}'")
        return found[0] if found else None

    def _versions(self, client: MlflowClient, risk: str) -> Sequence[Any]:
        versions: Sequence[Any] = client.search_model_versions(f"name = '{model_name(risk)}'")
        return versions

    def _pile(self, client: MlflowClient, risk: str) -> tuple[Reign, ...]:
        """Reigns so far; the alias of a hand that went past this program counts as one."""
        registered = self._registered(client, risk)
        if registered is None:
            raise UsageError(f"risk '{risk}' has no model yet; `train` makes one.")
        reigns = read_history(registered.tags.get(HISTORY_TAG))
        present = registered.aliases.get(ALIAS)
        if present is not None and (not reigns or reigns[-1].version != int(present)):
            reigns = (*reigns, Reign(int(present), "", "", "alias set outside of this program"))
        return reigns

    def _crown(self, client: MlflowClient, risk: str, pile: Sequence[Reign]) -> Champion:
        name, reign = model_name(risk), pile[-1]
        client.set_registered_model_alias(name, ALIAS, str(reign.version))
        client.set_registered_model_tag(name, HISTORY_TAG, write_history(pile))
        for key, value in (("since", reign.since), ("who", reign.who), ("why", reign.why)):
            client.set_model_version_tag(name, str(reign.version), f"champion_{key}", value)
        run_id = str(client.get_model_version(name, str(reign.version)).run_id or "")
        return Champion(risk, reign.version, reign.since, reign.who, reign.why, run_id)

    def _champion(self, client: MlflowClient, risk: str, registered: Any) -> Champion:
        version = str(registered.aliases[ALIAS])
        found = client.get_model_version(registered.name, version)
        since, who, why = (str(found.tags.get(f"champion_{key}", "")) for key in ("since", "who", "why"))
        return Champion(risk, int(version), since, who, why, str(found.run_id or ""))


def _quiet_mlflow() -> ModuleType:
    """MLflow, told to write warnings only and to call nobody."""
    for key, value in _ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:500]
