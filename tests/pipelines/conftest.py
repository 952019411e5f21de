"""Copies of the small stores of the whole run, one for each test; and one Chromium for all tests of pages."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from playwright.sync_api import Browser, sync_playwright

from models.report.plots import as_png
from pipelines.store.store import Store
from tests.pipelines.returned_lists import Office, make_store
from tests.pipelines.trained_world import World


@pytest.fixture(scope="session", autouse=True)
def _small_pictures() -> Iterator[None]:
    """Pictures of trainings are drawn small: how they look is tested where they are made."""

    def small(figure: Figure) -> bytes:
        figure.set_layout_engine("none")
        figure.set_dpi(20)
        return as_png(figure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.training.train_risk.as_png", small)
        yield


@pytest.fixture(autouse=True)
def no_server_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes to an MLflow server that whoever runs the tests happens to have set."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("PARCEL_RISK_PSEUDONYM_KEY", raising=False)


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address at which nobody listens, as that of the MLflow server."""
    with socket.socket() as taken:
        # Bound but not listening, so that nobody else can take it, and whoever asks is refused at once.
        taken.bind(("127.0.0.1", 0))
        address = f"http://somebody:secret@127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        yield address.replace("somebody:secret@", "")


@pytest.fixture
def world(tmp_path: Path, trained: World) -> World:
    """A copy with trained models."""
    return trained.copy(tmp_path)


@pytest.fixture
def scored_world(tmp_path: Path, scored: World) -> World:
    """A copy after a night."""
    return scored.copy(tmp_path)


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A small store that issued a list of one office. Not to be changed."""
    return make_store(tmp_path_factory.mktemp("issued"))


@pytest.fixture
def office(issued: Store, tmp_path: Path) -> Office:
    """The office of that list, with a copy of the store."""
    return Office.copy_of(issued, tmp_path)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs Chromium (Debian: chromium), which is not installed")
    with sync_playwright() as playwright:
        # In a container there is no second sandbox to be had.
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()
