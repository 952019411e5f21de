"""Runs tasks on a Dask cluster whose workers share the store's file system; the extra `cluster`.

This is the only module that knows Dask, and it is imported only where a scheduler is named. Scheduling,
giving the work of a lost worker to another and carrying results are Dask's. Here is what a night needs
beside: every worker is fit before it gets work, and the night ends where the cluster does.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from distributed import Client, Worker, WorkerPlugin

from configs.errors import ClusterError, UsageError
from pipelines.store.layout import Layout
from pipelines.work.attempts import Limits
from pipelines.work.cluster_worker import (
    Environment,
    Heedful,
    Wanted,
    code_digest,
    describe,
    other_program,
    program,
    set_threads,
    unfit,
)
from pipelines.work.permissions import umask_now

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 20.0
# A cluster that replaces lost workers by itself may need minutes for it.
WITHOUT_WORKERS_SECONDS = 300.0


class Threads(WorkerPlugin):
    """Gives workers that join during a run, or are started again, the threads of the others."""

    name = "parcel-risk-threads"

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def setup(self, worker: Worker) -> None:
        """Called by Dask in each worker before it gets work."""
        set_threads(self.threads)


@contextmanager
def cluster(address: str, *, threads: int, limits: Limits) -> Iterator[Executor]:
    """An executor on the cluster whose scheduler is at `address`.

    Workers that join from now on have `threads` a task; see `check` for those that are there already. By
    `limits` a task is tried again, and a worker that takes too long for it ends itself.

    Raises:
        UsageError: no scheduler answers there, or a worker that joined late has another program.
        ClusterError: the scheduler is gone, or all workers are, for good.
    """
    with _client(address) as client:
        executor = _Executor(client, limits)
        with _threads_of_newcomers(client, threads), _watch(client, executor) as is_gone:
            try:
                yield executor
            except CancelledError as error:
                what = "has had no worker left" if is_gone() else "does not answer any more"
                raise ClusterError(
                    f"the Dask cluster at {address} {what}: see the logs of its scheduler and workers. "
                    "What was finished is kept, and the same command goes on from there."
                ) from error


def check(address: str, *, store: Path, overlay: Path | None, workers: int, threads: int) -> None:
    """Wait for `workers` workers, and see that each can do this run's work; sets their threads a task.

    `store`, whose lock this run holds, and `overlay` are whole paths.

    Raises:
        UsageError: no scheduler answers, workers are missing, or some are not fit; names each of them.
    """
    layout = Layout(store)
    marker = layout.cluster_marker(uuid4().hex)
    for left in layout.cluster_markers():
        shutil.rmtree(left, ignore_errors=True)
    with _client(address) as client:
        try:
            client.wait_for_workers(workers, timeout=CONNECT_SECONDS)
        except TimeoutError as error:
            raise UsageError(
                f"expected at least {workers} workers at the Dask scheduler {address}, found "
                f"{len(client.nthreads())} after {CONNECT_SECONDS:.0f} seconds: "
                f"start more with `dask worker {address} --nthreads 1`"
            ) from error
        marker.mkdir(parents=True)
        wanted = Wanted(threads, umask_now(), marker, overlay)
        try:
            faults, processors = _ask(client, wanted)
        finally:
            shutil.rmtree(marker, ignore_errors=True)
        if faults:
            raise UsageError(
                f"the Dask cluster at {address} is not fit for this run, and was sent nothing:\n  "
                + "\n  ".join(faults)
            )
        if len(processors) > 1:
            logger.warning(
                "the workers have different processors (%s): the last bits of a score may depend on which of "
                "them computed it",
                ", ".join(sorted(processors)),
            )


def _ask(client: Client, wanted: Wanted) -> tuple[list[str], set[str]]:
    """What is wrong with scheduler and workers, in words, and the processors that there are."""
    expected, faults, processors = program(), list[str](), set[str]()
    names = {key: info["name"] for key, info in client.scheduler_info()["workers"].items()}
    answers: dict[str, Environment | Exception] = client.run(describe, wanted, on_error="return")
    for key, answer in answers.items():
        if isinstance(answer, Environment):
            wrong = unfit(answer, expected, wanted)
            processors.add(answer.processor)
        else:
            wrong = [_without_program(answer)]
        faults += [f"worker {names.get(key, 'new')} ({key}): {fault}" for fault in wrong]
    try:
        # It takes a task apart to plan it, and so needs the same packages.
        wrong = other_program(client.run_on_scheduler(program), expected)
    except Exception as error:  # noqa: BLE001 - whatever it is, it happened there
        wrong = [_without_program(error)]
    return faults + [f"the scheduler: {fault}" for fault in wrong], processors


def _without_program(error: Exception) -> str:
    return (
        f"cannot run parcel-risk ({error or type(error).__name__}): install the same version as here, "
        "and start it again"
    )


class _Executor(Executor):
    """That of Dask, which hands a function out together with what a worker has to heed."""

    def __init__(self, client: Client, limits: Limits) -> None:
        self._dask: Executor = client.get_executor(pure=False, retries=limits.tries - 1)
        self._seconds = limits.seconds

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The outcome of a task, once a worker has run it."""
        return self._dask.submit(Heedful(fn, code_digest(), self._seconds), *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End; without `wait`, tasks that are not done are cancelled."""
        self._dask.shutdown(wait=wait and not cancel_futures)


@contextmanager
def _client(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="parcel-risk")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"expected a Dask scheduler at {address}, none answered within {CONNECT_SECONDS:.0f} seconds "
            f"({error}): start one with `dask scheduler`, and give the address that it shows"
        ) from error
    with client:
        yield client


@contextmanager
def _threads_of_newcomers(client: Client, threads: int) -> Iterator[None]:
    try:
        client.register_plugin(Threads(threads))
    except Exception as error:
        raise UsageError(
            f"a worker that joined the cluster during the run {_without_program(error)}"
        ) from error
    try:
        yield
    finally:
        # It would turn workers away that have another version, though the next run may want that one.
        with suppress(Exception):
            client.unregister_worker_plugin(Threads.name)


@contextmanager
def _watch(client: Client, executor: Executor) -> Iterator[Callable[[], bool]]:
    """Cancels the work when there has been no worker for long: Dask would wait for one for ever.

    Yields whether that has happened.
    """
    end, gone = threading.Event(), threading.Event()

    def watch() -> None:
        left = WITHOUT_WORKERS_SECONDS
        pause = min(5.0, left)
        while not end.wait(pause):
            left = WITHOUT_WORKERS_SECONDS if client.nthreads() else left - pause
            if left <= 0:
                gone.set()
                executor.shutdown(wait=False)
                return

    thread = threading.Thread(target=watch, name="watch-cluster", daemon=True)
    thread.start()
    try:
        yield gone.is_set
    finally:
        end.set()
        thread.join(timeout=5)
