"""The files that the night is installed with are the documented ones, and work: units, cron, alerts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.places import ROOT

SERVICE = ROOT / "docs" / "service"
FILES = sorted(path.name for path in SERVICE.iterdir())
SCRIPT = SERVICE / "parcel-risk-night"


def called(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"needs {program}, which is not installed")
    return subprocess.run([found, *arguments], capture_output=True, text=True, check=False)


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n" + text)
    (folder / name).chmod(0o755)


def shell(script: str, folder: Path, variables: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", **variables}
    return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", FILES)
def test_the_documents_show_the_very_files(name: str) -> None:
    blocks = re.findall(
        r"^( *)```\w+\n(.*?)^ *```$",
        (ROOT / "docs/howto-nightly.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    shown = {re.sub(f"^{indent}", "", text, flags=re.MULTILINE) for indent, text in blocks}
    assert (SERVICE / name).read_text(encoding="utf-8") in shown


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    units = [tmp_path / name for name in FILES if name.endswith((".service", ".timer"))]
    assert len(units) == 3
    for unit in units:
        text = (SERVICE / unit.name).read_text(encoding="utf-8")
        # It looks for what is started.
        unit.write_text(text.replace("=/usr/local/bin/parcel-risk-night", f"={SCRIPT}"), encoding="utf-8")
    result = called("systemd-analyze", "verify", *units)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_unit_keeps_the_program_from_what_it_does_not_need() -> None:
    unit = SERVICE / "parcel-risk-night.service"
    result = called("systemd-analyze", "security", "--offline=true", "--threshold=30", unit)
    assert result.returncode == 0, result.stdout


def test_a_run_that_fails_is_told_each_time_because_systemd_does_not_restart_it() -> None:
    unit = (SERVICE / "parcel-risk-night.service").read_text(encoding="utf-8")
    assert "\nOnFailure=parcel-risk-alert@%n.service\n" in unit
    assert "\nRestart=" not in unit


def test_the_alerts_fire_when_they_should_and_not_before() -> None:
    result = called("promtool", "test", "rules", ROOT / "docs/prometheus/parcel_risk.rules.test.yml")
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_metric_of_an_alert_is_one_that_is_written() -> None:
    rules = (ROOT / "docs/prometheus/parcel_risk.rules.yml").read_text(encoding="utf-8")
    written = (ROOT / "pipelines/night/metrics_file.py").read_text(encoding="utf-8")
    for name in set(re.findall(r"parcel_risk_\w+", rules)):
        assert f'"{name.removeprefix("parcel_risk_score_")}"' in written, name


@pytest.mark.parametrize(("hour", "runs"), [("00", 0), ("01", 1), ("02", 1), ("03", 1), ("04", 0), ("17", 0)])
def test_cron_begins_the_night_by_the_hour_in_china(hour: str, runs: int, tmp_path: Path) -> None:
    (line,) = re.findall(
        r"^30 \* \* \* \*  parcel-risk  (.*)$", (SERVICE / "parcel-risk.cron").read_text(), re.M
    )
    # cron takes a bare % for the end of the line.
    assert not re.search(r"(?<!\\)%", line)
    program(tmp_path / "bin", "date", f'[ "$TZ $*" = "CST-8 +%H" ] && echo {hour}')
    program(tmp_path / "bin", "night", "echo night")
    command = line.replace("\\%", "%").replace("/usr/local/bin/parcel-risk-night", "night")
    result = shell(command, tmp_path / "bin")
    assert (result.returncode, result.stdout, result.stderr) == (0, "night\n" * runs, "")


@pytest.mark.parametrize(
    ("ingested", "scored", "ended", "verbs"),
    [
        (0, 0, 0, ["ingest", "score"]),
        (3, 0, 3, ["ingest", "score"]),
        (3, 5, 5, ["ingest", "score"]),
        (0, 4, 4, ["ingest", "score"]),
        (1, 0, 1, ["ingest"]),
    ],
)
def test_the_script_takes_in_the_whole_folder_and_ends_as_its_runs_do(
    ingested: int, scored: int, ended: int, verbs: list[str], tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    environment.write_text("MLFLOW_TRACKING_URI=https://mlflow.example.org\n")
    stub = f'echo "$@ $MLFLOW_TRACKING_URI"; [ "$1" = ingest ] && exit {ingested}; exit {scored}'
    program(tmp_path / "bin", "parcel-risk", stub)
    text = SCRIPT.read_text(encoding="utf-8").replace("/etc/parcel-risk/environment", str(environment))
    result = shell(text, tmp_path / "bin")
    calls = [line.split() for line in result.stdout.splitlines()]
    assert (result.returncode, [call[0] for call in calls]) == (ended, verbs)
    assert calls[0][1] == "/data/incoming"
    assert all(call[-1] == "https://mlflow.example.org" for call in calls)
    assert bool(result.stderr) == bool(ended)
