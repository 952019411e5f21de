"""Watches a day: what has shifted, what results say, who was never seen before, whether to retrain."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from configs.errors import TrackingError, UsageError
from configs.schema.settings import Settings
from models.tracking.run_content import RunContent
from models.tracking.tracker import Tracker
from models.watch.monitoring import LEVELS
from pipelines.history.chronicle import Chronicle
from pipelines.history.source_keys import known_extra_keys, with_source_keys
from pipelines.monitoring.findings import measure
from pipelines.monitoring.page import ToldFindings, monitor_page
from pipelines.pages.naming import Naming
from pipelines.store.day_table import DayTable
from pipelines.store.layout import REPORT, REPORT_PAGE
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from pipelines.work.report import Report

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MonitorReport(Report):
    """The verdict of a day with its reasons, and where the whole report is."""

    content: Mapping[str, Any]
    told: ToldFindings
    folder: Path
    tracking: str
    warnings: Sequence[str] = ()

    def _lines(self) -> list[str]:
        words, told = self.told.naming.words, self.told
        return [
            words("{field}: {words}", field=self.content["date"], words=told.verdict),
            *(words("{field}: {words}", field=level, words=text) for _, level, _, text in told.reasons),
            *(words("note: {note}", note=note) for note in told.notes),
            words("report: {file}", file=self.folder / REPORT_PAGE),
        ]

    def _facts(self) -> dict[str, Any]:
        chosen = ("date", "verdict", "reasons", "notes", "model_versions")
        return {
            **{name: self.content[name] for name in chosen},
            "warnings": self.warnings,
            "report": self.folder,
            "tracking_uri": self.tracking,
        }


def monitor(store: Path, *, day: date, settings: Settings, progress: Progress) -> MonitorReport:
    """Compare a scored day with the weeks before it; write `monitoring/date=<day>/` and a run in MLflow.

    Results reported up to and including `day` count. Where MLflow cannot be reached, a warning says so.

    Raises:
        UsageError: the day was not scored, or its declarations are gone.
    """
    opened = Store.open(store)
    # An address that cannot be used is better told before the work than after it.
    tracker = Tracker.in_folder(opened.layout.mlflow)
    _check_scored(opened, day)
    manifest = ManifestBuilder("monitor")
    settings = with_source_keys(settings, known_extra_keys(opened, settings))
    findings = measure(Chronicle(opened, settings), day, manifest, progress)
    content = findings.as_dict()
    told = ToldFindings.of(findings, Naming.of(settings))
    html = monitor_page(content, told)
    written = opened.layout.partition(DayTable.MONITORING, day)
    with opened.lock("monitor"), opened.transaction() as t:
        folder = t.stage(written)
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        (folder / REPORT).write_text(text, encoding="utf-8")
        (folder / REPORT_PAGE).write_text(html, encoding="utf-8")
        manifest.add_rows(rows_in=content["lines"], kept=content["lines"])
        manifest.model_versions.update(content["model_versions"])
        manifest.further.update(verdict=content["verdict"], reasons=content["reasons"])
        opened.write_manifest(t, "monitor", day, manifest.as_dict())
    return MonitorReport(content, told, written, tracker.shown, _log(tracker, content, written))


def _check_scored(store: Store, day: date) -> None:
    if day not in store.days(DayTable.SCORES):
        scored = ", ".join(str(known) for known in store.days(DayTable.SCORES)[-5:]) or "none"
        raise UsageError(
            f"expected scores of {day} in {store.path}, found none; the newest scored days are: {scored}. "
            f"Score it with `parcel-risk score --date {day}`."
        )
    if day not in store.declaration_days():
        raise UsageError(f"expected the declarations of {day} in {store.path}, found none: ingest them again")


def _log(tracker: Tracker, content: Mapping[str, Any], folder: Path) -> list[str]:
    """Logs the report as a run; what to tell the user where that was not possible."""
    run = RunContent(
        tags={"verdict": content["verdict"], "date": content["date"]},
        parameters={
            **{f"version_{risk}": version for risk, version in content["model_versions"].items()},
            **content["thresholds"],
        },
        metrics=_metrics(content),
        files={name: folder / name for name in (REPORT, REPORT_PAGE)},
    )
    try:
        tracker.log_run(f"monitor {content['date']}", run, kind="monitoring")
    except TrackingError as error:
        warning = f"{error} The report is in {folder} but not in MLflow."
        logger.warning("%s", warning)
        return [warning]
    return []


def _metrics(content: Mapping[str, Any]) -> dict[str, float]:
    """The figures that are worth a curve over the days."""
    metrics: dict[str, float | None] = {
        "verdict": float(LEVELS.index(content["verdict"])),
        "lines": float(content["lines"]),
    }
    for row in content["blocks"]:
        if row["scope"] == "all offices":
            metrics[f"drift/{_name(row['block'])}"] = row["strongest"]["psi"]
    for row in content["scores"]:
        if row["scope"] == "all offices":
            metrics[f"score_drift/{row['group']}"] = row["psi"]
    for risk, found in content["results"].items():
        metrics[f"lift/{risk}"] = found["lift"]["value"]
        metrics[f"hit_rate/{risk}"] = found["chosen_rate"]["value"]
        for row in found["calibration"]:
            metrics[f"observed_over_expected/{risk}/{_name(row['share'])}"] = row["ratio"]
    for risk, found in content["label_delay"].items():
        metrics[f"label_delay_days/{risk}"] = found["median_days"]
    for name, found in content["newcomers"].items():
        metrics[f"newcomers/{_name(name)}"] = found["share"]
    return {name: value for name, value in metrics.items() if value is not None}


def _name(words: str) -> str:
    return words.replace(" (", "_").replace(")", "").replace(" ", "_")
