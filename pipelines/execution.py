"""Runs one function over many items on whatever executor is at hand.

In this process, in a pool of processes on this machine, or on a Dask cluster whose workers share the store's
file system. The function and its items are the same in all three; so are the results.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

from configs.errors import UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREAD_VARIABLES = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int,
    threads: int,
    scheduler: str | None,
    done: Callable[[], None],
) -> list[Result]:
    """The results of `function` for every item, in the order of the items.

    `done` is called as each finishes. The first exception of an item is raised after the others have been
    cancelled. With one worker or one item, and no scheduler, everything runs in this process.
    """
    if scheduler is None and (workers == 1 or len(items) <= 1):
        results = []
        for item in items:
            results.append(function(item))
            done()
        return results
    with _executor(min(workers, len(items)), threads, scheduler) as executor:
        futures = {executor.submit(function, item): position for position, item in enumerate(items)}
        outcome: dict[int, Result] = {}
        try:
            for future in as_completed(futures):
                outcome[futures[future]] = future.result()
                done()
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return [outcome[position] for position in range(len(items))]


@contextmanager
def _executor(workers: int, threads: int, scheduler: str | None) -> Iterator[Executor]:
    if scheduler is not None:
        with _cluster(scheduler) as executor:
            yield executor
        return
    before = {name: os.environ.get(name) for name in (*_THREAD_VARIABLES, "OMP_WAIT_POLICY")}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)), OMP_WAIT_POLICY="PASSIVE")
    try:
        # Polars and OpenMP hold locks that do not survive a fork, so workers start afresh.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
            yield pool
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _end_with_parent() -> None:
    """Let this worker end when the run that it works for is killed.

    It would wait for its next item for ever, since it holds both ends of the queue itself.
    """
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    try:
        distributed = importlib.import_module("distributed")
    except ImportError as error:
        raise UsageError(
            "--scheduler needs the package `distributed`, which is not installed: "
            "install it in this environment with `pip install distributed`, on the workers too"
        ) from error
    try:
        client = distributed.Client(address, timeout="20s")
    except OSError as error:
        raise UsageError(f"expected a Dask scheduler at {address}, none answered: {error}") from error
    with client:
        yield client.get_executor(pure=False)
