"""One night for `benchmarks/scaling.py`, in a process of its own: prints what it took as one line of JSON."""

from __future__ import annotations

import functools
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.store.layout import Layout
from pipelines.work.execution import Executor

_PASSES: list[dict[str, Any]] = []


def timed(run: Callable[..., Any]) -> Callable[..., Any]:
    """`Executor.run` that notes how long each pass over a night's tasks took, and each task where they run in
    this process.
    """

    @functools.wraps(run)
    def with_times(
        executor: Executor, step: str, function: Callable[[Any], Any], items: Sequence[Any]
    ) -> Any:
        tasks: list[float] = []

        def one(item: Any) -> Any:
            began = time.perf_counter()
            result = function(item)
            tasks.append(time.perf_counter() - began)
            return result

        here = executor.scheduler is None and executor.workers == 1
        began = time.perf_counter()
        results = run(executor, step, one if here else function, items)
        _PASSES.append({"name": function.__name__, "seconds": time.perf_counter() - began, "tasks": tasks})
        return results

    return with_times


def memory_of_worker(_: object = None) -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Score the day that the argument names."""
    asked = json.loads(sys.argv[1])
    Executor.run = timed(Executor.run)  # type: ignore[method-assign]
    from configs.loader import load_settings
    from models.tracking.tracker import Tracker
    from pipelines.night.score import score
    from pipelines.work.progress import Progress

    settings = load_settings(None if asked["configs"] is None else Path(asked["configs"]))
    store, day = Path(asked["store"]), date.fromisoformat(asked["day"])
    Tracker.in_folder(Layout(store).mlflow).champions()  # MLflow's start is the same whatever the size
    read = sum(file.stat().st_size for file in (store / f"declarations/declared_on={day}").iterdir())
    began = time.perf_counter()
    report = score(
        store,
        first=day,
        last=day,
        workers=asked["workers"],
        threads=1,
        scheduler=asked["scheduler"],
        settings=settings,
        progress=Progress.silent(),
    )
    seconds = time.perf_counter() - began
    written = sum(
        file.stat().st_size
        for kind in ("scores", "values")
        for file in (store / kind / f"declared_on={day}").iterdir()
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    if asked["scheduler"] is not None:
        from distributed import Client

        with Client(asked["scheduler"]) as client:
            peak = max(client.run(memory_of_worker).values())
    elif asked["workers"] == 1:
        peak = memory_of_worker()
    told = {
        "lines": report.days[0].lines,
        "seconds": seconds,
        "passes": _PASSES,
        "worker_bytes": peak,
        "lines_bytes": read,
        "scores_bytes": written,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
