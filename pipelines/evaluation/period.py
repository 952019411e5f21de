"""What a model and its rivals learn from, and the later lines that they are judged on, with features."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from configs.errors import DataError, UsageError
from configs.schema.risk import RiskConfig
from features.assemble import assemble
from features.contract.declarations import LINE_KEY
from features.history.state import History
from features.history.view import DayContext
from pipelines.history.chronicle import Chronicle
from pipelines.training.frames import TrainingData, training_data
from pipelines.training.inspected import inspected_frame, key_columns
from pipelines.work.progress import Progress


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, and whether results that come in on the way are known.

    `results_to` is the last day whose reports anybody is told: the eve of `first`, or with `coming` that of
    `last`. What was reported on a day counts from the next one.
    """

    first: date
    last: date
    coming: bool

    @property
    def eve(self) -> date:
        """The day before the first one."""
        return self.first - timedelta(days=1)

    @property
    def results_to(self) -> date:
        """The last day whose reports are known to whoever scores."""
        return self.last - timedelta(days=1) if self.coming else self.eve


@dataclass(frozen=True)
class PeriodData:
    """The inspected lines of a risk.

    Attributes:
        training: what was known when the model was fitted, with features.
        later: features of the judged lines, in the order of `judged`, which has `found`.
        judged: the judged lines, an `inspected_frame`.
        past: the lines whose result was reported before the period, the same.
        known: those whose result may be known in it, the same.
    """

    training: TrainingData
    later: pl.DataFrame
    judged: pl.DataFrame
    past: pl.DataFrame
    known: pl.DataFrame


def period_data(
    chronicle: Chronicle, risk: RiskConfig, until: date, period: Period, progress: Progress
) -> PeriodData:
    """Read the lines of a risk and replay their features; a model learns from what was reported by `until`.

    Raises:
        UsageError: the store knows no result of a line that was declared in the period.
        DataError: nothing was reported up to `until`.
    """
    columns = key_columns(chronicle)
    judged = _judged(chronicle, risk, period, columns, progress)
    past = inspected_frame(chronicle, risk, period.eve, progress, columns=columns)
    known = past
    if period.coming:
        known = inspected_frame(chronicle, risk, period.results_to, progress, columns=columns)
    training = training_data(chronicle, [risk], until, progress)
    later = _features(chronicle, risk, training.history, judged, period, progress)
    return PeriodData(training, later, judged, past, known)


def _judged(
    chronicle: Chronicle, risk: RiskConfig, period: Period, columns: list[str], progress: Progress
) -> pl.DataFrame:
    """The lines of the period with a result, whenever it was reported, in order of day and key."""
    reported = chronicle.store.inspection_days()
    days = (period.first, period.last)
    newest = max([period.last, *reported])
    try:
        lines = inspected_frame(chronicle, risk, newest, progress, columns=columns, declared=days)
    except DataError as error:
        said = "there are no results"
        if reported:
            said = f"its results were reported from {reported[0]} to {reported[-1]}"
        raise UsageError(
            f"expected inspected lines declared from {period.first} to {period.last} with a result in the "
            f"column {risk.label}, found none in {chronicle.store.path}: {said}. Bring them in with "
            "`parcel-risk ingest`, or name another period."
        ) from error
    return lines.sort("declared_on", *LINE_KEY)


def _features(
    chronicle: Chronicle,
    risk: RiskConfig,
    history: History,
    judged: pl.DataFrame,
    period: Period,
    progress: Progress,
) -> pl.DataFrame:
    """Features of the judged lines as of their day, as far as results are known in the period."""
    reported = chronicle.store.read_inspections(reported_to=period.results_to)
    days = chronicle.days(after=history.as_of, until=period.last)
    parts = []
    with progress.task(f"features of the period, {len(days)} days", total=len(days)) as task:
        for day in days:
            lines = chronicle.prepared(day)
            today = chronicle.tables(lines, day, history)
            wanted = lines.join(judged.select(LINE_KEY), on=LINE_KEY, how="semi").sort(LINE_KEY)
            if day >= period.first and wanted.height:
                context = DayContext(day, history, today, chronicle.settings.pipeline.features)
                built = assemble(wanted, context, chronicle.reference.on(day), [risk]).for_risk(risk)
                parts.append(built.with_columns(pl.lit(day).alias("declared_on")))
            results = chronicle.results(day, reported) if day <= period.results_to else {}
            history = chronicle.step(history, day, today, results)
            task.advance()
    return pl.concat(parts)
