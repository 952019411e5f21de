"""What a model is worth on later lines: figures with intervals, beside baselines, and on novel lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import polars as pl

from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from features.arrays.types import BoolArray, FloatArray
from models.judging.baselines import baseline_scores, line_keys, slices
from models.judging.groups import line_groups
from models.judging.leakage import Leakage, find_leakage
from models.risk.calibration import calibration_noise, expected_calibration_error
from models.stats.intervals import Estimate, bootstrap_weights, too_few
from models.stats.metric import Metric, ScoredLines
from models.stats.metrics import metric_named, metrics_of
from models.trees.columns import number_column

MODEL = "model"
_DRAWS = 300
_PARTS_OF_BASELINES = ("all", "no_twin")
_BASELINES_OF_MONEY = ("random", "price_high")
_KEPT = ("declaration_id", "line_no", "declared_on", "selection")

Figures = Mapping[tuple[str, str, str], Estimate]


@dataclass(frozen=True)
class Prediction:
    """What a model says of lines: the probability of a finding, and what one would bring in, CNY (lines,)."""

    probability: FloatArray
    value_cny: FloatArray


@dataclass(frozen=True)
class Evaluation:
    """Figures about one risk on one block of later lines.

    `figures` holds estimates by score (`model` or a baseline), slice (`all`, `no_twin`, …) and name of one of
    the `metrics`, `part_findings` the findings of each slice; with fewer than `least_findings` a slice has no
    figures, see `resting_on`. `lines` has a row a line: declaration_id, line_no, declared_on, selection where
    known, found, probability, value_cny, the baselines' scores, and the groups of `models.judging.groups`.
    `examples` are what `models.judging.worst_lines` shows of them.
    """

    risk: str
    lines: pl.DataFrame
    metrics: Sequence[Metric]
    figures: Figures
    calibration_error: float
    calibration_error_by_chance: float
    leakage: Leakage = field(default_factory=Leakage)
    examples: pl.DataFrame = field(default_factory=pl.DataFrame)
    part_findings: Mapping[str, int] = field(default_factory=dict)
    least_findings: int = 1

    @property
    def findings(self) -> int:
        """Findings among the lines."""
        return int(self.lines["found"].sum())

    @property
    def period(self) -> tuple[date, date] | None:
        """First and last day of the lines; None without lines."""
        first, last = self.lines["declared_on"].min(), self.lines["declared_on"].max()
        return (first, last) if isinstance(first, date) and isinstance(last, date) else None

    def resting_on(self, least_findings: int) -> Evaluation:
        """The same without the figures of slices that have fewer findings: those would be luck."""
        few = {part for part, count in self.part_findings.items() if count < least_findings}
        figures = {key: figure for key, figure in self.figures.items() if key[1] not in few}
        left = replace(self, figures=figures, least_findings=least_findings)
        if self.findings >= least_findings:
            return left
        return replace(
            left,
            calibration_error=math.nan,
            calibration_error_by_chance=math.nan,
            leakage=self.leakage.of_lines(),
        )

    def too_few(self, part: str = "all") -> str | None:
        """What to say instead of a slice's figures, None where it has enough findings for them."""
        findings = self.findings if part == "all" else self.part_findings.get(part, 0)
        return too_few(findings) if findings < self.least_findings else None

    def figure(self, name: str, *, score: str = MODEL, part: str = "all") -> Estimate:
        """The estimate of a metric, NaN where it could not be computed.

        Raises:
            ConfigurationError: there is no metric of that name; the message offers the nearest.
        """
        metric = metric_named(name, self.metrics)
        return self.figures.get((score, part, metric.name), Estimate(math.nan, math.nan, math.nan, 0))

    def as_metrics(self) -> dict[str, float]:
        """Names and numbers: `average_precision`, `no_twin.auc_low`, `baseline.lookup.precision_at_05`."""
        metrics: dict[str, float] = {"lines": float(self.lines.height), "findings": float(self.findings)}
        for (score, part, name), estimate in self.figures.items():
            metrics |= estimate.as_metrics(_prefix(score, part) + name)
        errors = {"calibration_error": self.calibration_error}
        errors["calibration_error_by_chance"] = self.calibration_error_by_chance
        metrics |= {name: value for name, value in errors.items() if math.isfinite(value)}
        return metrics | self.leakage.as_metrics()

    def headline(self) -> dict[str, float]:
        """The part of `as_metrics` that fits on a page.

        Everything about the model on all lines; of its slices and of the baselines the `brief` metrics.
        """
        brief = {metric.name for metric in self.metrics if metric.brief}
        dropped = set()
        for score, part, name in self.figures:
            if prefix := _prefix(score, part):
                ends = ("_findings",) if name in brief else ("", "_low", "_high", "_findings")
                dropped |= {f"{prefix}{name}{end}" for end in ends}
        return {
            name: value
            for name, value in self.as_metrics().items()
            if name not in dropped and not name.startswith("overlap.")
        }


def _prefix(score: str, part: str) -> str:
    return ("" if score == MODEL else f"baseline.{score}.") + ("" if part == "all" else f"{part}.")


def evaluate(
    risk: RiskConfig, past: pl.DataFrame, later: pl.DataFrame, predicted: Prediction, training: TrainingConfig
) -> Evaluation:
    """Evaluate what was predicted of `later` lines by a model that was trained on the `past` ones.

    Every figure of the model is there for all lines and for each slice; baselines are compared on the same
    lines.

    Raises:
        ConfigurationError: one of `training.metrics` cannot be used.
    """
    found, metrics = later[risk.label].fill_null(False).to_numpy(), metrics_of(training)
    baselines = baseline_scores(past, risk.label, later, seed=training.seed)
    lines = later.select(name for name in _KEPT if name in later.columns).with_columns(
        pl.Series("found", found),
        pl.Series("probability", predicted.probability),
        pl.Series("value_cny", predicted.value_cny),
        *(pl.Series(f"baseline_{name}", values) for name, values in baselines.items()),
        *line_groups(past, later),
    )
    parts = {"all": np.ones(later.height, dtype=bool), **slices(past, later)}
    return Evaluation(
        risk.name,
        lines,
        metrics,
        _figures(metrics, lines, parts, _recovered_tax(later, found), training.seed),
        expected_calibration_error(predicted.probability, found),
        calibration_noise(predicted.probability, seed=training.seed),
        find_leakage(past, risk.label, later),
        part_findings={name: int(found[part].sum()) for name, part in parts.items()},
    )


def _figures(
    metrics: Sequence[Metric],
    lines: pl.DataFrame,
    parts: Mapping[str, BoolArray],
    recovered: FloatArray | None,
    seed: int,
) -> Figures:
    """The estimates of all metrics by score, slice and name; `lines` are those of an evaluation."""
    found, ties = lines["found"].to_numpy(), line_keys(lines, seed)
    days = lines["declared_on"].to_physical().to_numpy().astype(np.int64)
    probability = {MODEL: lines["probability"].to_numpy()}
    prefix = "baseline_"
    baselines = {
        name.removeprefix(prefix): lines[name].to_numpy() for name in lines.columns if name.startswith(prefix)
    }
    money = {MODEL: probability[MODEL] * lines["value_cny"].to_numpy()}
    money |= {name: baselines[name] for name in _BASELINES_OF_MONEY}
    judged = {
        "ranking": probability | baselines,
        "probability": probability,
        "money": money if recovered is not None else {},
    }
    figures: dict[tuple[str, str, str], Estimate] = {}
    for part, mask in parts.items():
        weights = bootstrap_weights(days[mask], draws=_DRAWS, seed=seed)
        for kind, scores in judged.items():
            for score, values in scores.items():
                if kind == "ranking" and score != MODEL and part not in _PARTS_OF_BASELINES:
                    continue
                amount = None if recovered is None else recovered[mask]
                scored = ScoredLines(values[mask], found[mask], ties[mask], amount)
                for metric in metrics:
                    if metric.judges == kind:
                        figures[score, part, metric.name] = metric.estimate(scored, weights)
    return figures


def _recovered_tax(later: pl.DataFrame, found: BoolArray) -> FloatArray | None:
    """Tax that the findings brought in, CNY a line; None where no finding has an amount."""
    amount = np.where(found, np.nan_to_num(number_column(later, "recovered_tax_cny")), 0.0)
    return amount if amount.sum() > 0.0 else None
