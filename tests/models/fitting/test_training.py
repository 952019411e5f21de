from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from configs.errors import DataError
from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from models.fitting.bounds import STANDS_FOR
from models.fitting.candidates import tree_parameters
from models.fitting.training import FittedRisk, fit_risk
from models.risk.level import Level
from models.trees.errors import TooFewFindings


def test_planted_findings_are_ranked_first_on_later_days(
    fitted: FittedRisk, fitted_prohibited: FittedRisk
) -> None:
    assert fitted.evaluation.figure("auc").value > 0.9
    assert fitted_prohibited.evaluation.figure("auc").value > 0.8
    for result in (fitted, fitted_prohibited):
        model = result.evaluation.figure("average_precision")
        assert model.low <= model.value <= model.high
        assert model.value > 2 * result.evaluation.figure("average_precision", score="random").value
        assert result.warnings == ()


def test_the_evaluation_is_about_the_newest_days_only(
    fitted: FittedRisk, frame: pl.DataFrame, training: TrainingConfig
) -> None:
    period = fitted.evaluation.period
    last = frame["declared_on"].max()
    assert isinstance(last, date)
    assert period == (last - timedelta(days=training.evaluation_days - 1), last)
    inside = frame.filter(pl.col("declared_on") >= period[0])
    assert fitted.evaluation.lines.height == inside.height
    assert fitted.evaluation.findings == inside["undervaluation"].sum()


def test_no_line_is_predicted_twice_and_all_predictions_are_later(
    fitted: FittedRisk, frame: pl.DataFrame
) -> None:
    predictions = fitted.out_of_time
    assert predictions.select("declaration_id", "line_no").is_unique().all()
    assert set(predictions["fold"]) == {"fold_1", "fold_2", "evaluation"}
    assert predictions["declared_on"].min() > frame["declared_on"].min()  # type: ignore[operator]
    joined = predictions.join(frame, on=["declaration_id", "line_no"])
    assert (joined["found"] == joined["undervaluation"]).all()


def test_the_order_of_rows_and_columns_and_the_threads_change_nothing(
    frame: pl.DataFrame, prohibited: RiskConfig, training: TrainingConfig, fitted_prohibited: FittedRisk
) -> None:
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=99).select(sorted(frame.columns, reverse=True))
    again = fit_risk(shuffled, prohibited, training.model_copy(update={"threads": 2}))
    assert again.model.predict(frame).tobytes() == fitted_prohibited.model.predict(frame).tobytes()
    assert again.evaluation.as_metrics() == fitted_prohibited.evaluation.as_metrics()


def test_lines_that_were_not_examined_for_the_risk_teach_nothing(
    frame: pl.DataFrame, prohibited: RiskConfig, training: TrainingConfig, fitted_prohibited: FittedRisk
) -> None:
    unknown = frame.head(300).with_columns(
        pl.lit(None, dtype=pl.Boolean).alias("prohibited_item"),
        ("X" + pl.col("declaration_id")).alias("declaration_id"),
    )
    again = fit_risk(pl.concat([unknown, frame]), prohibited, training)
    assert again.model.predict_raw(frame).tobytes() == fitted_prohibited.model.predict_raw(frame).tobytes()
    assert again.model.examined.overall < fitted_prohibited.model.examined.overall


def test_referred_lines_do_not_enter_the_calibration(
    frame: pl.DataFrame, prohibited: RiskConfig, training: TrainingConfig
) -> None:
    """Referrals that always hit make the trees no better and must not make the promise larger."""
    chosen = frame.with_columns(pl.lit("risk").alias("selection"))
    referred = chosen.with_columns(
        pl.when(pl.col("prohibited_item") & (pl.int_range(pl.len()) % 2 == 1))
        .then(pl.lit("referral"))
        .otherwise("selection")
        .alias("selection")
    )
    plain, without = (fit_risk(given, prohibited, training).model for given in (chosen, referred))
    assert without.predict(frame).mean() < plain.predict(frame).mean()


def test_what_is_declared_later_does_not_touch_an_earlier_prediction(
    frame: pl.DataFrame, prohibited: RiskConfig, training: TrainingConfig, fitted_prohibited: FittedRisk
) -> None:
    """Swapping the labels of the evaluation block leaves the raw ranking within it as it was."""
    period = fitted_prohibited.evaluation.period
    assert period is not None
    swapped = frame.with_columns(
        pl.when(pl.col("declared_on") >= period[0])
        .then(~pl.col("prohibited_item"))
        .otherwise(pl.col("prohibited_item"))
        .alias("prohibited_item")
    )
    again = fit_risk(swapped, prohibited, training)
    before, after = fitted_prohibited.evaluation.lines, again.evaluation.lines
    np.testing.assert_array_equal(before["probability"].to_numpy(), after["probability"].to_numpy())
    assert before["found"].sum() != after["found"].sum()


def test_too_few_findings_say_how_many_there_are(frame: pl.DataFrame, prohibited: RiskConfig) -> None:
    few = frame.filter(~pl.col("prohibited_item"))
    with pytest.raises(
        TooFewFindings, match=r"0 findings among [0-9]+ inspected lines .* at least 20 are needed"
    ):
        fit_risk(few, prohibited, TrainingConfig())


def test_a_label_that_no_inspection_has_is_named(frame: pl.DataFrame, prohibited: RiskConfig) -> None:
    other = prohibited.model_copy(update={"label": "counterfeit"})
    with pytest.raises(DataError, match="the training frame has no column counterfeit"):
        fit_risk(frame, other, TrainingConfig())


def test_a_result_after_the_training_date_is_refused(frame: pl.DataFrame, prohibited: RiskConfig) -> None:
    with pytest.raises(DataError, match="after the training date 2026-09-20"):
        fit_risk(frame, prohibited, TrainingConfig(folds=2, threads=1), until=date(2026, 9, 20))


def test_a_short_history_still_gives_a_model_and_says_what_it_lacks(
    frame: pl.DataFrame, undervaluation: RiskConfig, training: TrainingConfig
) -> None:
    week = frame.filter(pl.col("declared_on") < date(2026, 9, 4)).with_columns(
        (pl.col("item_name").hash(1) % 4 == 0).fill_null(True).alias("undervaluation")
    )
    result = fit_risk(week, undervaluation, training.model_copy(update={"min_findings": 5}))
    assert len(result.model.predict(week)) == week.height
    assert result.warnings


def test_a_feature_that_is_null_in_every_row_does_no_harm(
    frame: pl.DataFrame, prohibited: RiskConfig, training: TrainingConfig
) -> None:
    empty = frame.with_columns(
        pl.lit(None, dtype=pl.String).alias("route__origin"),
        pl.lit(None, dtype=pl.Float64).alias("weight__kg_per_unit"),
        pl.lit(None, dtype=pl.String).alias("item_name"),
        pl.lit(None, dtype=pl.String).alias("item_model"),
    )
    result = fit_risk(empty, prohibited, training)
    assert result.model.encoder.text is None
    assert np.isfinite(result.model.predict(empty)).all()


@pytest.mark.parametrize(
    ("configured", "findings", "leaves"),
    [({}, 10, 3), ({}, 200, 10), ({}, 5000, 15), ({"num_leaves": 31}, 5000, 31)],
)
def test_trees_grow_with_the_findings(
    prohibited: RiskConfig, configured: dict[str, int], findings: int, leaves: int
) -> None:
    risk = prohibited.model_copy(update={"model": configured})
    assert tree_parameters(risk, findings, ())["num_leaves"] == leaves
    assert tree_parameters(risk, findings, (), least_leaves=7)["num_leaves"] == max(leaves, 7)
    assert tree_parameters(risk, findings, (), least_leaves=None) == configured


def test_blocks_follow_each_other_and_rows_are_bounded(
    frame: pl.DataFrame, prohibited: RiskConfig, training: TrainingConfig
) -> None:
    result = fit_risk(frame, prohibited, training.model_copy(update={"max_rows": 2000}))
    names = result.out_of_time["fold"].unique(maintain_order=True).to_list()
    assert names == ["fold_1", "fold_2", "evaluation"]
    assert result.model.metadata["lines"] == "2000"


def test_probabilities_of_the_newest_of_all_lines_add_up_to_what_the_random_share_found(
    frame: pl.DataFrame, prohibited: RiskConfig, training: TrainingConfig
) -> None:
    drawn = frame.with_columns(selection=pl.lit("random"), inspection_probability=pl.lit(0.1))
    last = frame["declared_on"].max()
    assert isinstance(last, date)
    newest = frame.filter(pl.col("declared_on") > last - timedelta(days=training.evaluation_days))
    plain = fit_risk(drawn, prohibited, training).model.predict(newest).mean()
    model = fit_risk(drawn, prohibited, training, all_lines=frame).model
    due = drawn.filter(pl.col("declared_on") <= last - timedelta(days=prohibited.maturity_days))
    share = due["prohibited_item"].mean()
    assert isinstance(share, float)
    assert model.predict(newest).mean() == pytest.approx(share, rel=0.25)
    assert abs(model.predict(newest).mean() - share) < abs(plain - share)


def test_without_draws_the_level_is_what_is_promised_and_unsure(
    frame: pl.DataFrame, prohibited: RiskConfig, training: TrainingConfig
) -> None:
    chosen = frame.with_columns(selection=pl.lit("officer"), inspection_probability=pl.lit(None, pl.Float64))
    # Five lines that nobody opened for each that was, and like it.
    every = frame.with_columns(pl.lit(6.0).alias(STANDS_FOR))
    model = fit_risk(chosen, prohibited, training, all_lines=every).model
    found = frame["prohibited_item"].mean()
    assert isinstance(found, float)
    # Of a lognormal distribution the mean lies above the middle, which is the promise.
    assert model.predict(frame).mean() == pytest.approx(found * np.exp(0.8**2 / 2), rel=0.5)
    level = Level.of(model.metadata)
    assert level is not None
    assert level.low < 0.6 < 1.7 < level.high
    assert Level.of(fit_risk(chosen, prohibited, training).model.metadata) is None
