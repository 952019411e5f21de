"""The nightly job over a range of days."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypedDict, Unpack

from configs.errors import StoreError
from configs.schema.pipeline import ScoringConfig
from configs.schema.settings import Settings
from pipelines.checks.check_day import check_day
from pipelines.history.chronicle import Chronicle
from pipelines.history.source_keys import known_extra_keys, with_source_keys
from pipelines.night.metrics_file import write_metrics
from pipelines.night.missed import asked_days, missed_days, not_delivered
from pipelines.night.score_day import DayReport, score_day
from pipelines.night.score_report import ScoreReport
from pipelines.scoring.gaps import incomplete_days
from pipelines.scoring.history_steps import fold_again
from pipelines.scoring.models_in_use import ModelInUse, models_in_use
from pipelines.store.day_table import DayTable
from pipelines.store.files import lines_that_can_be_read
from pipelines.store.store import Store
from pipelines.work.attempts import Limits, exit_code_of
from pipelines.work.execution import Executor
from pipelines.work.memory_limit import workers_within_memory
from pipelines.work.process_pool import ProcessPool
from pipelines.work.progress import Progress

_DOCUMENTS = (DayTable.ORDERS, DayTable.PAYMENTS, DayTable.WAYBILLS, DayTable.RETURNS)

logger = logging.getLogger(__name__)


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

    Days before that should have been listed and never were come first. However it ends, the file of metrics
    says so.

    Raises:
        UsageError: no day of the range can have declarations.
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
        write_metrics(store, settings.pipeline.scoring, report, exit_code, seconds)
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
    layout, (first, last) = opened.layout, wanted
    with opened.lock("score"):
        asked, missed = asked_days(layout, first, last), missed_days(layout, last)
        days = sorted({*asked, *missed})
        if memory_limit is not None:
            buckets = [file for day in days for file in layout.buckets(day)]
            largest = max(lines_that_can_be_read(buckets), default=0)
            fitting = workers_within_memory(memory_limit, executor.workers, largest)
            executor = replace(executor, workers=fitting)
        executor.check(store=store, overlay=settings.overlay)
        found = models_in_use(opened, settings.risks)
        in_use, notes = found.models, [*found.notes]
        if not asked:
            notes.append(not_delivered(layout, first, last))
            logger.warning("%s", notes[-1])
        chronicle = Chronicle(opened, with_source_keys(settings, known_extra_keys(opened, settings)))
        left = fold_again(chronicle, executor)
        reports, failed = _score_days(chronicle, days, in_use, executor, asked)
        chronicle.unmatched.tell()
        notes += [
            f"{day} was missed when it was due: its lists are made now"
            for day in missed
            if day not in (*asked, *failed)
        ]
        notes += [
            f"{day} is still incomplete: score it again with `parcel-risk score --date {day}`"
            for day in incomplete_days(layout)
            if day not in days
        ]
    unmodelled = [name for name in settings.risks if name not in in_use]
    return ScoreReport(reports, in_use, unmodelled, notes, failed, found.withdrawn, left)


def _check(chronicle: Chronicle, day: date) -> None:
    """Check a day before it is scored: features rest on what its documents say.

    In a store without documents that is the law alone, unless the day was checked with them before. What
    keeps a day from being checked keeps it not from being listed.
    """
    store = chronicle.store
    has_documents = any(store.days(table) for table in _DOCUMENTS)
    law_only = not has_documents and not store.layout.file(DayTable.CHECKS, day).exists()
    try:
        with store.transaction() as t:
            config = chronicle.settings.pipeline.checks
            checks = check_day(store, day, config, chronicle.reference, t, law_only=law_only)
    except StoreError as error:
        logger.warning("%s: its documents could not be checked: %s", day, error)
        return
    for line in () if checks.revised is None else checks.revised.lines():
        logger.info("%s: %s", day, line)


def _score_days(
    chronicle: Chronicle,
    days: Sequence[date],
    in_use: Mapping[str, ModelInUse],
    executor: Executor,
    asked: Sequence[date],
) -> tuple[list[DayReport], dict[date, str]]:
    """The reports of the days, and why days failed that nobody `asked` for: they hold up no other."""
    reports, failed = [], {}
    for day in days:
        try:
            _check(chronicle, day)
            reports.append(score_day(chronicle, day, in_use, executor))
        except StoreError as error:
            if day in asked:
                raise
            failed[day] = str(error)
            logger.warning("%s was missed when it was due, and cannot be listed now: %s", day, error)
    return reports, failed
