"""What the last night did, for Prometheus: a text file for the node exporter's textfile collector."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import write_to_textfile
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from pipelines.night.score_report import ScoreReport
from pipelines.store.layout import Layout

logger = logging.getLogger(__name__)

_PREFIX = "parcel_risk_score_"
_SUCCESS = "last_success_timestamp_seconds"


def write_metrics(
    store: Path, configured: str | None, report: ScoreReport | None, exit_code: int, seconds: float
) -> None:
    """Write what a run of `score` did; complete or not at all, and never the reason why a night fails.

    Without a `configured` file, `metrics/parcel_risk.prom` in the folder `store` is written. A run that did
    not come to its end has no `report`; it took `seconds`.
    """
    path = Layout(store).metrics if configured is None else Path(configured)
    if configured is None and not store.is_dir():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        now = time.time()
        success = now if exit_code == 0 else _last_success(path)
        gauges = [
            _one("last_run_timestamp_seconds", "When score last ended.", now),
            _one(_SUCCESS, "When score last ended with exit code 0.", success),
            _one("exit_code", "Exit code of the last run of score.", exit_code),
            _one("duration_seconds", "Seconds that the last run of score took.", seconds),
            *([] if report is None else _of_report(report)),
        ]
        write_to_textfile(str(path), _Written(gauges))
    except OSError as error:
        logger.warning("the metrics of this run could not be written to %s: %s", path, error.strerror)


class _Written(Collector):
    """The metrics that have values."""

    def __init__(self, gauges: Sequence[GaugeMetricFamily]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One metric after the other, in the order of the file."""
        return (gauge for gauge in self._gauges if gauge.samples)


def _of_report(report: ScoreReport) -> list[GaugeMetricFamily]:
    days = report.days
    rows = {
        "in": sum(day.lines for day in days),
        "kept": sum(day.lines for day in days),
        "scored": sum(day.scored for day in days),
        "missing": sum(day.lines - day.scored for day in days),
    }
    steps: dict[str, float] = {}
    for day in days:
        for step, taken in day.seconds.items():
            steps[step] = steps.get(step, 0.0) + taken
    newest = datetime.combine(max(day.day for day in days), datetime.min.time(), UTC).timestamp()
    models = GaugeMetricFamily(
        "parcel_risk_model_info",
        "The version of each risk's model in use; always 1.",
        labels=("risk", "version"),
    )
    for risk, model in sorted(report.champions.items()):
        models.add_metric((risk, str(model.version)), 1.0)
    counts = {
        "parcels_listed": ("Parcels on the lists of the run.", sum(day.listed for day in days)),
        "buckets_set_aside": ("Buckets that failed all their tries.", sum(len(day.gaps) for day in days)),
        "buckets_retried": ("Buckets and tables tried again.", sum(day.retried for day in days)),
    }
    return [
        _one("day_timestamp_seconds", "Midnight (UTC) of the newest day of the run.", newest),
        _by("rows", "Lines of the days of the run: in, kept, scored and missing.", "state", rows),
        _by("step_seconds", "Seconds by step, over the days that were computed.", "step", steps),
        *(_one(name, meaning, count) for name, (meaning, count) in counts.items()),
        models,
    ]


def _one(name: str, meaning: str, value: float | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(_PREFIX + name, meaning, value=None if value is None else round(value, 3))


def _by(name: str, meaning: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(_PREFIX + name, meaning, labels=(label,))
    for key, value in values.items():
        gauge.add_metric((key,), round(value, 3))
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
