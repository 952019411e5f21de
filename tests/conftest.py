"""What every test relies on: where the shared material is, small stores to begin with, repeatable Hypothesis
runs, no silent skips.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.pipelines.trained_world import TRAINED_UNTIL, World, make_world, without_server

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
# Files that take minutes, the longest first: a process that starts one of them last keeps the others waiting.
_LONGEST = (
    *("test_gaps", "test_train", "test_score_faults", "test_first_reason", "test_cluster", "test_backtest"),
    *("test_readme", "test_tutorial", "test_memory_limit", "test_new_risk", "test_national_day"),
    *("test_history_steps", "test_score", "test_select", "test_same_score", "test_any_partition"),
    *("test_fold_again", "test_worlds", "test_train_beside_others", "test_page_in_browser", "test_demo"),
    *("test_gate", "test_missed_days", "test_late_data", "test_loads_elsewhere", "test_damaged_tables"),
    *("test_broken_input", "test_history_oracle", "test_tune", "test_monitor"),
)
_LOGGERS = ("", "configs", "features", "models", "pipelines")
_FORBID_SKIPS = "PARCEL_RISK_FORBID_SKIPS"

# A slow machine is no failure, and the same commit has the same result everywhere.
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of official samples and public data beside the checkout; the test skips without it."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared beside the checkout, which is not there")
    return SHARED


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    """Simulated days and results, no model. Not to be changed."""
    made = _made_once("untrained", make_world, tmp_path_factory, worker_id)
    return World(made / "S", made / "configs").copy(tmp_path_factory.mktemp("untrained"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, worker_id: str, untrained: World) -> World:
    """The same with a champion for each risk. Not to be changed."""

    def train(folder: Path) -> None:
        with without_server():
            world = untrained.copy(folder)
            assert world.run("train", "--until", TRAINED_UNTIL.isoformat(), "--quiet") == 0

    made = _made_once("trained", train, tmp_path_factory, worker_id)
    return World(made / "S", untrained.configs).copy(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory, worker_id: str, trained: World) -> World:
    """The same after an undisturbed night. Not to be changed."""

    def score(folder: Path) -> None:
        with without_server():
            assert trained.copy(folder).score() == 0

    made = _made_once("scored", score, tmp_path_factory, worker_id)
    return World(made / "S", trained.configs).copy(tmp_path_factory.mktemp("scored"))


def _made_once(
    name: str, make: Callable[[Path], object], factory: pytest.TempPathFactory, worker: str
) -> Path:
    """The folder that `make` filled, in the worker of pytest-xdist that came first; the others wait for it.

    A worker takes a copy and has it to itself: some tests open what they were asked not to change.
    """
    if worker == "master":
        folder = factory.mktemp(f"made-{name}")
        make(folder)
        return folder
    # Each worker has a folder of its own in that of the run.
    folder = factory.getbasetemp().parent / f"made-{name}"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done"
        if not done.exists():
            # What a worker that failed or died has left.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key for pseudonyms."""
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", "only for tests, not a secret")


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    """Put the process's logging back as it was: a command that a test runs sets it up anew."""
    root = logging.getLogger()
    handlers, levels = list(root.handlers), {name: logging.getLogger(name).level for name in _LOGGERS}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture(autouse=True)
def untouched_tracking_address() -> Iterator[None]:
    """A test that leaves the address of its MLflow behind would lead every later one to the wrong models."""
    before = os.environ.get("MLFLOW_TRACKING_URI")
    yield
    after = os.environ.get("MLFLOW_TRACKING_URI")
    if before is None:
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    else:
        os.environ["MLFLOW_TRACKING_URI"] = before
    assert after == before, f"the test left MLFLOW_TRACKING_URI={after} behind"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; otherwise the order in which they were found."""
    place = {name: number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With PARCEL_RISK_FORBID_SKIPS=1 a skipped test fails, unless it lacks a ../shared that is not there."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and not _may_skip(report):
        report.outcome = "failed"
        report.longrepr = f"Skipped where {_FORBID_SKIPS}=1 forbids it: {report.longreprtext}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself as a whole."""
    report = yield
    if report.skipped and not _may_skip(report):
        report.outcome = "failed"
        report.longrepr = f"Skipped where {_FORBID_SKIPS}=1 forbids it: {report.longreprtext}"
    return report


def _may_skip(report: pytest.TestReport | pytest.CollectReport) -> bool:
    if os.environ.get(_FORBID_SKIPS) != "1":
        return True
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    return "shared" in reason and not SHARED.is_dir()
