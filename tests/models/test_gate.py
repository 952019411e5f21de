from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from configs.schema import RiskConfig, TrainingConfig
from models.evaluation import Evaluation, evaluate
from models.gate import decide, paired_difference, unseen_predictions
from models.training import fit_risk

DAYS = 20


def evaluation(skill: float, lines: int = 2000, seed: int = 1, findings: bool = True) -> Evaluation:
    """An evaluation of a score that sees findings with some skill; `seed` draws the lines, not the score."""
    rng = np.random.default_rng(seed)
    found = (rng.random(lines) < 0.05) & findings
    noise = np.random.default_rng(round(skill * 1000)).normal(size=lines)
    later = pl.DataFrame(
        {
            "declaration_id": [f"D{number}" for number in range(lines)],
            "line_no": np.ones(lines),
            "declared_on": [
                date(2026, 11, 1) + timedelta(days=int(day)) for day in rng.integers(0, DAYS, lines)
            ],
            "price__total_cny": rng.lognormal(3, 1, lines),
            "hit_rate__seller_rate": np.clip(0.1 + 0.05 * found + rng.normal(0, 0.05, lines), 0, 1),
            "label": found,
        }
    )
    probability = 1.0 / (1.0 + np.exp(3.0 - skill * found - noise))
    return evaluate("x", "label", later, later, probability, np.ones(lines), capacities=[0.05], seed=3)


def test_a_model_that_beats_the_baselines_passes_without_a_champion() -> None:
    decision = decide(evaluation(3.0))
    assert decision.passed
    assert len(decision.reasons) == 4
    assert "better than seller rate" in decision.reasons[3]


def test_a_model_that_knows_less_than_the_past_of_the_seller_does_not_pass() -> None:
    decision = decide(evaluation(0.1))
    assert not decision.passed
    assert any(reason.endswith(")") or "NOT better than seller rate" in reason for reason in decision.reasons)


def test_an_evaluation_without_a_finding_proves_nothing() -> None:
    decision = decide(evaluation(3.0, findings=False))
    assert not decision.passed
    assert decision.reasons == ("the newest days hold no finding, so nothing shows that the model is of use",)


@pytest.mark.parametrize(("skill", "passed", "said"), [(4.0, True, "not worse"), (2.0, False, ": worse")])
def test_the_champion_is_met_on_the_same_lines(skill: float, passed: bool, said: str) -> None:
    champion = evaluation(3.0).lines.select("declaration_id", "line_no", "probability")
    decision = decide(evaluation(skill), champion)
    assert decision.passed is passed
    assert said in decision.reasons[-1]
    assert "on the same 2000 lines" in decision.reasons[-1]


def test_the_same_model_again_is_not_worse() -> None:
    result = evaluation(3.0)
    decision = decide(result, result.lines)
    assert decision.passed
    assert "+0.000 against the champion (+0.000 to +0.000)" in decision.reasons[-1]


def test_lines_that_only_one_of_them_predicted_play_no_part() -> None:
    result = evaluation(2.0)
    stranger = evaluation(4.0).lines.with_columns(("Y" + pl.col("declaration_id")).alias("declaration_id"))
    decision = decide(result, stranger)
    assert decision.passed
    assert "only 0 findings among lines that the champion has not seen" in decision.reasons[-1]


def test_the_interval_of_a_difference_covers_it() -> None:
    """Two scores of equal skill: the 95% interval holds zero in about 95 of 100 samples."""
    inside = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = rng.random(600) < 0.2
        lines = pl.DataFrame(
            {
                "found": found,
                "one": found + rng.normal(size=600),
                "other": found + rng.normal(size=600),
                "declared_on": [date(2026, 11, 1) + timedelta(days=number % 30) for number in range(600)],
            }
        )
        difference = paired_difference(lines, "one", "other", seed=seed, draws=200)
        inside += difference.low <= 0.0 <= difference.high
    assert inside >= 52


def test_a_champion_is_asked_only_about_lines_after_its_training(
    frame: pl.DataFrame, prohibited: RiskConfig, training: TrainingConfig
) -> None:
    half = frame.filter(pl.col("declared_on") < date(2026, 10, 1))
    champion = fit_risk(half, prohibited, training)
    known = unseen_predictions(champion.model, champion.out_of_time, frame)
    after = frame.filter(pl.col("declared_on") >= date(2026, 10, 1))
    assert known.height == champion.out_of_time.height + after.height
    assert known.select("declaration_id", "line_no").is_unique().all()
    joined = after.with_columns(pl.Series("expected", champion.model.predict(after))).join(
        known, on=["declaration_id"]
    )
    assert (joined["probability"] == joined["expected"]).all()
    changed = unseen_predictions(champion.model, champion.out_of_time, frame.drop("price__cny_per_kg"))
    assert changed.height == champion.out_of_time.height
    challenger = fit_risk(frame, prohibited, training)
    assert "against the champion" in decide(challenger.evaluation, known).reasons[-1]
