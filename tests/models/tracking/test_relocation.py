"""Runs and models follow a store that was moved, copied or restored, however its folder is spelt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

from models.tracking.addresses import database_file, sqlite_address
from models.tracking.run_content import RunContent
from models.tracking.tracker import Tracker

# MLflow 3.17 uses an option that SQLAlchemy 2.1 calls old.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")

ODD = "why? #1 50%20 [a] ä"


@pytest.fixture(autouse=True)
def no_server_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def logged(folder: Path) -> str:
    content = RunContent(texts={"report.txt": "good"})
    return Tracker.in_folder(folder, "me").log_run("first", content, kind="monitoring")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder of MLflow with a run. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path_factory.mktemp("made") / "S.mlflow"
        return folder, logged(folder)


@pytest.fixture
def old(made: tuple[Path, str], tmp_path: Path) -> tuple[Path, str]:
    """A copy that took its files along, as another process finds it: this one remembers where runs were."""
    folder, run = made
    shutil.copytree(folder, tmp_path / "old" / "S.mlflow")
    Tracker.in_folder(tmp_path / "old" / "S.mlflow").find_runs("monitoring")
    _artifact_repos_cache.clear()
    return tmp_path / "old" / "S.mlflow", run


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.txt")}


@pytest.mark.parametrize("kept", [True, False], ids=["copied", "moved"])
def test_the_runs_of_a_moved_store_are_read_and_written_beside_it(
    old: tuple[Path, str], tmp_path: Path, kept: bool
) -> None:
    (folder, run), new = old, tmp_path / ODD / "T.mlflow"
    before = files(folder)
    shutil.copytree(folder, new)
    if not kept:
        shutil.rmtree(folder.parent)
    tracker = Tracker.in_folder(new, "me")
    assert tracker.read_text(run, "report.txt") == "good"
    tracker.extend_run(run, RunContent(texts={"more.txt": "better"}))
    tracker.log_run("second", RunContent(texts={"other.txt": "best"}), kind="monitoring")
    assert {Path(name).name for name in files(new)} == {"report.txt", "more.txt", "other.txt"}
    assert files(folder) == (before if kept else set())
    assert {path.name for path in tmp_path.iterdir()} == ({"old", ODD} if kept else {ODD})
    assert len(tracker.find_runs("monitoring")) == 2


def test_a_database_named_by_its_address_takes_its_files_along(
    old: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, run = old
    shutil.copytree(folder, tmp_path / ODD)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/{ODD}/mlflow.db")
    tracker = Tracker.in_folder(tmp_path / "unused")
    tracker.extend_run(run, RunContent(texts={"more.txt": "better"}))
    assert {Path(name).name for name in files(tmp_path / ODD)} == {"report.txt", "more.txt"}
    assert {Path(name).name for name in files(folder)} == {"report.txt"}


def test_files_that_were_put_elsewhere_on_purpose_stay_there(
    old: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, run = old
    database, elsewhere = tmp_path / "db" / "mlflow.db", folder / "artifacts"
    (database.parent / "artifacts").mkdir(parents=True)
    (folder / "mlflow.db").replace(database)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_address(database))
    tracker = Tracker.in_folder(tmp_path / "unused")
    tracker.extend_run(run, RunContent(texts={"more.txt": "better"}))
    assert {Path(name).name for name in files(elsewhere)} == {"report.txt", "more.txt"}


def test_the_address_of_a_file_names_it_whatever_its_path_is(tmp_path: Path) -> None:
    file = tmp_path / ODD / "mlflow.db"
    assert database_file(sqlite_address(file)) == file
