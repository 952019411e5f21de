"""A tracking server that can die and come back, on PostgreSQL or on a file."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

_WAIT_SECONDS = 180
# Half a dozen processes that nobody asks anything of.
_NO_JOBS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


class TrackingServer:
    """An MLflow server with all its data in a folder.

    Args:
        folder: empty.
        postgres: whether its database is a PostgreSQL server of its own, else a file.
    """

    def __init__(self, folder: Path, *, postgres: bool) -> None:
        self._folder, self._postgres = folder, postgres
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        self._port, self._database_port = _free_port(), _free_port()
        if postgres:
            self._binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
            shutil.chown(folder, "postgres")
            self._as_postgres("initdb", "-D", str(folder / "database"), "-A", "trust", "-U", "postgres")
            # MLflow's own driver for it, for the server alone: the program talks to the server.
            driver = [sys.executable, "-m", "pip", "install", "-qq", "--target", str(folder / "driver")]
            subprocess.run([*driver, "psycopg2-binary"], check=True)

    @property
    def address(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        database = f"sqlite:///{self._folder}/tracking.db"
        if self._postgres:
            options = f"-p {self._database_port} -k /tmp"
            data = str(self._folder / "database")
            self._as_postgres("pg_ctl", "-D", data, "-o", options, "-w", "-l", f"{data}.log", "start")
            database = f"postgresql+psycopg2://postgres@127.0.0.1:{self._database_port}/postgres"
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self._port)]
        files = ["--artifacts-destination", str(self._folder / "artifacts"), "--workers", "1"]
        driver = {"PYTHONPATH": str(self._folder / "driver")}
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *files, "--backend-store-uri", database],
                env=os.environ | driver | _NO_JOBS,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.5)
        raise SystemExit(f"the tracking server does not answer: {self._folder / 'server.log'}")

    def die(self) -> None:
        """Kill it, and its database, where they stand."""
        # Its workers outlive it, and may have groups of their own.
        while _kill_where(f"PYTHONPATH={self._folder / 'driver'}"):
            time.sleep(0.1)
        if self._process is not None:
            self._process.wait()
        if (self._folder / "database/postmaster.pid").exists():
            self._as_postgres("pg_ctl", "-D", str(self._folder / "database"), "-m", "immediate", "stop")

    def _as_postgres(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        subprocess.run(command, user="postgres", cwd="/", check=True, stdout=subprocess.DEVNULL)


def _kill_where(variable: str) -> int:
    """Kill the processes that have a variable of the environment so, and say how many there were."""
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        # Others end meanwhile, or are not to be looked into.
        with contextlib.suppress(OSError):
            if variable.encode() in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
                killed += 1
    return killed


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
