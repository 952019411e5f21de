"""One risk's part of a training: fit, judge, and keep it with everything that repeats it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from configs.schema.gate import GateConfig
from configs.schema.pipeline import PipelineConfig
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from configs.who import code_version
from features.words.reasons import check_reasons
from models.fitting.cross_fitted_rates import RateKeys
from models.fitting.training import FittedRisk, fit_risk
from models.judging.agreement import FeatureAgreement, compare_features, feature_names
from models.judging.evaluation import Evaluation
from models.judging.gate import DOUBTS, GateDecision, decide, unseen_predictions
from models.report.model_page import ReportContent, report_page
from models.report.plots import as_png, draw_plots
from models.risk.risk_model import RiskModel
from models.tracking.lineage import package_versions
from models.tracking.packed_training import PackedTraining
from models.tracking.registry import Champion
from models.tracking.run_content import RunContent
from models.tracking.tracker import Tracker
from models.trees.errors import TooFewFindings
from pipelines.training.fitted import FittedOnDisk
from pipelines.training.frames import TrainingData
from pipelines.training.report import RiskTrained
from pipelines.training.rivals import GateRivals, rivals_of


@dataclass(frozen=True)
class Judged:
    """A fitted risk and the decision of its gate; `agreement` is that of the random share with all lines,
    `rivals` what plain ones make of the lines that judged it.
    """

    fitted: FittedRisk
    decision: GateDecision
    agreement: FeatureAgreement | None
    rivals: GateRivals | None


def fit_and_judge(
    risk: RiskConfig,
    data: TrainingData,
    config: PipelineConfig,
    champion: Callable[[pl.DataFrame], pl.DataFrame | None],
) -> Judged:
    """Fit a risk on its frame and put it before the gate.

    `champion` gives, for the frame, the `unseen_predictions` of the model in use, or None where there is
    none.

    Raises:
        TooFewFindings: the risk cannot be trained.
    """
    frame, all_lines = data.frames[risk.name], data.all_lines[risk.name]
    fitted = fit_risk(
        frame, risk, config.training, until=data.until, all_lines=all_lines,
        keys=RateKeys.of(config),
    )  # fmt: skip
    gate = config.gate
    fitted = replace(
        fitted,
        model=fitted.model.with_background(all_lines, threads=config.training.threads).with_goods(data.goods),
        evaluation=fitted.evaluation.resting_on(gate.least_findings),
    )
    at_random = frame.filter(pl.col("selection") == "random")
    agreement = _agreement(at_random, all_lines, fitted.evaluation, gate)
    seed = config.training.seed
    rivals = rivals_of(fitted, frame, risk, config)
    decision = decide(
        fitted.evaluation, champion(frame), gate=gate, agreement=agreement,
        rivals=None if rivals is None else rivals.comparison, seed=seed,
    )  # fmt: skip
    return Judged(fitted, decision, agreement, rivals)


def untrainable(risk: RiskConfig, frame: pl.DataFrame) -> str | None:
    """Why nothing can be learned about a risk from its frame, None where something can."""
    if risk.label not in frame.columns or not frame[risk.label].count():
        return f"no inspected line has a result in the column {risk.label}"
    return None


@dataclass(frozen=True)
class CopiedChampion:
    """The champion that a new model is compared with, copied before the work: its model and predictions."""

    champion: Champion
    model: Path
    out_of_time: Path

    @classmethod
    def copy(cls, tracker: Tracker, champion: Champion, folder: Path) -> CopiedChampion:
        """Copy a champion into a folder.

        Raises:
            TrackingError: MLflow cannot be reached, or has lost the files.
        """
        model, predictions = folder / champion.risk, folder / f"{champion.risk}-predictions"
        tracker.download_champion(champion.risk, model)
        predictions.mkdir()
        return cls(champion, model, tracker.out_of_time(champion, predictions))

    def unseen(self, frame: pl.DataFrame) -> pl.DataFrame | None:
        """Return its `unseen_predictions` of lines."""
        return unseen_predictions(RiskModel.load(self.model), pl.read_parquet(self.out_of_time), frame)


def train_risk(
    risk: RiskConfig, data: TrainingData, settings: Settings, in_use: CopiedChampion | None, folder: Path
) -> FittedOnDisk | RiskTrained:
    """Fit a risk on its frame and put it before the gate; the model is kept in `folder`, to be registered.

    A risk with too few findings is left out, and the report says so. What an earlier run has fitted of the
    same data under the same configuration is not fitted again.
    """
    frame, gate = data.frames[risk.name], settings.pipeline.gate
    reason = untrainable(risk, frame)
    if reason is not None:
        return RiskTrained(risk.name, why=[reason])
    lineage = _lineage(risk, data, settings, frame)
    key = _key(lineage, in_use)
    known = FittedOnDisk.find(folder, key)
    if known is not None:
        return known
    try:
        judged = fit_and_judge(
            risk, data, settings.pipeline, lambda lines: None if in_use is None else in_use.unseen(lines)
        )
    except TooFewFindings as error:
        return RiskTrained(risk.name, why=[str(error)])
    fitted, decision = judged.fitted, judged.decision
    check_reasons(risk, _words(frame, fitted))
    inspected = _agreement(frame, data.all_lines[risk.name], fitted.evaluation, gate)
    figures = draw_plots(fitted.model, fitted.evaluation, fitted.price_residuals)
    pictures = {name: as_png(figure) for name, figure in figures.items()}
    rivals = judged.rivals
    shown = ReportContent(
        risk, fitted, decision, judged.agreement, inspected, pictures, lineage, gate,
        None if rivals is None else rivals.comparison,
    )  # fmt: skip
    content = RunContent(
        tags=lineage,
        parameters={
            **risk.model,
            "rounds": fitted.model.metadata["rounds"],
            "trees": fitted.model.booster.trees,
            "until": data.until,
            **({} if rivals is None else rivals.parameters),
        },
        metrics={} if rivals is None else rivals.metrics,
        texts={
            **configuration_of(risk, settings),
            "packages.json": json.dumps(dict(package_versions()), indent=1),
            "report.html": report_page(shown),
        },
        pictures={f"plots/{name}": picture for name, picture in pictures.items()},
    )
    return _kept(judged, content, folder, key, first=in_use is None)


def _key(lineage: Mapping[str, str], in_use: CopiedChampion | None) -> str:
    """Name all that a model and the decision of its gate are made of."""
    made_of = {**lineage, "champion": "" if in_use is None else in_use.champion.run_id}
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def _kept(judged: Judged, content: RunContent, folder: Path, key: str, *, first: bool) -> FittedOnDisk:
    """Keep a judged model with what is to be done with it."""
    fitted, decision = judged.fitted, judged.decision
    warnings, doubt = [*fitted.warnings, *decision.warnings], ""
    if first and not decision.passed:
        doubt = f"this first model is in use although it {DOUBTS[decision.verdict]}"
        doubt += ": look at its run before you rely on it"
        warnings.append(doubt)
    promotion = _why(decision, first=first) if decision.passed or first else None
    packed = PackedTraining.pack(fitted, content, decision, FittedOnDisk.place(folder))
    kept = FittedOnDisk(folder, key, packed, promotion, decision.reasons, warnings, doubt, fitted.evaluation)
    kept.write()
    return kept


def _own(risk: RiskConfig) -> dict[str, Any]:
    """What a risk's file says, without the words that all share: those may speak of other combinations."""
    stored = risk.model_dump(mode="json", exclude={"name", "fallback_reason"})
    words = stored["reasons"].items()
    return stored | {"reasons": {block: said for block, said in words if block not in risk.shared_reasons}}


def configuration_of(risk: RiskConfig, settings: Settings) -> dict[str, str]:
    """What repeats a run (`--configs`), by file name: settings, risk, reference tables not packaged."""
    files = {
        "pipeline.yaml": _yaml(settings.pipeline.model_dump(mode="json")),
        f"risks/{risk.name}.yaml": _yaml(_own(risk)),
    }
    if settings.overlay is not None:
        for path in sorted((settings.overlay / "reference").glob("*.csv")):
            files[f"reference/{path.name}"] = path.read_text(encoding="utf-8")
    return {f"configuration/{name}": text for name, text in files.items()}


def _yaml(content: object) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def _lineage(risk: RiskConfig, data: TrainingData, settings: Settings, frame: pl.DataFrame) -> dict[str, str]:
    return {
        "until": data.until.isoformat(),
        "seed": str(settings.pipeline.training.seed),
        "data_fingerprint": data.fingerprint_of(risk.name),
        "configuration_fingerprint": settings.fingerprint,
        "frame_fingerprint": hashlib.sha256(json.dumps(frame.columns).encode()).hexdigest(),
        **code_version(),
    }


def _agreement(
    sample: pl.DataFrame, all_lines: pl.DataFrame, evaluation: Evaluation, gate: GateConfig
) -> FeatureAgreement | None:
    """The features of a sample against those of all lines, over the days of the evaluation."""
    if evaluation.period is None:
        return None
    inside = pl.col("declared_on").is_between(*evaluation.period)
    return compare_features(
        sample.filter(inside),
        all_lines.filter(inside),
        feature_names(all_lines),
        false_alarm_rate=gate.false_alarm_rate,
    )


def _why(decision: GateDecision, *, first: bool) -> str:
    said = "passed its gate" if decision.passed else DOUBTS[decision.verdict]
    return ("the first model of the risk; " if first else "") + said


def _words(frame: pl.DataFrame, fitted: FittedRisk) -> Mapping[str, pl.DataType]:
    """Columns that the words of a risk may name: features, and what the model adds."""
    added = fitted.model.model_columns(frame.head(1))
    return {**frame.schema, **added.schema}
