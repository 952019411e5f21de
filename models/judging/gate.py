"""Whether a new model may take the place of the one in use.

It has to rank later lines better than chance, price and the seller's past do, not surely worse than plain
rivals that learned from the same lines, and surely better than the champion. It must not fall behind on any
slice, its probabilities must hold on the random share, the features of the random share must be those of all
lines, and no column may know more than a declaration can. A comparison is fair only on lines that neither
model was trained on and whose results are due: for a champion these are the lines declared after its
training, and those that it once predicted out of time. A comparison that shows nothing leaves the champion in
use.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import polars as pl

from configs.schema.gate import GateConfig
from features.contract.declarations import LINE_KEY
from models.judging.agreement import FeatureAgreement
from models.judging.baselines import TRIVIAL
from models.judging.comparison import RivalComparison
from models.judging.evaluation import Evaluation
from models.judging.gate_checks import (
    FINDINGS,
    Check,
    against_baseline,
    against_champion,
    against_rivals,
    calibration_holds,
    comparing_metric,
    features_agree,
    no_column_knows_too_much,
    not_judged,
    slices_hold,
    warnings_of,
)
from models.risk.risk_model import RiskModel
from models.trees.errors import FeatureColumnsError

Verdict = Literal["passed", "failed", "not judged"]
NOT_JUDGED: Final = "not judged"
DOUBTS: Final[dict[str, str]] = {"failed": "FAILED its gate", NOT_JUDGED: "was never judged"}
"""What is said of a model in use, by the verdict of its gate; nothing of one that passed."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GateDecision:
    """Every check in the order in which it was made, and what is worth a look besides."""

    checks: tuple[Check, ...]
    warnings: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all checks were."""
        return all(check.passed for check in self.checks)

    @property
    def verdict(self) -> Verdict:
        """Passed, failed, or not judged, where there are too few findings to say anything."""
        if any(check.name == FINDINGS for check in self.checks):
            return NOT_JUDGED
        return "passed" if self.passed else "failed"

    @property
    def reasons(self) -> tuple[str, ...]:
        """The checks in words with their figures."""
        return tuple(check.message for check in self.checks)


def decide(
    challenger: Evaluation,
    champion: pl.DataFrame | None = None,
    *,
    gate: GateConfig,
    agreement: FeatureAgreement | None = None,
    rivals: RivalComparison | None = None,
    seed: int = 0,
) -> GateDecision:
    """Judge a challenger by its evaluation.

    `champion` are the champion's `unseen_predictions`, None where the risk has no champion; `agreement` is
    that of the random share with all lines, `rivals` the comparison with plain ones by the gate's metric,
    each None where it is not known.
    """
    if challenger.findings < gate.least_findings:
        return GateDecision((not_judged(challenger, gate),))
    checks = [against_baseline(challenger, name) for name in TRIVIAL]
    metric = comparing_metric(gate, challenger.metrics)
    if rivals is not None:
        checks += against_rivals(rivals, metric)
    if champion is not None:
        lines = _common_lines(challenger, champion)
        checks += [against_champion(lines, metric, gate, seed), slices_hold(lines, metric, gate, seed)]
    checks.append(calibration_holds(challenger, gate))
    checks.append(features_agree(agreement, gate))
    checks.append(no_column_knows_too_much(challenger, gate))
    return GateDecision(tuple(checks), tuple(warnings_of(challenger, gate)))


def unseen_predictions(champion: RiskModel, out_of_time: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """The champion's probabilities of lines that it was not trained on: what `decide` compares with.

    `out_of_time` are the predictions it made ahead of time when it was trained, `frame` the inspected lines
    of the present training; of these it predicts the ones declared after its last training day. Where the
    configuration no longer builds the columns that it knows, its earlier predictions have to do.
    """
    stored = out_of_time.select("declaration_id", pl.col("line_no").cast(pl.Float64), "probability")
    after = frame.filter(pl.col("declared_on") > date.fromisoformat(champion.metadata["declared_to"]))
    try:
        probability = champion.predict(after)
    except FeatureColumnsError as error:
        logger.warning("the champion is compared on its earlier predictions only: %s", error)
        return stored
    predicted = after.select(
        "declaration_id", pl.col("line_no").cast(pl.Float64), pl.Series("probability", probability)
    )
    return pl.concat([stored, predicted]).unique(LINE_KEY, keep="first", maintain_order=True)


def _common_lines(challenger: Evaluation, champion: pl.DataFrame) -> pl.DataFrame:
    """The challenger's evaluated lines that the champion has predicted too, as `champion`."""
    known = champion.select(
        "declaration_id",
        pl.col("line_no").cast(pl.Float64),
        pl.col("probability").alias("champion"),
    )
    return challenger.lines.with_columns(pl.col("line_no").cast(pl.Float64)).join(
        known, on=LINE_KEY, how="inner", maintain_order="left"
    )
