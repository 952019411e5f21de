"""Runs one function over many items on whatever executor is at hand.

In this process, in processes on this machine, or on a Dask cluster whose workers share the store's file
system. The function and its items are the same in all three; so are the results.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from configs.errors import UsageError
from pipelines.work.attempts import Limits, Outcomes, concerns_the_run, in_words
from pipelines.work.processes import Answer, Crew, tried

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
# Items by their place, and how many may be worked on at once; yields each place with its answer.
_Attempt = Callable[[Mapping[int, Any], int], Iterator[tuple[int, Answer]]]


def run(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int,
    threads: int,
    scheduler: str | None,
    limits: Limits,
    done: Callable[[], None],
    name: Callable[[Item], str] = str,
    crew: Crew | None = None,
) -> Outcomes[Result]:
    """What became of `function` for every item, in the order of the items.

    An item that fails, whose process dies, or that takes too long is tried again, at most `limits.tries`
    times in all, after the others and with nothing at work beside it: want of memory is mostly that of two
    together. `done` is called as an item is done with, `name` says in the log which one failed.

    With one worker or one item, and no scheduler, everything runs in this process, which can then neither be
    stopped for taking too long nor outlive its own death. On a cluster, tries are Dask's own retries. Several
    workers are those of the `crew`, whose threads count then, or some that end with the call.

    Raises what no item is at fault for, such as OSError on a full disk.
    """
    by_place = dict(enumerate(items))
    told = {place: name(item) for place, item in by_place.items()}
    if scheduler is not None:
        with _cluster_support().cluster(scheduler, threads=threads, limits=limits) as executor:
            return _collect(_on(executor, function), by_place, len(items), 1, told, done)
    if workers == 1 or len(items) <= 1:

        def here(some: Mapping[int, Any], _: int) -> Iterator[tuple[int, Answer]]:
            return ((place, tried(function, item)) for place, item in some.items())

        return _collect(here, by_place, 1, limits.tries, told, done)
    with Crew(threads) if crew is None else nullcontext(crew) as hands:

        def beside(some: Mapping[int, Any], most: int) -> Iterator[tuple[int, Answer]]:
            return hands.work(function, some, most, limits.seconds)

        return _collect(beside, by_place, min(workers, len(items)), limits.tries, told, done)


def _collect(
    attempt: _Attempt,
    items: Mapping[int, Item],
    workers: int,
    tries: int,
    told: Mapping[int, str],
    done: Callable[[], None],
) -> Outcomes[Any]:
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
            "%s failed (try %d of %d) and %s: %s", told[place], number, tries, verdict, answer.failure,
            extra={"item": told[place], "try": number, "tries": tries, "reason": answer.failure},
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
    return Outcomes([results.get(place) for place in items], failed, retried)


def _on(executor: Executor, function: Callable[[Any], Any]) -> _Attempt:
    def attempt(items: Mapping[int, Any], _: int) -> Iterator[tuple[int, Answer]]:
        futures = {executor.submit(function, item): place for place, item in items.items()}
        try:
            for future in as_completed(futures):
                error = future.exception()
                if error is None:
                    answer = Answer(future.result())
                elif concerns_the_run(error):
                    answer = Answer(error=error)
                else:
                    answer = Answer(failure=in_words(error))
                yield futures[future], answer
        finally:
            for future in futures:
                future.cancel()

    return attempt


def check_cluster(address: str, *, store: Path, overlay: Path | None, workers: int, threads: int) -> None:
    """See that a cluster can do a run's work before it is sent any; see `pipelines.work.cluster.check`."""
    _cluster_support().check(address, store=store, overlay=overlay, workers=workers, threads=threads)


def _cluster_support() -> ModuleType:
    """`pipelines.work.cluster`, which is imported only where a scheduler is named.

    Raises UsageError where Dask is not installed.
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
