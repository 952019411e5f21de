"""One function over many items, in this process or in others: the same results, and no worker is left."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from configs.errors import DataError, UsageError
from pipelines.execution import run


def half(number: int) -> int:
    if number % 2:
        raise DataError(f"expected an even number, came {number}")
    return number // 2


def environment_of_threads(_: int) -> list[str | None]:
    return [os.environ.get(name) for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS")]


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    done: list[int] = []
    found = run(abs, [-3, 2, -1], workers=workers, threads=1, scheduler=None, done=lambda: done.append(1))
    assert found == [3, 2, 1]
    assert len(done) == 3


def test_nothing_to_do(tmp_path: Path) -> None:
    assert run(half, [], workers=4, threads=1, scheduler=None, done=lambda: None) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_the_error_of_an_item_is_raised_as_it_is(workers: int) -> None:
    with pytest.raises(DataError, match="came 7"):
        run(half, [2, 7, 4], workers=workers, threads=1, scheduler=None, done=lambda: None)


def test_workers_have_the_threads_that_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", "5")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = run(environment_of_threads, [1, 2], workers=2, threads=3, scheduler=None, done=lambda: None)
    assert found == [["3", "3"]] * 2
    assert environment_of_threads(0) == ["5", None], "the caller's own environment is as it was"


def test_workers_of_a_killed_run_end(tmp_path: Path) -> None:
    pipes = [tmp_path / "first", tmp_path / "second"]
    for pipe in pipes:
        os.mkfifo(pipe)
    checkout = Path(__file__).parents[2]
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
        run(half, [2], workers=1, threads=1, scheduler="tcp://10.0.0.1:8786", done=lambda: None)
