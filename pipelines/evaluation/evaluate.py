"""The verb `evaluate`: a model on the inspected lines of a later period, beside plain rivals."""

from __future__ import annotations

import json
import logging
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from configs.errors import NoChampionError, TrackingError, UsageError
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from models.fitting.cross_fitted_rates import RateKeys
from models.fitting.training import fit_risk
from models.judging.comparison import compare
from models.risk.risk_model import RiskModel
from models.tracking.run_content import RunContent
from models.tracking.tracker import Tracker
from pipelines.evaluation.contenders import contenders_of
from pipelines.evaluation.page import evaluation_page
from pipelines.evaluation.period import Period, PeriodData, period_data
from pipelines.evaluation.report import EvaluationReport, JudgedModel
from pipelines.history.chronicle import Chronicle
from pipelines.history.source_keys import found_extra_keys, known_extra_keys, with_source_keys
from pipelines.store.layout import REPORT, REPORT_PAGE
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.progress import Progress

logger = logging.getLogger(__name__)


class EvaluateOptions(TypedDict):
    """What is judged.

    The model of `risk` that is in use, or with `until` one fitted on what was reported up to that day, on the
    inspected lines declared from `first` to `last`. `results` says whether those of the period become known
    on the way; `json_file` is where the figures go besides.
    """

    risk: str
    first: date
    last: date
    until: date | None
    results: Literal["withheld", "coming"]
    json_file: Path | None


def evaluate_model(
    store: Path, *, settings: Settings, progress: Progress, **options: Unpack[EvaluateOptions]
) -> EvaluationReport:
    """Judge a model beside LightGBM, CatBoost, the best single key and a drawn order; write page and run.

    Raises:
        UsageError: the model learned from the period, the days are no period, or no line of it has a result.
        NoChampionError: the risk has no model in use, and `until` is not given.
        DataError: too little is known before the period.
        TrackingError: MLflow cannot be reached for the model in use.
    """
    risk, until = settings.risk(options["risk"]), options["until"]
    period = Period(options["first"], options["last"], coming=options["results"] == "coming")
    _check_days(period, until)
    opened, manifest = Store.open(store), ManifestBuilder("evaluate")
    with opened.lock("evaluate"):
        tracker = Tracker.in_folder(opened.layout.mlflow, opened.identity())
        in_use = None if until else _in_use(tracker, risk, period)
        learned_to = until or (in_use.until if in_use else period.eve)
        extra = found_extra_keys(opened, settings, until) if until else known_extra_keys(opened, settings)
        settings = with_source_keys(settings, extra)
        with manifest.step("features"):
            data = period_data(Chronicle(opened, settings), risk, learned_to, period, progress)
    with manifest.step("models"), progress.task("model and rivals", total=None):
        judged = in_use or _fitted(data, risk, settings)
        contenders = contenders_of(judged.model, data, risk, settings, period)
        comparison = compare(
            data.later,
            data.judged["found"].to_numpy(),
            contenders.scores,
            least_findings=settings.pipeline.gate.least_findings,
            seed=settings.pipeline.training.seed,
        )
    folder = opened.layout.report(period.first, period.last, f"_{risk.name}")
    report = EvaluationReport(risk.name, period, judged, contenders, comparison, folder, tracker.shown)
    _write(opened, report, manifest)
    if (file := options["json_file"]) is not None:
        _write_json(file, report)
    return replace(report, warnings=_log(tracker, report))


def _check_days(period: Period, until: date | None) -> None:
    if period.last < period.first:
        raise UsageError(
            f"expected --to on or after --from, came --from {period.first} and --to {period.last}"
        )
    if until is not None and until >= period.first:
        raise UsageError(
            f"expected --until before --from, came --until {until} and --from {period.first}: a model is "
            f"judged on days that it did not learn from. Give --until {period.eve} or an earlier day."
        )


def _in_use(tracker: Tracker, risk: RiskConfig, period: Period) -> JudgedModel:
    """The model in use, if it learned nothing of the period."""
    if all(champion.risk != risk.name for champion in tracker.champions([risk.name])):
        raise NoChampionError(
            f"expected a model in use for the risk {risk.name}, found none. Train one with `parcel-risk "
            f"train`, or give --until {period.eve} to judge one that is fitted for it."
        )
    with tempfile.TemporaryDirectory() as scratch:
        champion = tracker.download_champion(risk.name, Path(scratch))
        judged = JudgedModel(RiskModel.load(Path(scratch)), champion.version if champion else None)
    if judged.until >= period.first:
        raise UsageError(
            f"expected a period that the model in use has not learned from; version {judged.version} of "
            f"{risk.name} learned from what was reported up to {judged.until}, came --from {period.first}. "
            f"Give a later day as --from, or --until {period.eve} to judge a model that is fitted for it."
        )
    return judged


def _fitted(data: PeriodData, risk: RiskConfig, settings: Settings) -> JudgedModel:
    """A model that is fitted for the occasion, as `train` would."""
    fitted = fit_risk(
        data.training.frames[risk.name],
        risk,
        settings.pipeline.training,
        until=data.training.until,
        all_lines=data.training.all_lines[risk.name],
        keys=RateKeys.of(settings.pipeline),
    )
    return JudgedModel(fitted.model.with_goods(data.training.goods), None)


def _write(store: Store, report: EvaluationReport, manifest: ManifestBuilder) -> None:
    """Write page and figures into the store, and enter the run."""
    lines = report.comparison.lines
    manifest.add_rows(rows_in=lines, kept=lines)
    if report.judged.version is not None:
        manifest.model_versions[report.risk] = str(report.judged.version)
    manifest.further["risk"] = report.risk
    with store.lock("evaluate", patient=True), store.transaction() as t:
        folder = t.stage(report.folder)
        (folder / REPORT).write_text(_json(report), encoding="utf-8")
        (folder / REPORT_PAGE).write_text(evaluation_page(report), encoding="utf-8")
        store.write_manifest(t, "evaluate", report.period.last, manifest.as_dict())


def _json(report: EvaluationReport) -> str:
    """The figures as other programs read them."""
    return json.dumps(report.figures, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write_json(file: Path, report: EvaluationReport) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_json(report), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"--json {file} cannot be written: {error.strerror}. The figures are in {report.folder / REPORT}."
        ) from error


def _log(tracker: Tracker, report: EvaluationReport) -> list[str]:
    """Log the report as a run; what to tell the user where that was not possible."""
    run = RunContent(
        tags={"risk": report.risk, "from": str(report.period.first), "to": str(report.period.last)},
        parameters=report.parameters,
        metrics=report.comparison.as_metrics(),
        files={name: report.folder / name for name in (REPORT, REPORT_PAGE)},
    )
    name = f"evaluate {report.risk} {report.period.first} to {report.period.last}"
    try:
        tracker.log_run(name, run, kind="evaluation")
    except TrackingError as error:
        warning = f"{error} The report is in {report.folder} but not in MLflow."
        logger.warning("%s", warning)
        return [warning]
    return []
