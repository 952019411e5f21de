"""The nightly job over a range of days."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from pathlib import Path

from configs.errors import UsageError
from configs.schema.settings import Settings
from pipelines.history.chronicle import Chronicle
from pipelines.history.gaps import incomplete_days
from pipelines.night.metrics_file import write_metrics
from pipelines.night.score_day import score_day
from pipelines.night.score_report import ScoreReport
from pipelines.scoring.models_in_use import models_in_use
from pipelines.store.files import lines_that_can_be_read
from pipelines.store.store import Store
from pipelines.work.attempts import Limits, exit_code_of
from pipelines.work.crew import Night
from pipelines.work.execution import check_cluster
from pipelines.work.memory_limit import workers_within_memory
from pipelines.work.processes import Crew
from pipelines.work.progress import Progress


def score(
    store: Path,
    *,
    first: date,
    last: date,
    workers: int | None,
    threads: int | None,
    scheduler: str | None,
    settings: Settings,
    progress: Progress,
    memory_limit: int | None = None,
) -> ScoreReport:
    """Scores every day from `first` to `last` that has declarations, oldest first, and writes its lists.

    `workers` are processes of this machine; with a `scheduler` they are the cluster's, and how many of them
    are waited for. With a `memory_limit` in bytes there are no more than fit into it.

    However it ends, the file of metrics says so.

    Raises UsageError where no day of the range has declarations, NoChampionError where no risk has a model,
    StoreLockedError where another run works on the store.
    """
    if scheduler is not None:
        # Workers have working directories of their own.
        store, overlay = store.absolute(), settings.overlay and settings.overlay.absolute()
        settings = settings.model_copy(update={"overlay": overlay})
    scoring = settings.pipeline.scoring
    started = time.monotonic()
    report, exit_code = None, 1
    try:
        threads = threads or scoring.threads
        with Crew(threads) as crew:
            night = Night(
                workers or (scoring.workers if scheduler is None else 1),
                threads,
                scheduler,
                progress,
                Limits(scoring.tries, scoring.bucket_timeout_seconds),
                crew,
            )
            report = _score(store, (first, last), night, settings, memory_limit)
        exit_code = report.exit_code
    except BaseException as error:
        exit_code = exit_code_of(error)
        raise
    finally:
        seconds = time.monotonic() - started
        write_metrics(store, scoring.metrics_file, report, exit_code, seconds)
    return report


def _score(
    store: Path, wanted: tuple[date, date], night: Night, settings: Settings, memory_limit: int | None
) -> ScoreReport:
    opened = Store.open(store)
    first, last = wanted
    with opened.lock("score"):
        days = [day for day in opened.declaration_days() if first <= day <= last]
        if not days:
            raise UsageError(_no_such_day(opened, first, last))
        if memory_limit is not None:
            buckets = [file for day in days for file in opened.declaration_files(day)]
            largest = max(lines_that_can_be_read(buckets), default=0)
            night = replace(night, workers=workers_within_memory(memory_limit, night.workers, largest))
        if night.scheduler is not None:
            check_cluster(
                night.scheduler,
                store=store,
                overlay=settings.overlay,
                workers=night.workers,
                threads=night.threads,
            )
        in_use, notes = models_in_use(opened, settings)
        chronicle = Chronicle(opened, settings)
        reports = [score_day(chronicle, day, in_use, night) for day in days]
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
