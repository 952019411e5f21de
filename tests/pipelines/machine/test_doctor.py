"""`doctor` says what a machine or an account lacks, and how to get it, before anything else has to work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.machine import account, doctor, libraries
from pipelines.machine.finding import Finding, State
from pipelines.work import progress

GOMP = "libgomp.so.1: cannot open shared object file: No such file or directory"


@pytest.fixture
def no_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries are not tried, which takes seconds."""
    monkeypatch.setattr(doctor, "check_libraries", lambda: iter(()))


def facts(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    return {one["subject"]: one for one in json.loads(capsys.readouterr().out)["findings"]}


def test_libraries_are_tried_in_a_process_of_their_own_and_each_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_gomp.py").write_text(f"raise OSError({GOMP!r})\n")
    (tmp_path / "new_processor.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n")
    (tmp_path / "fine.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    native = ("fine", "needs_gomp", "new_processor", "not_there_at_all")
    found = {one.subject: one for one in libraries.check_libraries(native)}
    assert "fine" not in found
    assert found["needs_gomp"].cure.startswith("Install the library libgomp.so.1: apt-get install libgomp1")
    assert "this processor lacks instructions" in found["new_processor"].found
    assert "No module named 'not_there_at_all'" in found["not_there_at_all"].found
    assert {one.state for name, one in found.items() if name in native} == {State.LACKS}


def test_a_terminal_that_cannot_show_a_name_ends_no_run(tmp_path: Path) -> None:
    days = ("--days", "1", "--parcels-per-day", "9", "--end", "2026-11-20", "--seed", "1")
    program = "import sys; from pipelines.cli.main import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", program, "simulate", "--store", str(tmp_path / "店"), *days],
        env={**os.environ, "PYTHONIOENCODING": "latin-1:strict"},
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert b"\\u5e97: 2026-11-20" in result.stdout


def test_every_library_loads_here() -> None:
    (found,) = [one for one in libraries.check_libraries() if one.state is not State.NOTE]
    assert (found.subject, found.state) == ("libraries", State.OK)


def test_the_first_run_says_which_library_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object) -> None:
        raise OSError(GOMP)

    monkeypatch.setattr(progress.Progress, "on_terminal", missing)
    days = ("--days", "1", "--parcels-per-day", "9", "--end", "2026-11-20", "--seed", "1")
    assert run(["simulate", "--store", "S", *days]) == 1
    said = capsys.readouterr().err
    assert "Install the library libgomp.so.1: apt-get install libgomp1" in said
    assert "`parcel-risk doctor` says what else is missing" in said
    assert "fault of the program" not in said


@pytest.mark.usefixtures("no_libraries")
def test_a_machine_that_has_everything_ends_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "S").mkdir(mode=0o700)
    assert run(["doctor", "--store", str(tmp_path / "S")]) == 0
    said = capsys.readouterr().out
    assert f"ok    store: {tmp_path / 'S'}" in said
    assert "note  key: there is none" in said
    assert "nothing that is needed is missing" in said


@pytest.mark.usefixtures("no_libraries")
def test_what_is_missing_ends_with_1_and_is_data_too(
    tmp_path: Path, no_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "gbk")
    (tmp_path / "configs").mkdir()
    (tmp_path / "key").write_text("0123456789abcdef-kd93kf")
    (tmp_path / "key").chmod(0o644)
    (tmp_path / "configs/pipeline.yaml").write_text(
        f"pseudonyms: {{key_file: {tmp_path / 'key'}}}\n"
        f"scoring: {{metrics_file: {tmp_path / 'none' / 'm.prom'}}}\n"
    )
    options = ["--store", str(tmp_path / "none" / "S"), "--configs", str(tmp_path / "configs")]
    assert run(["doctor", *options, "--log-format", "json"]) == 1
    found = facts(capsys)
    for subject in ("locale", "key", "scoring.metrics_file", "store", "MLflow"):
        assert found[subject]["state"] == "lacks", subject
    assert "gbk" in found["locale"]["found"]
    assert "LC_ALL=C.UTF-8" in found["locale"]["cure"]
    assert no_server in found["MLflow"]["found"]
    assert "secret" not in found["MLflow"]["found"]


@pytest.mark.usefixtures("no_libraries")
def test_a_configuration_with_a_fault_is_told_beside_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pipeline.yaml").write_text("scoring: {wrokers: 2}\n")
    assert run(["doctor", "--configs", str(tmp_path), "--log-format", "json"]) == 1
    found = facts(capsys)
    assert "wrokers" in found["configuration"]["found"]
    assert "MLflow" in found


@pytest.mark.usefixtures("no_libraries")
@pytest.mark.parametrize(("readers", "whose"), [("owner", "go"), ("group", "o")])
def test_files_of_an_older_version_that_others_can_read_are_told(
    readers: str, whose: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/pipeline.yaml").write_text(f"store: {{readable_by: {readers}}}\n")
    store = tmp_path / "S"
    store.mkdir()
    (store / "lines.parquet").touch()
    store.chmod(0o755)
    (store / "lines.parquet").chmod(0o644)
    command = ["doctor", "--store", str(store), "--configs", str(tmp_path / "configs")]
    assert run(command) == 0
    assert f"chmod -R {whose}-rwx {store}" in capsys.readouterr().out
    store.chmod(0o700)
    assert run(command) == 0
    assert "chmod" not in capsys.readouterr().out


def test_a_database_without_its_driver_is_told_with_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql+psycopg2://ana:secret@db.example.org/mlflow")
    (found,) = account.check_tracking(None)
    assert found == Finding(
        "MLflow",
        State.LACKS,
        "MLFLOW_TRACKING_URI: postgresql+psycopg2://db.example.org/mlflow needs the driver psycopg2, which "
        "is not installed. Install it beside this program: pip install 'psycopg2-binary'",
    )


@pytest.mark.usefixtures("no_libraries")
def test_an_address_that_is_none_is_told_beside_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "mlflow.example.org:5000")
    assert run(["doctor", "--log-format", "json"]) == 1
    found = facts(capsys)
    assert "http://mlflow.example.org:5000" in found["MLflow"]["found"]
    assert "temporary folder" in found


def test_a_verb_is_called_before_anything_heavy_is_loaded() -> None:
    program = (
        "import sys, click; from pipelines.cli.main import cli\n"
        "for name in ('doctor', 'ingest', 'score'): cli.get_command(click.Context(cli), name)\n"
        "print(sorted({'numba', 'polars', 'lightgbm', 'numpy', 'mlflow', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.stdout == "[]\n", result.stderr


def test_doctor_loads_nothing_heavy_before_it_knows_that_it_loads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [Finding("polars", State.LACKS, "does not load")]
    monkeypatch.setattr(doctor, "check_libraries", lambda: iter(broken))

    def refused(*_: object) -> None:
        raise AssertionError("the key is looked at with Polars")

    monkeypatch.setattr(doctor, "check_key", refused)
    assert run(["doctor"]) == 1
    assert "lacks polars: does not load" in capsys.readouterr().out
