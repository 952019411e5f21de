"""One function over many items, in this process or in others: the same results, and no worker is left."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from configs.errors import DataError, UsageError
from pipelines.work.attempts import Limits, TaskResults
from pipelines.work.execution import Executor
from pipelines.work.progress import Progress, Task
from tests.places import ROOT

THRICE = Limits(tries=3)


class Counting(Progress):
    """Counts the tasks that are done, by step."""

    def __init__(self) -> None:
        super().__init__(shown=False)
        self.steps: Counter[str] = Counter()

    @contextmanager
    def task(self, description: str, total: int | None = None) -> Iterator[Task]:
        """A task that adds to `steps`."""
        count = self.steps

        class Counted(Task):
            def advance(self, n: int = 1) -> None:
                count[description] += n

        yield Counted()


def half(number: int) -> int:
    if number % 2:
        raise DataError(f"expected an even number, came {number}")
    return number // 2


def environment_of_threads(_: int) -> list[str | None]:
    return [os.environ.get(name) for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS")]


def note(file: Path) -> int:
    """How often this was called with the file, by now."""
    with file.open("a") as handle:
        handle.write("x")
    return file.stat().st_size


def dies_at_first(file: Path) -> str:
    if note(file) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return file.name


def dies(file: Path) -> str:
    note(file)
    if file.name == "bad":
        os.kill(os.getpid(), signal.SIGKILL)
    return file.name


def hangs(file: Path) -> str:
    note(file)
    if file.name == "bad":
        # Not even a signal that asks for an end helps against code that never comes back.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(60)
    return file.name


def fails_twice(file: Path) -> str:
    if note(file) < 3:
        raise MemoryError
    return file.name


def finds_no_room(file: Path) -> str:
    note(file)
    raise OSError(errno.ENOSPC, "No space left on device", "/data/store/x")


def panics(_: int) -> int:
    class Panic(BaseException):
        """What Polars raises where its own code fails is no `Exception`."""

    raise Panic


def cannot_be_sent(_: int) -> Callable[[], int]:
    return lambda: 1


def outcomes(
    function: Callable[[Any], Any], items: list[Any], workers: int, limits: Limits = THRICE
) -> TaskResults[Any]:
    return Executor(workers, limits=limits).run("step", function, items)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    progress = Counting()
    found = Executor(workers, progress=progress).run("absolute", abs, [-3, 2, -1])
    assert found == TaskResults([3, 2, 1])
    assert found.succeeded == [3, 2, 1]
    assert progress.steps == {"absolute": 3}


def test_nothing_to_do() -> None:
    assert outcomes(half, [], 4) == TaskResults([])


@pytest.mark.parametrize("workers", [1, 2])
def test_an_item_that_fails_is_set_aside_after_its_tries(
    workers: int, caplog: pytest.LogCaptureFixture
) -> None:
    found = outcomes(half, [2, 7, 4], workers)
    reason = "expected an even number, came 7"
    assert found == TaskResults([1, None, 2], {1: reason}, {1: [reason, reason]})
    assert found.succeeded == [1, 2]
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == f"step: 7 failed (try 1 of 3) and will be tried again: {reason}"
    assert said[2] == f"step: 7 failed (try 3 of 3) and is set aside: {reason}"
    assert len(said) == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_what_fails_for_a_while_is_done_in_the_end(workers: int, tmp_path: Path) -> None:
    files = [tmp_path / "first", tmp_path / "second"]
    found = outcomes(fails_twice, files, workers)
    tries = ["out of memory", "out of memory"]
    assert found == TaskResults(["first", "second"], {}, {0: tries, 1: tries})


def test_a_worker_that_dies_is_replaced_and_its_item_tried_again(tmp_path: Path) -> None:
    files = [tmp_path / str(number) for number in range(5)]
    (tmp_path / "4").write_text("x")
    found = outcomes(dies_at_first, files, 2)
    assert found.results == ["0", "1", "2", "3", "4"]
    killed = ["its process was killed (SIGKILL, mostly for want of memory)"]
    assert found.retried == dict.fromkeys(range(4), killed)


def test_an_item_that_kills_every_worker_costs_no_other_item_a_try(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "bad", "c", "d")]
    found = outcomes(dies, files, 2)
    assert found.results == ["a", None, "c", "d"]
    assert list(found.failed) == [1]
    assert "SIGKILL" in found.failed[1]
    assert [file.stat().st_size for file in files] == [1, 3, 1, 1]


def test_a_worker_that_hangs_is_stopped_and_its_item_set_aside(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "bad", "c")]
    found = outcomes(hangs, files, 2, Limits(tries=2, seconds=2.0))
    assert found.results == ["a", None, "c"]
    assert found.failed == {1: "took longer than 2 seconds and was stopped"}
    assert files[1].stat().st_size == 2


def test_a_clock_that_is_set_forward_stops_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = time.time()
    days = iter(range(1, 10_000))
    monkeypatch.setattr(time, "time", lambda: start + 86_400.0 * next(days))
    files = [tmp_path / name for name in ("a", "b", "c")]
    assert outcomes(dies, files, 2, Limits(tries=1, seconds=600.0)) == TaskResults(["a", "b", "c"])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_ends_the_run_at_once(workers: int, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b", "c", "d")]
    with pytest.raises(OSError, match="No space left") as caught:
        outcomes(finds_no_room, files, workers)
    assert caught.value.errno == errno.ENOSPC
    assert sum(file.exists() for file in files) <= workers, "the others were not begun"


@pytest.mark.parametrize(("function", "workers"), [(panics, 1), (panics, 2), (cannot_be_sent, 2)])
def test_no_failure_of_an_item_escapes(function: Callable[[int], Any], workers: int) -> None:
    found = outcomes(function, [1, 2], workers, Limits(tries=1))
    assert list(found.failed) == [0, 1]
    assert all(reason.startswith("unexpected ") for reason in found.failed.values())


def test_workers_have_the_threads_that_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", "5")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = Executor(workers=2, threads=3).run("threads", environment_of_threads, [1, 2])
    assert found.results == [["3", "3"]] * 2
    assert environment_of_threads(0) == ["5", None], "the caller's own environment is as it was"


def test_workers_of_a_killed_run_end(tmp_path: Path) -> None:
    pipes = [tmp_path / "first", tmp_path / "second"]
    for pipe in pipes:
        os.mkfifo(pipe)
    checkout = ROOT
    with subprocess.Popen(
        [sys.executable, "-m", "tests.pipelines.pausing", *map(str, pipes)],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    ) as parent:
        # Reading waits until the workers are at work.
        workers = [os.pidfd_open(int(pipe.read_text(encoding="utf-8"))) for pipe in pipes]
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    try:
        for worker in workers:
            ended, _, _ = select.select([worker], [], [], 60)
            assert ended, "a worker of a killed run goes on for ever"
    finally:
        for worker in workers:
            if not select.select([worker], [], [], 0)[0]:
                signal.pidfd_send_signal(worker, signal.SIGKILL)
            os.close(worker)


def test_a_cluster_without_its_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="pip install distributed"):
        Executor(scheduler="tcp://10.0.0.1:8786").run("step", half, [2])
