"""A pool of processes that work on one item each; one may die or hang without harm to the others.

Every worker has a pipe of its own, so that it is known which item a worker had when it died: only that item
is charged with it. The pool of `concurrent.futures` breaks as a whole instead, and knows no limit of time.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Self

from pipelines import collect_rarely
from pipelines.work.attempts import concerns_the_run, in_words

_THREAD_VARIABLES = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_SECONDS_TO_END = 10.0
# Until a process has loaded the program and its item; only then the time of the item counts.
_SECONDS_TO_BEGIN = 300.0
_BEGUN = "begun"
# Polars and OpenMP hold locks that do not survive a fork, so workers start afresh.
_CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Answer:
    """The result of an item, why it failed, or the error that ends the run."""

    result: Any = None
    failure: str | None = None
    error: BaseException | None = None


def thread_environment(threads: int) -> dict[str, str]:
    """The variables with which a process starts to have so many threads, which sleep while they wait."""
    return {**dict.fromkeys(_THREAD_VARIABLES, str(threads)), "OMP_WAIT_POLICY": "PASSIVE"}


class _Worker:
    """One process, and the item that it works on."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.pipe, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs,), daemon=True)
        with _environment(environment):
            self._process.start()
        # With its other end open here as well, the death of the worker would not close the pipe.
        theirs.close()
        self.place: int | None = None
        self._deadline: float | None = None

    def give(self, place: int, function: Callable[[Any], Any], item: Any, seconds: float | None) -> None:
        """Hand over an item."""
        self.place = place
        # A clock that is set while the night runs does not move this one.
        self._deadline = None if seconds is None else time.monotonic() + _SECONDS_TO_BEGIN + seconds
        with suppress(BrokenPipeError, ConnectionResetError):  # it died, which `answer` reports
            self.pipe.send((function, item))

    @property
    def seconds_left(self) -> float | None:
        """Until its time is up; None where it has any time."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def answer(self, seconds: float | None) -> Answer | None:
        """Its answer; None while it works within its time."""
        try:
            if self.pipe.poll():
                message = self.pipe.recv()
                if isinstance(message, Answer):
                    return message
                if seconds is not None:
                    self._deadline = time.monotonic() + seconds
        except (EOFError, OSError):
            self._process.join(_SECONDS_TO_END)
            return Answer(failure=_ended(self._process.exitcode))
        if self.seconds_left == 0.0:
            return Answer(failure=f"took longer than {seconds:g} seconds and was stopped")
        return None

    def end(self, *, kindly: bool) -> None:
        """Let it end by itself where it has nothing to do, else kill it."""
        self.pipe.close()
        if kindly:
            self._process.join(_SECONDS_TO_END)
        self._process.kill()
        self._process.join(_SECONDS_TO_END)
        if self._process.exitcode is not None:
            self._process.close()


class ProcessPool:
    """Workers of one run, started as they are needed and kept until it ends: starting one takes seconds.

    A context manager; leaving it ends the workers, busy or not. Each has so many `threads`.
    """

    def __init__(self, threads: int) -> None:
        self._environment = thread_environment(threads)
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def work(
        self, function: Callable[[Any], Any], items: Mapping[int, Any], workers: int, seconds: float | None
    ) -> Iterator[tuple[int, Answer]]:
        """Yields each item's place and answer as they come; at most `workers` items are worked on at a time.

        A worker that dies, or that takes longer than `seconds` for an item, is replaced.
        """
        waiting = deque(items.items())
        while waiting or self._busy:
            while waiting and len(self._busy) < workers:
                worker = self._idle.pop() if self._idle else _Worker(self._environment)
                self._busy.append(worker)
                place, item = waiting.popleft()
                worker.give(place, function, item, seconds)
            times = [worker.seconds_left for worker in self._busy]
            soonest = min((left for left in times if left is not None), default=None)
            wait([worker.pipe for worker in self._busy], soonest)
            for worker in list(self._busy):
                answer = worker.answer(seconds)
                if answer is None:
                    continue
                assert worker.place is not None
                self._busy.remove(worker)
                if answer.failure is None and answer.error is None:
                    self._idle.append(worker)
                else:
                    # What failed may have left much memory behind, so the next item gets a fresh process.
                    worker.end(kindly=False)
                yield worker.place, answer

    def __exit__(self, *_: object) -> None:
        for worker in self._busy:
            worker.end(kindly=False)
        for worker in self._idle:
            worker.pipe.close()
        for worker in self._idle:
            worker.end(kindly=True)
        self._busy, self._idle = [], []


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def tried(function: Callable[[Any], Any], item: Any) -> Answer:
    """The answer of a function called in this process."""
    try:
        return Answer(function(item))
    except BaseException as error:  # noqa: BLE001 - a panic of Polars is no `Exception`
        return Answer(error=error) if concerns_the_run(error) else Answer(failure=in_words(error))


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        hint = ", mostly for want of memory" if -code == signal.SIGKILL else ""
        return f"its process was killed ({name}{hint})"
    return f"its process ended by itself (exit code {code})"


def _serve(pipe: Connection) -> None:
    # An interruption from the keyboard reaches all processes; the one that started them decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    collect_rarely()
    while True:
        try:
            function, item = pipe.recv()
        except EOFError:
            # There is nothing to tidy up, and to take down what is in memory object by object takes a second.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
        pipe.send(_BEGUN)
        answer = tried(function, item)
        try:
            pipe.send(answer)
        except OSError:
            return
        except Exception as error:  # noqa: BLE001 - a result that cannot be sent is a failure like any other
            pipe.send(Answer(failure=in_words(error)))


def _end_with_parent() -> None:
    """Let this worker end when the run that it works for is killed, also in the middle of an item."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
