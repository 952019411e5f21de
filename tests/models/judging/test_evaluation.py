from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl
import pytest

from configs.errors import ConfigurationError
from configs.schema.pipeline import MetricConfig, TrainingConfig
from configs.schema.risk import ConstantValue, RiskConfig, Title
from models.fitting.training import FittedRisk
from models.judging.baselines import baseline_scores, line_keys, slices, twin_key
from models.judging.evaluation import Prediction, evaluate

RISK = RiskConfig(
    name="x", label="label", title=Title(en="X"), finding_value=ConstantValue(kind="constant", cny=1.0)
)


def lines(**columns: Sequence[object]) -> pl.DataFrame:
    height = len(next(iter(columns.values())))
    base: dict[str, object] = {
        "declaration_id": [f"D{number}" for number in range(height)],
        "line_no": [1.0] * height,
        "declared_on": [date(2026, 11, 1)] * height,
        "goods__hs6": ["950300"] * height,
        "route__origin": ["DE"] * height,
        "unit_price": [3.0] * height,
        "seller_id": ["S"] * height,
        "price__total_cny": [10.0] * height,
    }
    return pl.DataFrame({**base, **columns})


PAST = lines(
    label=[True, False, False, True],
    unit_price=[3.0, 3.0, 4.0, None],
    seller_id=["A", "A", "B", None],
)


def test_the_look_up_answers_from_memory_and_guesses_the_mean_elsewhere() -> None:
    later = lines(label=[True] * 4, unit_price=[3.00001, 3.0002, 4.0, None])
    np.testing.assert_array_equal(
        baseline_scores(PAST, "label", later, seed=1)["lookup"], [0.5, 0.5, 0.0, 0.5]
    )


def test_a_twin_is_the_same_heading_origin_and_price_to_four_decimals() -> None:
    later = lines(
        label=[True] * 5,
        unit_price=[3.00001, 3.0002, 3.0, 3.0, None],
        route__origin=["DE", "DE", "JP", "DE", "DE"],
        goods__hs6=["950300", "950300", "950300", "950301", "950300"],
    )
    np.testing.assert_array_equal(slices(PAST, later)["no_twin"], [False, True, True, True, True])
    assert twin_key(PAST).null_count() == 1
    assert twin_key(PAST.drop("route__origin")).null_count() == 4


def test_a_value_is_new_where_heading_and_origin_never_had_it() -> None:
    past = lines(label=[True, False], total_price=[12.5, 7.0], unit_price=[2.5, 7.0])
    later = lines(
        label=[True] * 4,
        total_price=[12.5, 12.5, 12.51, None],
        route__origin=["DE", "JP", "DE", "DE"],
        unit_price=[3.0] * 4,
    )
    np.testing.assert_array_equal(slices(past, later)["new_value"], [False, True, True, True])
    assert "new_value" not in slices(PAST, later)


def test_new_sellers_and_the_random_share_stand_on_their_own() -> None:
    later = lines(label=[True] * 3, seller_id=["A", "C", None], selection=["random", "risk", None])
    parts = slices(PAST, later)
    np.testing.assert_array_equal(parts["new_seller"], [False, True, True])
    np.testing.assert_array_equal(parts["random_share"], [True, False, False])


def test_the_rate_of_the_seller_is_smoothed_where_no_feature_has_it() -> None:
    later = lines(label=[True] * 3, seller_id=["A", "B", "new"])
    rate = baseline_scores(PAST, "label", later, seed=1)["seller_rate"]
    np.testing.assert_allclose(rate, [(1 + 20 * 0.5) / 22, 10 / 21, 0.5])
    with_feature = later.with_columns(pl.Series("hit_rate__seller_rate", [0.3, None, 0.1]))
    np.testing.assert_array_equal(
        baseline_scores(PAST, "label", with_feature, seed=1)["seller_rate"], [0.3, np.nan, 0.1]
    )


def test_chance_depends_on_the_key_and_the_seed_alone() -> None:
    later = lines(label=[True] * 50)
    keys = line_keys(later, 4)
    assert len(np.unique(keys)) == 50
    np.testing.assert_array_equal(line_keys(later.reverse(), 4)[::-1], keys)
    assert not (line_keys(later, 5) == keys).any()


def test_precision_is_counted_by_hand() -> None:
    found = [True, False, True, False, False, False, False, False, False, False]
    later = lines(label=found, recovered_tax_cny=[5.0, None, 15.0, *[None] * 7])
    probability = np.linspace(0.9, 0.1, 10)
    training = TrainingConfig(capacities=(0.1, 0.2, 0.3), seed=1)
    result = evaluate(RISK, PAST, later, Prediction(probability, np.ones(10)), training)
    assert [result.figure(f"precision_at_{share}").value for share in (10, 20, 30)] == [1.0, 0.5, 2 / 3]
    assert [result.figure(f"recall_at_{share}").value for share in (10, 20, 30)] == [0.5, 0.5, 1.0]
    assert [result.figure(f"recovered_tax_at_{share}").value for share in (10, 20, 30)] == [0.25, 0.25, 1.0]
    assert result.figure("lift_at_10").value == pytest.approx(5.0)
    assert result.figure("average_precision").value == pytest.approx((1.0 + 2 / 3) / 2)
    assert result.findings == 2
    assert result.period == (date(2026, 11, 1), date(2026, 11, 1))


def test_rows_in_another_order_give_the_same_figures(
    fitted: FittedRisk, frame: pl.DataFrame, undervaluation: RiskConfig
) -> None:
    block = frame.tail(400).with_columns(pl.Series("p", np.round(fitted.model.predict(frame.tail(400)), 2)))
    shuffled = block.sample(fraction=1.0, shuffle=True, seed=3)
    one, other = (
        evaluate(
            undervaluation,
            frame,
            part,
            Prediction(part["p"].to_numpy(), np.ones(400)),
            TrainingConfig(seed=2),
        )
        for part in (block, shuffled)
    )
    names = [
        name for name in one.as_metrics() if not name.endswith(("_low", "_high")) and "by_chance" not in name
    ]
    for name in names:
        if name != "calibration_error":
            assert one.as_metrics()[name] == pytest.approx(other.as_metrics()[name], abs=1e-12), name


def test_metrics_are_finite_named_and_fit_into_json(fitted: FittedRisk) -> None:
    metrics = fitted.evaluation.as_metrics()
    assert all(math.isfinite(value) for value in json.loads(json.dumps(metrics)).values())
    for name in (
        "average_precision",
        "precision_at_05",
        "no_twin.auc",
        "baseline.lookup.no_twin.average_precision",
    ):
        assert {name, f"{name}_low", f"{name}_high", f"{name}_findings"} <= set(metrics)
    headline = fitted.evaluation.headline()
    assert len(headline) < len(metrics) / 2
    assert {"findings", "calibration_error", "recall_at_10_low", "random_share.precision_at_05"} <= set(
        headline
    )


def test_an_empty_block_has_no_figures() -> None:
    nothing = np.empty(0)
    result = evaluate(RISK, PAST, PAST.clear(), Prediction(nothing, nothing), TrainingConfig())
    assert result.findings == 0
    assert result.period is None
    assert math.isnan(result.figure("auc").value)
    assert result.as_metrics()["lines"] == 0.0


def test_a_figure_that_no_metric_has_is_an_error(fitted: FittedRisk) -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'precision_at_05'"):
        fitted.evaluation.figure("precision_at_5")


def test_a_metric_of_the_configuration_is_logged_beside_the_others() -> None:
    found = [True, False, True, False, False, False, False, False, False, False]
    brier = MetricConfig(name="brier", function="sklearn.metrics:brier_score_loss", better="lower")
    training = TrainingConfig(metrics=(brier,))
    probability = np.linspace(0.9, 0.1, 10)
    later = lines(label=found, seller_id=["A", *["new"] * 9])
    result = evaluate(RISK, PAST, later, Prediction(probability, np.ones(10)), training)
    assert result.figure("brier").value == pytest.approx(np.mean((probability - found) ** 2))
    for metrics in (result.as_metrics(), result.headline()):
        assert metrics["brier_low"] < metrics["brier"] < metrics["brier_high"]
        assert metrics["new_seller.brier"] == pytest.approx(np.mean((probability - found)[1:] ** 2))
    assert "brier" in [name for _, _, name in result.figures]
    assert not any(name.startswith("baseline.lookup.brier") for name in result.as_metrics())


def test_the_headline_of_a_slice_follows_the_capacities() -> None:
    later = lines(label=[True, *[False] * 9], seller_id=["A", *["new"] * 9])
    training = TrainingConfig(capacities=(0.005, 0.3))
    predicted = Prediction(np.linspace(0.9, 0.1, 10), np.ones(10))
    shown = evaluate(RISK, PAST, later, predicted, training).headline()
    assert {"new_seller.precision_at_00.5", "new_seller.precision_at_30_low", "recall_at_30_findings"} <= set(
        shown
    )
    assert not {"new_seller.recall_at_30", "new_seller.precision_at_30_findings"} & set(shown)


def test_too_few_findings_have_no_figures_but_are_counted() -> None:
    later = lines(label=[True, *[False] * 9], seller_id=["A"] * 5 + ["Z"] * 5)
    probability = np.linspace(0.9, 0.1, 10)
    found = evaluate(RISK, PAST, later, Prediction(probability, np.ones(10)), TrainingConfig())
    assert found.figure("average_precision").value == 1.0
    sure = found.resting_on(2)
    assert sure.too_few() == "too few findings (1)"
    assert math.isnan(sure.figure("average_precision").value)
    told = sure.as_metrics()
    assert told["findings"] == 1.0
    assert not [name for name in told if "precision" in name or "auc" in name or "calibration" in name]
    assert found.resting_on(1).figure("average_precision").value == 1.0


def test_a_slice_with_too_few_findings_has_none_where_all_lines_have_enough() -> None:
    later = lines(label=[True, True, True, *[False] * 7], seller_id=["Z", *["A"] * 9])
    probability = np.linspace(0.9, 0.1, 10)
    found = evaluate(RISK, PAST, later, Prediction(probability, np.ones(10)), TrainingConfig())
    sure = found.resting_on(3)
    assert sure.figure("average_precision").value == 1.0
    assert math.isnan(sure.figure("average_precision", part="new_seller").value)
    assert sure.too_few("new_seller") == "too few findings (1)"
