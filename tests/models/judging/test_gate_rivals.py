"""Plain rivals keep the gate shut only where they are surely better."""

from __future__ import annotations

import numpy as np
import pytest

from configs.schema.gate import GateConfig
from features.arrays.types import FloatArray
from models.judging.comparison import LIGHTGBM, MODEL, Contender, Measure, RivalComparison, compare
from models.judging.evaluation import Evaluation
from models.judging.gate import decide
from models.stats.metric import Metric
from models.stats.metrics import AUC, AVERAGE_PRECISION
from tests.models.judging.judged_scores import GATE, evaluation, said


def said_by(result: Evaluation) -> FloatArray:
    """The probabilities of an evaluation's lines."""
    return result.lines["probability"].to_numpy()


def beside(
    model: Evaluation, rival: FloatArray | None, metric: Metric = AVERAGE_PRECISION
) -> RivalComparison:
    """A model beside a rival with these probabilities of the same lines."""
    scores = {
        MODEL: Contender.of(said_by(model)),
        LIGHTGBM: None if rival is None else Contender.of(rival),
    }
    found, measure = model.lines["found"].to_numpy(), Measure(metric, (metric.name,))
    return compare(model.lines, found, scores, least_findings=10, seed=3, measures=[measure])


@pytest.mark.parametrize(
    ("rival", "passed", "words"),
    [(4.0, False, ": SURELY worse"), (3.0, True, ": no sure difference"), (0.1, True, ": better")],
)
def test_only_a_plain_rival_that_is_surely_better_keeps_the_gate_shut(
    rival: float, passed: bool, words: str
) -> None:
    model = evaluation(3.0)
    decision = decide(model, gate=GATE, rivals=beside(model, said_by(evaluation(rival))))
    assert decision.passed is passed
    reached, reason = said(decision, "against LightGBM")
    assert reached is passed
    assert reason.endswith(f"on the same 1000 lines{words}")


def test_a_rival_with_a_better_figure_that_may_be_luck_decides_nothing() -> None:
    model = evaluation(3.0)
    comparison = beside(model, said_by(model) * np.random.default_rng(2).uniform(0.5, 1.0, 1000))
    figures = comparison.differences[LIGHTGBM]
    assert figures is not None
    luck = figures["average_precision",]
    assert luck.low < 0.0 < luck.high
    assert decide(model, gate=GATE, rivals=comparison).passed


def test_rivals_are_met_by_the_metric_that_is_asked_for() -> None:
    model = evaluation(3.0)
    rivals = beside(model, said_by(evaluation(4.0)), AUC)
    reached, reason = said(decide(model, gate=GateConfig(metric="auc"), rivals=rivals), "against LightGBM")
    assert not reached
    assert reason.startswith("AUC -0.")


def test_a_rival_that_could_not_score_and_too_few_findings_are_no_check() -> None:
    model = evaluation(3.0)
    named = [check.name for check in decide(model, gate=GATE, rivals=beside(model, None)).checks]
    assert "against LightGBM" not in named
    few = evaluation(3.0, lines=60)
    thin = decide(few, gate=GATE, rivals=beside(few, said_by(few)))
    assert thin.verdict == "not judged"
