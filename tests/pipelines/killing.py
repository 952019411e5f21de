"""Killing the program at a chosen moment, from a test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.places import ROOT

KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class End:
    """How a run ended: exit code (negative: the signal), its changes of files, and what it said."""

    status: int
    changes: list[str]
    said: str


class Killer:
    """Runs command lines in processes of their own; see `kill_driver`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self, arguments: Sequence[str], folder: Path | None = None, kill_at: tuple[str, int] | None = None
    ) -> End:
        """Run a command line and wait for its end.

        `kill_at` names the change of a file below `folder` at which it is killed: how the change begins, and
        the how manieth of that kind, counted from 1.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        job = {
            "arguments": list(arguments),
            "folder": None if folder is None else str(folder),
            "kill_at": kill_at,
        }
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the driver died"
        return End(**json.loads(answer))


@contextmanager
def killer() -> Iterator[Killer]:
    """The driver's process, ended at the end."""
    driver = Path(__file__).with_name("kill_driver.py")
    checkout = str(ROOT)
    environment = {**os.environ, "PYTHONPATH": checkout, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    with subprocess.Popen(
        [sys.executable, str(driver)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            yield Killer(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
