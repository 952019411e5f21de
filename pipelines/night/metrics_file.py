"""What the last night did, for Prometheus: a text file that the node exporter's textfile collector picks up.

Source of the format: Prometheus, "Exposition formats", text-based format version 0.0.4.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelines.night.score_report import ScoreReport
from pipelines.store.layout import Layout

logger = logging.getLogger(__name__)

_PREFIX = "parcel_risk_score_"
_SUCCESS = f"{_PREFIX}last_success_timestamp_seconds"


@dataclass(frozen=True)
class Gauge:
    """One metric: what it means, and its values by their labels."""

    name: str
    meaning: str
    values: Sequence[tuple[Mapping[str, str], float]]


def exposition(gauges: Sequence[Gauge]) -> str:
    r"""The text of the file; a gauge without values is left out.

    >>> print(exposition([Gauge("risk_rows", "Rows.", [({"of": 'a"b'}, 3.0)])]), end="")
    # HELP risk_rows Rows.
    # TYPE risk_rows gauge
    risk_rows{of="a\"b"} 3
    """
    lines: list[str] = []
    for gauge in gauges:
        if not gauge.values:
            continue
        meaning = gauge.meaning.replace("\\", r"\\").replace("\n", r"\n")
        lines += [f"# HELP {gauge.name} {meaning}", f"# TYPE {gauge.name} gauge"]
        for labels, value in gauge.values:
            inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            lines.append(f"{gauge.name}{f'{{{inside}}}' if inside else ''} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def write_metrics(
    store: Path, configured: str | None, report: ScoreReport | None, exit_code: int, seconds: float
) -> None:
    """Write what a run of `score` did; complete or not at all, and never the reason why a night fails.

    Args:
        store: its folder; without a configured file, `metrics/parcel_risk.prom` in it is written.
        configured: `scoring.metrics_file`.
        report: of a run that came to its end.
        exit_code: of the run.
        seconds: that it took.
    """
    path = Layout(store).metrics if configured is None else Path(configured)
    if configured is None and not store.is_dir():
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        now = time.time()
        success = now if exit_code == 0 else _last_success(path)
        beside.write_text(exposition(_gauges(report, exit_code, seconds, now, success)), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        logger.warning("the metrics of this run could not be written to %s: %s", path, error.strerror)
        beside.unlink(missing_ok=True)


def _gauges(
    report: ScoreReport | None, exit_code: int, seconds: float, now: float, success: float | None
) -> list[Gauge]:
    when: list[tuple[Mapping[str, str], float]] = [] if success is None else [({}, success)]
    gauges = [
        _one("last_run_timestamp_seconds", "When score last ended.", now),
        Gauge(_SUCCESS, "When score last ended with exit code 0.", when),
        _one("exit_code", "Exit code of the last run of score.", exit_code),
        _one("duration_seconds", "Seconds that the last run of score took.", seconds),
    ]
    if report is None:
        return gauges
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
    newest = datetime.combine(max(day.day for day in days), datetime.min.time(), UTC)
    return [
        *gauges,
        _one("day_timestamp_seconds", "Midnight (UTC) of the newest day of the run.", newest.timestamp()),
        _by("rows", "Lines of the days of the run: in, kept, scored and missing.", "state", rows),
        _by("step_seconds", "Seconds by step, over the days that were computed.", "step", steps),
        _one("parcels_listed", "Parcels on the lists of the run.", sum(day.listed for day in days)),
        _one("buckets_set_aside", "Buckets that failed all their tries.", sum(len(day.gaps) for day in days)),
        _one("buckets_retried", "Buckets and tables tried again.", sum(day.retried for day in days)),
        Gauge(
            "parcel_risk_model_info",
            "The version of each risk's model in use; always 1.",
            [
                ({"risk": risk, "version": model.version}, 1.0)
                for risk, model in sorted(report.champions.items())
            ],
        ),
    ]


def _one(name: str, meaning: str, value: float) -> Gauge:
    return Gauge(_PREFIX + name, meaning, [({}, value)])


def _by(name: str, meaning: str, label: str, values: Mapping[str, float]) -> Gauge:
    return Gauge(_PREFIX + name, meaning, [({label: key}, value) for key, value in values.items()])


def _last_success(path: Path) -> float | None:
    if not path.exists():
        return None
    found = re.search(rf"^{_SUCCESS} (\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return float(found[1]) if found else None


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 3))
