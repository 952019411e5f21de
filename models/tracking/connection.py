"""MLflow, turned to a server for the length of a block, with its errors in plain words."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from configs.errors import TrackingError
from models.tracking.addresses import URI_VARIABLE
from models.tracking.refusals import explained
from models.tracking.relocation import artifacts_follow
from models.tracking.server import ENVIRONMENT, TrackingServer

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "parcel-risk"


@contextmanager
def connected(server: TrackingServer) -> Iterator[tuple[ModuleType, MlflowClient]]:
    """MLflow turned to a server, and back to where it was afterwards.

    Raises:
        TrackingError: it cannot be reached, or refuses.
        ConfigurationError: it cannot be reached without something that is not installed.
    """
    server.check_reachable()
    from sqlalchemy.exc import SQLAlchemyError

    before = os.environ.get(URI_VARIABLE)
    mlflow = _quiet_mlflow()
    _settle_files(server)
    mlflow.set_tracking_uri(server.uri)
    try:
        with warnings.catch_warnings(), server.no_stray_folder():
            # What MLflow and SQLAlchemy say about each other's age is no news to a user of this program.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            warnings.filterwarnings("ignore", message=".*An input example was not provided")
            yield mlflow, mlflow.MlflowClient(tracking_uri=server.uri)
    except (mlflow.exceptions.MlflowException, SQLAlchemyError, OSError) as error:
        raise TrackingError(
            f"MLflow at {server.named} did not do it: {explained(error, server.uri)}"
        ) from error
    finally:
        mlflow.set_tracking_uri(None)
        if before is not None:
            os.environ[URI_VARIABLE] = before


def experiment_of(server: TrackingServer, client: MlflowClient) -> str:
    """The identity of this program's experiment, which is made where it is missing."""
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    location = None if server.artifacts is None else server.artifacts.as_uri()
    return str(client.create_experiment(EXPERIMENT, artifact_location=location))


def _settle_files(server: TrackingServer) -> None:
    """Make the folder of the store's own database; let the files of a database that was moved follow it."""
    if server.database is None or server.artifacts is None:
        return
    if server.own:
        try:
            server.artifacts.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrackingError(
                f"the folder {server.artifacts} for runs and models cannot be made: "
                f"{explained(error)} Expected a folder beside the store that this user may write to."
            ) from error
    if server.database.exists():
        artifacts_follow(server.database, server.artifacts, EXPERIMENT, own=server.own)


def _quiet_mlflow() -> ModuleType:
    """MLflow, told to write warnings only and to call nobody."""
    for key, value in ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow
