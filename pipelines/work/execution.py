"""Runs one function over many items on whatever executor is at hand.

In this process, in processes on this machine, or on a Dask cluster whose workers share the store's file
system. The function and its items are the same in all three; so are the results.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from configs.errors import UsageError
from pipelines.work.attempts import Item, Limits, Result, TaskResults, concerns_the_run, in_words
from pipelines.work.process_pool import Answer, ProcessPool, tried
from pipelines.work.progress import Progress

logger = logging.getLogger(__name__)

# Items by their place, and how many may be worked on at once; yields each place with its answer.
_Attempt = Callable[[Mapping[int, Any], int], Iterator[tuple[int, Answer]]]


@dataclass(frozen=True)
class Executor:
    """Where the tasks of a run are worked on, and how patiently.

    With one worker and no scheduler everything runs in this process, which can then neither be stopped for
    taking too long nor outlive its own death.

    Attributes:
        workers: processes of this machine, or workers of the cluster that have to be there.
        threads: of each of them.
        scheduler: address of the Dask cluster to work on instead of this machine.
        limits: tries of a task, and the time that each may take. On a cluster, tries are Dask's own retries.
        progress: where the tasks that are done are counted.
        pool: the processes that serve all steps of a run, whose threads count then; without one each step
            starts its own.
    """

    workers: int = 1
    threads: int = 1
    scheduler: str | None = None
    limits: Limits = field(default_factory=Limits)
    progress: Progress = field(default_factory=Progress.silent)
    pool: ProcessPool | None = None

    def run(
        self, step: str, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> TaskResults[Result]:
        """The results of `function` for every item, in the order of the items.

        An item that fails, whose process dies, or that takes too long is tried again after the others, with
        nothing at work beside it: want of memory is mostly that of two together.

        Args:
            step: what is shown meanwhile, and logged of an item that failed.
            function: importable, where other processes call it.
            items: tasks that a process can be sent; one alone stays in this process.

        Raises:
            OSError: the disk is full, or something else that no item is at fault for; likewise other types.
        """
        by_place = dict(enumerate(items))
        names = {place: f"{step}: {_name(item)}" for place, item in by_place.items()}
        with self.progress.task(step, total=len(items)) as bar:
            if self.scheduler is not None:
                support = _cluster_support()
                with support.cluster(self.scheduler, threads=self.threads, limits=self.limits) as cluster:
                    return _collect(_on(cluster, function), by_place, len(items), 1, names, bar.advance)
            if self.workers == 1 or len(items) <= 1:

                def here(some: Mapping[int, Any], _: int) -> Iterator[tuple[int, Answer]]:
                    return ((place, tried(function, item)) for place, item in some.items())

                return _collect(here, by_place, 1, self.limits.tries, names, bar.advance)
            with ProcessPool(self.threads) if self.pool is None else nullcontext(self.pool) as pool:

                def beside(some: Mapping[int, Any], most: int) -> Iterator[tuple[int, Answer]]:
                    return pool.work(function, some, most, self.limits.seconds)

                most = min(self.workers, len(items))
                return _collect(beside, by_place, most, self.limits.tries, names, bar.advance)

    def check(self, *, store: Path, overlay: Path | None) -> None:
        """Checks that a cluster can do the work before it is sent any; see `pipelines.work.cluster.check`."""
        if self.scheduler is not None:
            _cluster_support().check(
                self.scheduler, store=store, overlay=overlay, workers=self.workers, threads=self.threads
            )


def _name(item: Any) -> str:
    file = getattr(item, "file", item)
    return str(getattr(file, "name", file))


def _collect(
    attempt: _Attempt,
    items: Mapping[int, Item],
    workers: int,
    tries: int,
    names: Mapping[int, str],
    done: Callable[[], None],
) -> TaskResults[Any]:
    results: dict[int, Any] = {}
    failures: dict[int, list[str]] = {}

    def note(place: int, answer: Answer) -> None:
        if answer.error is not None:
            raise answer.error
        if answer.failure is None:
            results[place] = answer.result
            done()
            return
        failures.setdefault(place, []).append(answer.failure)
        number = len(failures[place])
        verdict = "will be tried again" if number < tries else "is set aside"
        logger.warning(
            "%s failed (try %d of %d) and %s: %s", names[place], number, tries, verdict, answer.failure,
            extra={"item": names[place], "try": number, "tries": tries, "reason": answer.failure},
        )  # fmt: skip
        if number == tries:
            done()

    for place, answer in attempt(items, workers):
        note(place, answer)
    for place in sorted(failures):
        while place not in results and len(failures[place]) < tries:
            for _, answer in attempt({place: items[place]}, 1):
                note(place, answer)
    failed = {place: reasons[-1] for place, reasons in sorted(failures.items()) if place not in results}
    retried = {
        place: reasons if place in results else reasons[:-1]
        for place, reasons in sorted(failures.items())
        if place in results or len(reasons) > 1
    }
    return TaskResults([results.get(place) for place in items], failed, retried)


def _on(cluster: futures.Executor, function: Callable[[Any], Any]) -> _Attempt:
    def attempt(items: Mapping[int, Any], _: int) -> Iterator[tuple[int, Answer]]:
        waiting = {cluster.submit(function, item): place for place, item in items.items()}
        try:
            for future in futures.as_completed(waiting):
                error = future.exception()
                if error is None:
                    answer = Answer(future.result())
                elif concerns_the_run(error):
                    answer = Answer(error=error)
                else:
                    answer = Answer(failure=in_words(error))
                yield waiting[future], answer
        finally:
            for future in waiting:
                future.cancel()

    return attempt


def _cluster_support() -> ModuleType:
    """`pipelines.work.cluster`, which is imported only where a scheduler is named.

    Raises:
        UsageError: Dask is not installed.
    """
    try:
        importlib.import_module("distributed")
    except ImportError as error:
        raise UsageError(
            f"--scheduler needs the package `distributed`, which is not installed ({error}): install the "
            "extra `cluster` in this environment, or run `pip install distributed`, on the machines of the "
            "scheduler and the workers too"
        ) from error
    return importlib.import_module("pipelines.work.cluster")
