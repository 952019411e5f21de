"""The nightly job over a range of days."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypedDict, Unpack

from configs.errors import UsageError
from configs.schema.pipeline import ScoringConfig
from configs.schema.settings import Settings
from pipelines.history.chronicle import Chronicle
from pipelines.night.metrics_file import write_metrics
from pipelines.night.score_day import score_day
from pipelines.night.score_report import ScoreReport
from pipelines.scoring.gaps import incomplete_days
from pipelines.scoring.models_in_use import models_in_use
from pipelines.store.files import lines_that_can_be_read
from pipelines.store.store import Store
from pipelines.work.attempts import Limits, exit_code_of
from pipelines.work.execution import Executor
from pipelines.work.memory_limit import workers_within_memory
from pipelines.work.process_pool import ProcessPool
from pipelines.work.progress import Progress


class ScoreOptions(TypedDict, total=False):
    """How a run of `score` uses its machines; what is left out or None comes from the configuration.

    Attributes:
        workers: processes of this machine, or of a cluster how many workers are waited for.
        threads: of each of them.
        scheduler: address of a Dask cluster to work on.
        memory_limit: bytes; there are no more workers than fit into them.
    """

    workers: int | None
    threads: int | None
    scheduler: str | None
    memory_limit: int | None


def score(
    store: Path,
    *,
    first: date,
    last: date,
    settings: Settings,
    progress: Progress,
    **options: Unpack[ScoreOptions],
) -> ScoreReport:
    """Scores every day from `first` to `last` that has declarations, oldest first, and writes its lists.

    However it ends, the file of metrics says so.

    Raises:
        UsageError: no day of the range has declarations.
        NoChampionError: no risk has a model.
        StoreLockedError: another run works on the store.
    """
    if options.get("scheduler") is not None:
        # Workers have working directories of their own.
        store, overlay = store.absolute(), settings.overlay and settings.overlay.absolute()
        settings = settings.model_copy(update={"overlay": overlay})
    started = time.monotonic()
    report, exit_code = None, 1
    try:
        with executor_of(settings.pipeline.scoring, options, progress) as executor:
            report = _score(store, (first, last), executor, settings, options.get("memory_limit"))
        exit_code = report.exit_code
    except BaseException as error:
        exit_code = exit_code_of(error)
        raise
    finally:
        seconds = time.monotonic() - started
        write_metrics(store, settings.pipeline.scoring.metrics_file, report, exit_code, seconds)
    return report


@contextmanager
def executor_of(config: ScoringConfig, options: ScoreOptions, progress: Progress) -> Iterator[Executor]:
    """What the tasks of a run are worked on with; its processes end with the block."""
    scheduler = options.get("scheduler")
    workers = options.get("workers") or (config.workers if scheduler is None else 1)
    threads = options.get("threads") or config.threads
    limits = Limits(config.tries, config.bucket_timeout_seconds)
    with ProcessPool(threads) as pool:
        yield Executor(workers, threads, scheduler, limits, progress, pool)


def _score(
    store: Path, wanted: tuple[date, date], executor: Executor, settings: Settings, memory_limit: int | None
) -> ScoreReport:
    opened = Store.open(store)
    first, last = wanted
    with opened.lock("score"):
        days = [day for day in opened.declaration_days() if first <= day <= last]
        if not days:
            raise UsageError(_no_such_day(opened, first, last))
        if memory_limit is not None:
            buckets = [file for day in days for file in opened.layout.buckets(day)]
            largest = max(lines_that_can_be_read(buckets), default=0)
            fitting = workers_within_memory(memory_limit, executor.workers, largest)
            executor = replace(executor, workers=fitting)
        executor.check(store=store, overlay=settings.overlay)
        in_use, notes = models_in_use(opened, settings.risks)
        chronicle = Chronicle(opened, settings)
        reports = [score_day(chronicle, day, in_use, executor) for day in days]
        notes += [
            f"{day} is still incomplete: score it again with `parcel-risk score --date {day}`"
            for day in incomplete_days(opened)
            if day not in days
        ]
    unmodelled = [name for name in settings.risks if name not in in_use]
    return ScoreReport(reports, in_use, unmodelled, notes)


def _no_such_day(store: Store, first: date, last: date) -> str:
    days = store.declaration_days()
    wanted = f"on {first}" if first == last else f"from {first} to {last}"
    held = f"it holds {days[0]} to {days[-1]}" if days else "it holds none at all"
    return (
        f"expected declarations {wanted} in {store.path}, found none; {held}. "
        "Bring them in with `parcel-risk ingest`."
    )
