"""Evaluations of scores with a known skill, for tests of the gate."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl

from configs.schema.gate import GateConfig
from configs.schema.pipeline import MetricConfig, TrainingConfig
from configs.schema.risk import ConstantValue, RiskConfig, Title
from models.judging.evaluation import Evaluation, Prediction, evaluate
from models.judging.gate import GateDecision

DAYS = 20
GATE = GateConfig()
RISK = RiskConfig(
    name="x", label="label", title=Title(en="X"), finding_value=ConstantValue(kind="constant", cny=1.0)
)
BRIER = MetricConfig(name="brier", function="sklearn.metrics:brier_score_loss", better="lower")
TRAINING = TrainingConfig(capacities=(0.05,), seed=3)
TRAINING_WITH_BRIER = TRAINING.model_copy(update={"metrics": (BRIER,)})


@cache
def evaluation(
    skill: float,
    lines: int = 1000,
    seed: int = 1,
    *,
    findings: bool = True,
    blind: str | None = None,
    promise: float = 1.0,
    tell_tale: float | None = None,
    training: TrainingConfig = TRAINING,
) -> Evaluation:
    """An evaluation of a score that sees findings with some skill; `seed` draws the lines, not the score.

    The score sees nothing in the office `blind`. `promise` scales all probabilities; `tell_tale` adds a
    column that separates findings that much.
    """
    rng = np.random.default_rng(seed)
    found = (rng.random(lines) < 0.08) & findings
    noise = np.random.default_rng(round(skill * 1000)).normal(size=lines)
    office = rng.choice(["4601", "5316"], lines)
    later = pl.DataFrame(
        {
            "declaration_id": [f"D{number}" for number in range(lines)],
            "line_no": np.ones(lines),
            "declared_on": [
                date(2026, 11, 1) + timedelta(days=int(day)) for day in rng.integers(0, DAYS, lines)
            ],
            "price__total_cny": rng.lognormal(3, 1, lines),
            "hit_rate__seller_rate": np.clip(0.1 + 0.05 * found + rng.normal(0, 0.05, lines), 0, 1),
            "customs_office": office,
            "selection": rng.choice(["random", "risk"], lines),
            "label": found,
        }
    )
    if tell_tale is not None:
        later = later.with_columns(pl.Series("extra__opened", tell_tale * found + rng.normal(size=lines)))
    seen = skill * found * (office != blind)
    # What the score knows, as odds: the density of a finding's score over that of another line's.
    odds = np.exp(skill * (seen + noise) - skill**2 / 2) * 0.08 / 0.92
    probability = np.clip(promise * odds / (1.0 + odds), 0.0, 1.0)
    return evaluate(RISK, later, later, Prediction(probability, np.ones(lines)), training)


def said(decision: GateDecision, name: str) -> tuple[bool, str]:
    """Whether a check was passed, and its words."""
    (check,) = (check for check in decision.checks if check.name == name)
    return check.passed, check.message
