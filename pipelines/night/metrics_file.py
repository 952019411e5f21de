"""What the last night did, for Prometheus: a text file for the node exporter's textfile collector."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from prometheus_client import write_to_textfile
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from configs.errors import StoreError
from configs.schema.pipeline import ScoringConfig
from pipelines.night.missed import listed_days, missed_days
from pipelines.night.score_report import ScoreReport
from pipelines.scoring.gaps import incomplete_days
from pipelines.store.layout import Layout
from pipelines.work.permissions import readable_by

logger = logging.getLogger(__name__)

_PREFIX = "parcel_risk_score_"
_SUCCESS = "last_success_timestamp_seconds"
_MODEL_INFO = "The version of each risk's model in use; always 1."
_MODEL_LOST = "A risk that had a model in use and has none any more; always 1."


def write_metrics(
    store: Path, config: ScoringConfig, report: ScoreReport | None, exit_code: int, seconds: float
) -> None:
    """Write what a run of `score` did; complete or not at all, and never the reason why a night fails.

    Without a configured file, `metrics/parcel_risk.prom` in the folder `store` is written. A run that did
    not come to its end has no `report`; it took `seconds`.
    """
    configured, layout = config.metrics_file, Layout(store)
    path = layout.metrics if configured is None else Path(configured)
    if configured is None and not store.is_dir():
        return
    try:
        now = time.time()
        newest = max(listed_days(layout), default=None)
        success = now if exit_code == 0 and _has(report, newest) else _last_success(path)
        gauges = [
            _one("last_run_timestamp_seconds", "When score last ended.", now),
            _one(_SUCCESS, "When score of the newest listed day last ended with exit code 0.", success),
            _one("exit_code", "Exit code of the last run of score.", exit_code),
            _one("duration_seconds", "Seconds that the last run of score took.", seconds),
            *([] if newest is None else _of_store(layout, newest)),
            *([] if report is None else _of_report(report)),
        ]
        with readable_by(config.metrics_readable_by):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_to_textfile(str(path), _Written(gauges))
    except (OSError, StoreError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        logger.warning("the metrics of this run could not be written to %s: %s", path, reason)


class _Written(Collector):
    """The metrics that have values."""

    def __init__(self, gauges: Sequence[GaugeMetricFamily]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One metric after the other, in the order of the file."""
        return (gauge for gauge in self._gauges if gauge.samples)


def _has(report: ScoreReport | None, newest: date | None) -> bool:
    """Whether a run got as far as the newest day: that of an old day says nothing of the nights since."""
    return report is not None and (newest is None or any(day.day >= newest for day in report.days))


def _of_store(layout: Layout, newest: date) -> list[GaugeMetricFamily]:
    """What has become of the days so far, whatever the last run did; days listed go up to `newest`."""
    return [
        _one(
            "newest_listed_day_timestamp_seconds",
            "Midnight (UTC) of the newest day with lists.",
            _midnight(newest),
        ),
        _one(
            "days_without_lists",
            "Declared days before it that were missed.",
            len(missed_days(layout, newest)),
        ),
        _one("days_incomplete", "Days whose lists have gaps still.", len(incomplete_days(layout))),
    ]


def _midnight(day: date) -> float:
    return datetime.combine(day, datetime.min.time(), UTC).timestamp()


def _of_report(report: ScoreReport) -> list[GaugeMetricFamily]:
    """What a run did with its days, and its models; nothing but the counts where it had no day."""
    days = report.days
    newest = max((_midnight(day.day) for day in days), default=None)
    lines, scored = sum(day.lines for day in days), sum(day.scored for day in days)
    rows = {"in": lines, "kept": lines, "scored": scored, "missing": lines - scored}
    seconds: dict[str, float] = {}
    for day in days:
        for step, taken in day.seconds.items():
            seconds[step] = seconds.get(step, 0.0) + taken
    listed, set_aside = sum(day.listed for day in days), sum(len(day.set_aside) for day in days)
    models = [((risk, str(model.version)), 1.0) for risk, model in sorted(report.champions.items())]
    lost = [((risk,), 1.0) for risk in report.withdrawn]
    return [
        _one("day_timestamp_seconds", "Midnight (UTC) of the newest day of the run.", newest),
        _by("rows", "Lines of the days of the run: in, kept, scored and missing.", "state", rows),
        _by("step_seconds", "Seconds by step, over the days that were computed.", "step", seconds),
        _one("parcels_listed", "Parcels on the lists of the run.", listed),
        _one("buckets_set_aside", "Buckets that failed all their tries.", sum(len(day.gaps) for day in days)),
        _one("documents_set_aside", "Documents that could not be written.", set_aside),
        _one("buckets_retried", "Buckets and tables tried again.", sum(day.retried for day in days)),
        _labelled("parcel_risk_model_info", _MODEL_INFO, ("risk", "version"), models),
        _labelled("parcel_risk_model_lost", _MODEL_LOST, ("risk",), lost),
    ]


def _one(name: str, meaning: str, value: float | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(_PREFIX + name, meaning, value=None if value is None else round(value, 3))


def _by(name: str, meaning: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    rounded = [((key,), round(value, 3)) for key, value in values.items()]
    return _labelled(_PREFIX + name, meaning, (label,), rounded)


def _labelled(
    name: str, meaning: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, meaning, labels=labels)
    for key, value in values:
        gauge.add_metric(key, value)
    return gauge


def _last_success(path: Path) -> float | None:
    if not path.exists():
        return None
    try:
        families = [*text_string_to_metric_families(path.read_text(encoding="utf-8"))]
    except ValueError:
        # Somebody else wrote into the file: what it said is lost, the night is not.
        return None
    return next((family.samples[0].value for family in families if family.name == _PREFIX + _SUCCESS), None)
