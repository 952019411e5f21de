"""The checks that a new model goes through, one function each; `models.judging.gate` asks them all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from configs.errors import ConfigurationError
from configs.schema.gate import GateConfig
from models.judging.agreement import FeatureAgreement
from models.judging.baselines import line_keys
from models.judging.comparison import CONTENDERS, RivalComparison
from models.judging.evaluation import Evaluation
from models.judging.groups import each_group
from models.stats.intervals import Estimate, bootstrap_weights, observed_over_expected, too_few
from models.stats.metric import Metric, ScoredLines
from models.stats.metrics import AVERAGE_PRECISION, metric_named
from models.stats.rankings import average_precision_by_chance

_DRAWS = 500
_NAMED_COLUMNS = 5
FINDINGS = "findings"
"""The check that stands alone where there are too few of them for any other."""


@dataclass(frozen=True)
class Check:
    """One thing that was asked of a model: its name, whether the gate may open, and the figures in words."""

    name: str
    passed: bool
    message: str


def comparing_metric(gate: GateConfig, metrics: Sequence[Metric]) -> Metric:
    """The metric by which two models are compared: one that needs only their probabilities.

    Raises:
        ConfigurationError: `gate.metric` is none of these.
    """
    try:
        return metric_named(gate.metric, [metric for metric in metrics if metric.judges != "money"])
    except ConfigurationError as error:
        raise ConfigurationError(f"gate.metric: {error}") from error


def not_judged(challenger: Evaluation, gate: GateConfig) -> Check:
    """The newest days hold too few findings for any other check."""
    words = "the newest days hold no finding, so nothing shows that the model is of use"
    if challenger.findings:
        words = (
            f"{too_few(challenger.findings)} among the lines of the newest days: it takes "
            f"{gate.least_findings} to show that a model is of use"
        )
    return Check(FINDINGS, False, words)


def against_baseline(challenger: Evaluation, name: str) -> Check:
    """The model ranks later lines better than a trivial score does."""
    model = challenger.figure(AVERAGE_PRECISION.name).value
    baseline = challenger.figure(AVERAGE_PRECISION.name, score=name).value
    if name == "random":
        # One draw may be lucky; what chance brings on average is known.
        baseline = average_precision_by_chance(challenger.findings, challenger.lines.height)
    passed = math.isnan(baseline) or model > baseline
    verdict, shown = "better than" if passed else "NOT better than", name.replace("_", " ")
    return Check(
        f"against {shown}", passed, f"average precision {model:.3f}, {verdict} {shown} with {baseline:.3f}"
    )


def against_rivals(rivals: RivalComparison, metric: Metric) -> Iterator[Check]:
    """No plain rival is surely better on the same lines, by the interval of the paired difference.

    `rivals` hold the metric under its own name; one that could not score is left out.
    """
    path = (metric.name,)
    for name, differences in rivals.differences.items():
        theirs = rivals.scores[name]
        if differences is None or theirs is None:
            continue
        difference = differences[path]
        gain = metric.gain(difference)
        verdict = "no sure difference"
        if gain.low > 0.0:
            verdict = "better"
        elif gain.high < 0.0:
            verdict = "SURELY worse"
        yield Check(
            f"against {CONTENDERS[name]}",
            not gain.high < 0.0,
            f"{metric.title} {difference.value:+.3f} against {rivals.called[name]} with "
            f"{theirs[path].value:.3f} ({difference.low:+.3f} to {difference.high:+.3f}) on the same "
            f"{rivals.lines} lines: {verdict}",
        )


def against_champion(lines: pl.DataFrame, metric: Metric, gate: GateConfig, seed: int) -> Check:
    """The model is better than the champion (or surely not worse), by an interval of the difference.

    `lines` are those that both have predicted: `found`, `declared_on`, `probability`, `champion`.
    """
    findings, name = int(lines["found"].sum()), "against the champion"
    if findings < gate.least_findings:
        return Check(
            name,
            False,
            f"only {findings} findings among later lines that the champion has not seen, "
            f"{gate.least_findings} are needed to compare: the champion stays, `champion promote` overrules",
        )
    difference = paired_difference(lines, "probability", "champion", metric=metric, seed=seed)
    gain = metric.gain(difference)
    floor = 0.0 if gate.against_champion == "better" else -gate.tolerance
    passed = gain.low > floor
    verdict = ("better" if floor == 0.0 else "not worse") if passed else "NOT shown to be better"
    if gain.high < 0.0:
        verdict = "worse"
    elif not passed and floor < 0.0:
        verdict = f"NOT shown to lose less than {gate.tolerance:g}"
    return Check(
        name,
        passed,
        f"{metric.title} {difference.value:+.3f} against the champion "
        f"({difference.low:+.3f} to {difference.high:+.3f}) on the same {lines.height} lines with {findings} "
        f"findings: {verdict}",
    )


def slices_hold(lines: pl.DataFrame, metric: Metric, gate: GateConfig, seed: int) -> Check:
    """No group of lines loses more than allowed against the champion, beyond chance.

    `lines` as for `against_champion`, with the columns of `models.judging.groups`.
    """
    fallen, compared = [], 0
    for name, mask in each_group(lines):
        part = lines.filter(pl.Series(mask))
        if int(part["found"].sum()) < gate.least_findings:
            continue
        compared += 1
        difference = paired_difference(part, "probability", "champion", metric=metric, seed=seed)
        gain = metric.gain(difference)
        if gain.value < -gate.slice_drop and gain.high < 0.0:
            fallen.append(f"{name} {difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})")
    if fallen:
        verb = "FALLS" if metric.higher_is_better else "RISES"
        message = f"{metric.title} {verb} by more than {gate.slice_drop:g} on {', '.join(fallen)}"
        return Check("slices", False, message)
    if not compared:
        return Check("slices", True, f"no slice has the {gate.least_findings} findings to be compared")
    return Check(
        "slices",
        True,
        f"no fall of more than {gate.slice_drop:g} on any of {compared} slices with at least "
        f"{gate.least_findings} findings",
    )


def calibration_holds(challenger: Evaluation, gate: GateConfig) -> Check:
    """On lines drawn at random, as many findings as the probabilities promise."""
    name, lines = "calibration", challenger.lines
    if "selection" in lines.columns:
        lines = lines.filter(pl.col("selection") == "random")
    if "selection" not in lines.columns or lines.is_empty():
        return Check(name, True, "calibration cannot be checked: no evaluated line was drawn at random")
    ratio = observed_over_expected(lines["probability"].to_numpy(), lines["found"].to_numpy())
    if max(ratio.findings, lines["probability"].sum()) < gate.least_findings:
        few = f"{too_few(ratio.findings)} among the {lines.height} lines drawn at random"
        return Check(name, True, f"calibration cannot be checked: {few}")
    close = abs(ratio.value - 1.0) <= gate.calibration_tolerance
    passed = ratio.low <= 1.0 <= ratio.high or close
    return Check(
        name,
        passed,
        f"{ratio.value:.2f} times as many findings as promised ({ratio.low:.2f} to {ratio.high:.2f}) on the "
        f"{lines.height} lines of the random share with {ratio.findings} findings: calibration "
        f"{'holds' if passed else 'does NOT hold'}",
    )


def features_agree(agreement: FeatureAgreement | None, gate: GateConfig) -> Check:
    """The random share has the features of all lines."""
    name = "features of the random share"
    if agreement is None:
        return Check(name, True, "features cannot be compared: the random share is too small")
    wrong = agreement.disagreeing(gate.feature_shift)
    compared = f"{len(agreement.columns)} columns of {agreement.lines} against {agreement.all_lines} lines"
    if not wrong:
        return Check(name, True, f"the features of the random share are those of all lines ({compared})")
    named = ", ".join(f"{column.column} {column.shift.psi:.2f}" for column in wrong[:_NAMED_COLUMNS])
    return Check(
        name,
        False,
        f"{len(wrong)} features of the random share are NOT those of all lines ({compared}); largest "
        f"stability index: {named}",
    )


def no_column_knows_too_much(challenger: Evaluation, gate: GateConfig) -> Check:
    """No column alone ranks findings so well that it must have been written after the inspection."""
    name, limit = "single columns", gate.single_feature_auc
    if not challenger.leakage.columns:
        return Check(name, True, "no column can be looked at alone")
    suspects = challenger.leakage.suspects(limit)
    if not suspects:
        best = challenger.leakage.columns[0]
        message = f"no column alone knows too much: the best is {best.column}, AUC {best.auc:.3f}"
        return Check(name, True, message)
    named = ", ".join(f"{column.column} (AUC {column.auc:.3f})" for column in suspects[:_NAMED_COLUMNS])
    return Check(
        name, False, f"TOO GOOD alone, above {limit:g}: {named}; was it written after the inspection?"
    )


def paired_difference(
    lines: pl.DataFrame, first: str, second: str, *, metric: Metric, seed: int, draws: int = _DRAWS
) -> Estimate:
    """A metric of score `first` minus that of `second`, with a bootstrap over the same draws of days.

    `lines` has the two scores, `found`, `declared_on` and the key of a line.
    """
    found, ties = lines["found"].to_numpy(), line_keys(lines, seed)
    days = lines["declared_on"].to_physical().to_numpy().astype(np.int64)
    one, other = (ScoredLines(lines[name].to_numpy(), found, ties) for name in (first, second))
    return metric.difference(one, other, bootstrap_weights(days, draws=draws, seed=seed))


def warnings_of(challenger: Evaluation, gate: GateConfig) -> Iterator[str]:
    """What a person should look at although the gate does not turn on it: a column that beats the model."""
    model = challenger.figure(AVERAGE_PRECISION.name)
    # Of many columns the best is good by luck, so it has to be above what is luck of the model.
    better = [column for column in challenger.leakage.columns if column.average_precision > model.high]
    if better:
        better.sort(key=lambda column: (-column.average_precision, column.column))
        named = ", ".join(
            f"{column.column} {column.average_precision:.3f}" for column in better[:_NAMED_COLUMNS]
        )
        yield (
            f"average precision above the model's {model.value:.3f} ({model.low:.3f} to {model.high:.3f}) "
            f"alone: {named}; see whether it was known before the inspection"
        )
