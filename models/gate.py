"""Whether a new model may take the place of the one in use.

It has to rank later lines better than chance, price and the seller's past do, and not worse than the
champion on the same lines. A comparison is fair only on lines that neither model was trained on: for a
champion these are the lines declared after its training, and those that it once predicted out of time.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from models.baselines import TRIVIAL
from models.errors import FeatureColumnsError
from models.evaluation import Evaluation
from models.metrics import Areas, Estimate, average_precision_by_chance, bootstrap_weights, interval
from models.risk_model import RiskModel

logger = logging.getLogger(__name__)

_DRAWS = 500
# A loss of average precision below this is accepted where chance alone explains it.
_TOLERANCE = 0.02
_LEAST_FINDINGS = 10


@dataclass(frozen=True)
class GateDecision:
    """Passed or not, and every check in words with its figures."""

    passed: bool
    reasons: tuple[str, ...]


def decide(
    challenger: Evaluation,
    champion: pl.DataFrame | None = None,
    baselines: Sequence[str] = TRIVIAL,
    *,
    seed: int = 0,
) -> GateDecision:
    """Judge a challenger by its evaluation.

    `champion` are the champion's `unseen_predictions`; None where the risk has no champion. Common lines with
    fewer than 10 findings do not decide.
    """
    if challenger.findings == 0:
        nothing = "the newest days hold no finding, so nothing shows that the model is of use"
        return GateDecision(False, (nothing,))
    checks = [_against_baseline(challenger, name) for name in baselines]
    if champion is not None:
        checks.append(_against_champion(challenger, champion, seed))
    return GateDecision(all(passed for passed, _ in checks), tuple(reason for _, reason in checks))


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
    return pl.concat([stored, predicted]).unique(
        ["declaration_id", "line_no"], keep="first", maintain_order=True
    )


def paired_difference(
    lines: pl.DataFrame, first: str, second: str, *, seed: int, draws: int = _DRAWS
) -> Estimate:
    """Average precision of score `first` minus that of `second`, with a bootstrap over the same draws of
    days.

    `lines` has the two scores, `found` and `declared_on`.
    """
    found = lines["found"].to_numpy()
    days = lines["declared_on"].to_physical().to_numpy().astype(np.int64)
    weights, once = bootstrap_weights(days, draws=draws, seed=seed), np.ones(lines.height)
    one, other = (Areas.of(lines[name].to_numpy(), found) for name in (first, second))
    value = float(one.average_precision(once) - other.average_precision(once))
    low, high = interval(one.average_precision(weights) - other.average_precision(weights))
    return Estimate(value, low, high, int(found.sum()))


def _against_baseline(challenger: Evaluation, name: str) -> tuple[bool, str]:
    model = challenger.figure("average_precision").value
    baseline = challenger.figure("average_precision", score=name).value
    if name == "random":
        # One draw may be lucky; what chance brings on average is known.
        baseline = average_precision_by_chance(challenger.findings, challenger.lines.height)
    passed = math.isnan(baseline) or model > baseline
    verdict = "better than" if passed else "NOT better than"
    return passed, f"average precision {model:.3f}, {verdict} {name.replace('_', ' ')} with {baseline:.3f}"


def _against_champion(challenger: Evaluation, champion: pl.DataFrame, seed: int) -> tuple[bool, str]:
    known = champion.select(
        "declaration_id",
        pl.col("line_no").cast(pl.Float64),
        pl.col("probability").alias("champion"),
    )
    lines = challenger.lines.with_columns(pl.col("line_no").cast(pl.Float64)).join(
        known, on=["declaration_id", "line_no"], how="inner", maintain_order="left"
    )
    findings = int(lines["found"].sum())
    if findings < _LEAST_FINDINGS:
        return True, f"only {findings} findings among lines that the champion has not seen: no comparison"
    difference = paired_difference(lines, "probability", "champion", seed=seed)
    worse = difference.value < 0.0 and (difference.high < 0.0 or difference.value < -_TOLERANCE)
    return not worse, (
        f"average precision {difference.value:+.3f} against the champion "
        f"({difference.low:+.3f} to {difference.high:+.3f}) on the same {lines.height} lines with {findings} "
        f"findings: {'worse' if worse else 'not worse'}"
    )
