"""What a process of a Dask cluster reports of itself before it gets work, and how it takes on its threads.

Runs in the scheduler and the workers. Polars reads the number of its threads when it is imported, so nothing
here imports it, nor a module that does, before that number is set.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import os
import platform
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic

from configs.errors import UsageError
from pipelines.work.attempts import Item, Result
from pipelines.work.caches import name_caches
from pipelines.work.process_pool import thread_environment

logger = logging.getLogger(__name__)

# What computes a score, and what carries the work: another version may differ in the last bit.
_SOFTWARE = ("distributed", "lightgbm", "llvmlite", "numba", "numpy", "polars")


@dataclass(frozen=True)
class Wanted:
    """The threads of a task, the umask of what it writes, and the folders that a process of the cluster has
    to see.

    `marker` was just made in the store, so that a folder of its name on another disk is not taken for it.
    """

    threads: int
    umask: int
    marker: Path
    overlay: Path | None


@dataclass(frozen=True)
class Program:
    """Versions by package, and a digest of the program's own files."""

    software: Mapping[str, str]
    code: str


@dataclass(frozen=True)
class Environment:
    """What a worker has: its program, threads, the kind of processor, the fingerprint of the reference tables
    and catalogues as it reads them, and a message where it cannot write to the store.
    """

    program: Program
    tasks_at_once: int
    polars_threads: int
    processor: str
    tables: str
    store_fault: str


def set_threads(threads: int) -> None:
    """Let the libraries that this process imports from now on have that many threads."""
    os.environ.update(thread_environment(threads))


def program() -> Program:
    """What this process runs."""
    software = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in _SOFTWARE:
        try:
            software[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            software[name] = "missing"
    return Program(software, code_digest())


def describe(wanted: Wanted, dask_worker: Any = None) -> Environment:
    """What this worker has of what is wanted, with its threads set; `dask_worker` is handed in by Dask."""
    set_threads(wanted.threads)
    os.umask(wanted.umask)
    name_caches(wanted.marker.parents[1])
    import llvmlite.binding
    import polars as pl

    return Environment(
        program=program(),
        tasks_at_once=1 if dask_worker is None else int(dask_worker.state.nthreads),
        polars_threads=pl.thread_pool_size(),
        processor=str(llvmlite.binding.get_host_cpu_name()),
        tables=tables_digest(wanted.overlay),
        store_fault=_store_fault(wanted.marker),
    )


def unfit(environment: Environment, expected: Program, wanted: Wanted) -> list[str]:
    """What a worker lacks, and what to do about it, in words."""
    faults = other_program(environment.program, expected)
    if environment.store_fault:
        faults.append(
            f"expected the store at {wanted.marker.parents[1]} and leave to write there, came: "
            f"{environment.store_fault}. Mount the file system that holds it under the same path"
        )
    if not faults and environment.tables != tables_digest(wanted.overlay):
        faults.append(
            f"reads another configuration from {wanted.overlay or 'the package'} ({environment.tables}): "
            "put the folder where every worker sees it under the same path"
        )
    if environment.tasks_at_once != 1:
        faults.append(
            f"expected one task at a time, came {environment.tasks_at_once}: start it with --nthreads 1, "
            "and more workers instead"
        )
    if environment.polars_threads != wanted.threads:
        faults.append(
            f"expected {wanted.threads} threads a task, came {environment.polars_threads}, which it had "
            f"before this run: start it again, with POLARS_MAX_THREADS={wanted.threads} or none"
        )
    return faults


def other_program(running: Program, expected: Program) -> list[str]:
    """In what a process of the cluster runs something else than this one."""
    others = [
        f"{name} {running.software.get(name, 'missing')} instead of {version}"
        for name, version in expected.software.items()
        if running.software.get(name) != version
    ]
    if running.code != expected.code:
        others.append(
            f"another version of parcel-risk: files {running.code[:8]} instead of {expected.code[:8]}"
        )
    if not others:
        return []
    return [f"has {', '.join(others)}. Install the same as here, and start it again"]


@lru_cache(maxsize=1)
def code_digest() -> str:
    """A digest of the program's files as this process found them: a later upgrade changes nothing here."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parents[2]
    for package in ("configs", "features", "models", "pipelines"):
        for file in sorted((root / package).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith("."):
                digest.update(f"{file.relative_to(root)}:{file.stat().st_size}\n".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def tables_digest(overlay: Path | None) -> str:
    """The fingerprint of the configuration folder without the settings (tasks bring them), or a fault."""
    from configs.loader import tables_fingerprint

    try:
        return tables_fingerprint(overlay)
    except OSError as error:
        return str(error)


def _store_fault(marker: Path) -> str:
    try:
        (marker / f"{socket.gethostname()}-{os.getpid()}").write_bytes(b"")
    except OSError as error:
        return str(error.strerror or error)
    return ""


@dataclass(frozen=True)
class Heedful(Generic[Item, Result]):
    """A function that a worker runs only if it has the same program, and not for longer than allowed.

    A worker that joined late was not asked for its program. One that hangs ends itself, so that the task goes
    to another: a cluster has no limit of time.
    """

    function: Callable[[Item], Result]
    code: str
    seconds: float | None

    def __call__(self, item: Item) -> Result:
        """The result of the function.

        Raises:
            UsageError: this process has another program.
        """
        if code_digest() != self.code:
            raise UsageError(
                f"a worker that joined the cluster during the run, process {os.getpid()} on "
                f"{socket.gethostname()}, has another version of parcel-risk: install the same one there, "
                "restart the worker, and start the run again"
            )
        if self.seconds is None:
            return self.function(item)
        timer = threading.Timer(self.seconds, _end, (self.seconds,))
        timer.daemon = True
        timer.start()
        try:
            return self.function(item)
        finally:
            timer.cancel()


def _end(seconds: float) -> None:
    logger.error("a task took longer than %g seconds: this worker ends, and another gets the task", seconds)
    os._exit(1)
