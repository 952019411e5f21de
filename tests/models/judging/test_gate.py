from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from configs.errors import ConfigurationError
from configs.schema.gate import GateConfig
from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from models.fitting.training import fit_risk
from models.judging.agreement import compare_features
from models.judging.evaluation import Evaluation
from models.judging.gate import decide, unseen_predictions
from models.judging.gate_checks import paired_difference
from models.stats.metrics import AVERAGE_PRECISION
from tests.models.judging.judged_scores import (
    GATE,
    TRAINING,
    TRAINING_WITH_BRIER,
    evaluation,
    said,
)


def predictions(result: Evaluation) -> pl.DataFrame:
    return result.lines.select("declaration_id", "line_no", "probability")


def test_a_model_that_beats_the_baselines_passes_without_a_champion() -> None:
    decision = decide(evaluation(3.0), gate=GATE)
    assert decision.passed
    assert [check.name for check in decision.checks] == [
        *("against random", "against price high", "against price low", "against seller rate"),
        *("calibration", "features of the random share", "single columns"),
    ]
    assert "better than seller rate" in decision.reasons[3]


def test_a_model_that_knows_less_than_the_past_of_the_seller_does_not_pass() -> None:
    decision = decide(evaluation(0.1), gate=GATE)
    assert not decision.passed
    assert not said(decision, "against seller rate")[0]


def test_an_evaluation_without_a_finding_proves_nothing() -> None:
    decision = decide(evaluation(3.0, findings=False), gate=GATE)
    assert not decision.passed
    assert decision.reasons == ("the newest days hold no finding, so nothing shows that the model is of use",)


@pytest.mark.parametrize(("skill", "passed", "words"), [(4.0, True, ": better"), (2.0, False, ": worse")])
def test_the_champion_is_met_on_the_same_lines(skill: float, passed: bool, words: str) -> None:
    decision = decide(evaluation(skill), predictions(evaluation(3.0)), gate=GATE)
    assert decision.passed is passed
    reached, reason = said(decision, "against the champion")
    assert reached is passed
    assert reason.endswith(words)
    assert "on the same 1000 lines" in reason


def test_a_model_of_the_same_worth_takes_over_only_where_that_is_asked_for() -> None:
    result = evaluation(3.0)
    reached, reason = said(decide(result, predictions(result), gate=GATE), "against the champion")
    assert not reached
    assert "+0.000 against the champion (+0.000 to +0.000)" in reason
    assert reason.endswith("NOT shown to be better")
    newer = GateConfig(against_champion="not_worse")
    assert decide(result, predictions(result), gate=newer).passed
    worse = said(decide(evaluation(2.0), predictions(result), gate=newer), "against the champion")
    assert worse[0] is False


@pytest.mark.parametrize(
    ("name", "words"), [("recall_at_05", "recall at 5% +"), ("auc", "AUC +"), ("brier", "brier -")]
)
def test_the_champion_is_met_by_the_metric_that_is_asked_for(name: str, words: str) -> None:
    gate, training = GateConfig(metric=name), TRAINING_WITH_BRIER if name == "brier" else TRAINING
    weak, strong = (evaluation(skill, training=training) for skill in (2.0, 4.0))
    reached, reason = said(decide(strong, predictions(weak), gate=gate), "against the champion")
    assert reached
    assert reason.startswith(words)
    assert reason.endswith(": better")
    behind, reason = said(decide(weak, predictions(strong), gate=gate), "against the champion")
    assert not behind
    assert reason.endswith(": worse")


def test_a_slice_falls_behind_by_the_metric_that_is_asked_for() -> None:
    champion, gate = predictions(evaluation(4.0)), GateConfig(metric="brier", slice_drop=0.01)
    blind = evaluation(2.0, blind="4601", training=TRAINING_WITH_BRIER)
    reached, reason = said(decide(blind, champion, gate=gate), "slices")
    assert not reached
    assert reason.startswith("brier RISES by more than 0.01 on office 4601 +0.")


@pytest.mark.parametrize("name", ["recal_at_05", "recovered_tax_at_05"])
def test_a_metric_by_which_models_cannot_be_compared_is_refused(name: str) -> None:
    result = evaluation(3.0)
    with pytest.raises(ConfigurationError, match=r"gate.metric: expected one of .* Did you mean 're"):
        decide(result, predictions(result), gate=GateConfig(metric=name))


def test_a_comparison_on_too_few_findings_leaves_the_champion_in_use() -> None:
    others = ("Y" + pl.col("declaration_id")).alias("declaration_id")
    stranger = predictions(evaluation(2.0)).with_columns(others)
    decision = decide(evaluation(4.0), stranger, gate=GATE)
    assert not decision.passed
    reason = said(decision, "against the champion")[1]
    assert "only 0 findings among later lines that the champion has not seen" in reason
    assert said(decision, "slices") == (True, "no slice has the 10 findings to be compared")


def test_a_model_that_falls_behind_in_one_office_does_not_pass() -> None:
    champion = predictions(evaluation(2.0))
    blind = decide(evaluation(5.0, blind="4601"), champion, gate=GATE)
    assert said(blind, "slices")[0] is False
    assert "FALLS by more than 0.05 on office 4601 -0." in said(blind, "slices")[1]
    assert "5316" not in said(blind, "slices")[1]
    assert said(decide(evaluation(5.0), champion, gate=GATE), "slices")[0]
    lenient = GateConfig(slice_drop=1.0)
    assert said(decide(evaluation(5.0, blind="4601"), champion, gate=lenient), "slices")[0]


def test_probabilities_have_to_hold_on_the_random_share() -> None:
    assert said(decide(evaluation(3.0), gate=GATE), "calibration")[0]
    reached, reason = said(decide(evaluation(3.0, promise=0.4), gate=GATE), "calibration")
    assert not reached
    assert "times as many findings as promised" in reason
    assert reason.endswith("does NOT hold")
    tolerant = GateConfig(calibration_tolerance=5.0)
    assert said(decide(evaluation(3.0, promise=0.4), gate=tolerant), "calibration")[0]
    chosen = evaluation(3.0, promise=0.4)
    chosen = replace(chosen, lines=chosen.lines.with_columns(pl.lit("risk").alias("selection")))
    assert "cannot be checked" in said(decide(chosen, gate=GATE), "calibration")[1]


def test_a_column_that_knows_too_much_keeps_the_gate_shut() -> None:
    decision = decide(evaluation(2.0, tell_tale=6.0), gate=GATE)
    reached, reason = said(decision, "single columns")
    assert not reached
    assert reason.startswith("TOO GOOD alone, above 0.97: extra__opened (AUC 1.000)")
    assert len(decision.warnings) == 1
    assert decision.warnings[0].startswith("average precision above the model's 0.")
    assert " alone: extra__opened 1.000" in decision.warnings[0]
    useful = decide(evaluation(2.0, tell_tale=1.0), gate=GATE)
    assert said(useful, "single columns")[0]
    assert useful.warnings == ()
    unchecked = GateConfig(single_feature_auc=1.0)
    assert said(decide(evaluation(2.0, tell_tale=6.0), gate=unchecked), "single columns")[0]


@pytest.mark.parametrize("moved", [0.0, 2.0])
def test_the_features_of_the_random_share_have_to_be_those_of_all_lines(moved: float) -> None:
    rng = np.random.default_rng(0)

    def lines(count: int, shift: float) -> pl.DataFrame:
        days = [date(2026, 11, 1) + timedelta(days=number % 10) for number in range(count)]
        price, kind = rng.normal(shift, 1, count), ["a", "b"] * (count // 2)
        return pl.DataFrame({"declared_on": days, "price__total_cny": price, "goods__x": kind})

    columns = ("price__total_cny", "goods__x")
    agreement = compare_features(lines(400, moved), lines(3000, 0.0), columns, false_alarm_rate=0.01)
    decision = decide(evaluation(3.0), gate=GATE, agreement=agreement)
    reached, reason = said(decision, "features of the random share")
    assert reached is (moved == 0.0)
    assert ("largest stability index: price__total_cny" in reason) is (moved > 0.0)


def test_the_interval_of_a_difference_covers_it() -> None:
    """Two scores of equal skill: the 95% interval holds zero in about 95 of 100 samples."""
    inside = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = rng.random(600) < 0.2
        lines = pl.DataFrame(
            {
                "declaration_id": [f"D{number}" for number in range(600)],
                "line_no": np.ones(600),
                "found": found,
                "one": found + rng.normal(size=600),
                "other": found + rng.normal(size=600),
                "declared_on": [date(2026, 11, 1) + timedelta(days=number % 30) for number in range(600)],
            }
        )
        difference = paired_difference(lines, "one", "other", metric=AVERAGE_PRECISION, seed=seed, draws=200)
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
    lines_met = said(decide(challenger.evaluation, known, gate=GATE), "against the champion")[1]
    assert f"on the same {challenger.evaluation.lines.height} lines" in lines_met


def test_a_handful_of_findings_proves_nothing_however_well_they_are_ranked() -> None:
    few = evaluation(3.0, lines=60)
    assert 0 < few.findings < GATE.least_findings
    decision = decide(few.resting_on(GATE.least_findings), gate=GATE)
    assert not decision.passed
    assert decision.verdict == "not judged"
    assert decision.reasons == (
        f"too few findings ({few.findings}) among the lines of the newest days: it takes 10 to show that a "
        "model is of use",
    )
    assert decide(evaluation(3.0), gate=GATE).verdict == "passed"
    assert decide(evaluation(0.1), gate=GATE).verdict == "failed"


def test_calibration_on_a_handful_of_findings_is_no_figure() -> None:
    result = evaluation(3.0)
    drawn = pl.int_range(pl.len()) < 20
    thin = replace(
        result, lines=result.lines.with_columns(pl.when(drawn).then(pl.lit("random")).alias("selection"))
    )
    reached, reason = said(decide(thin, gate=GATE), "calibration")
    assert reached
    assert reason.startswith("calibration cannot be checked: too few findings (")
