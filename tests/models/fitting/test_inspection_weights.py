"""Weights by the chance of inspection: what each line stands for, and that only the trees follow them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from models.fitting.inspection_weights import (
    MOST_MEDIANS,
    equal_after_all,
    inverse_propensity_weights,
    training_weights,
)
from models.fitting.training import FittedRisk, fit_risk
from models.search.blocks import search_blocks


def lines(selection: list[str | None], chance: list[float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {"selection": selection, "inspection_probability": chance},
        schema={"selection": pl.String, "inspection_probability": pl.Float64},
    )


@pytest.fixture(scope="module")
def weighted(prohibited: RiskConfig) -> RiskConfig:
    return prohibited.model_copy(update={"training_weights": "inverse_propensity"})


@pytest.fixture(scope="module")
def uneven(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with chances as in a service: small for the random share, larger for those chosen by risk."""
    by_risk = 0.05 + 0.4 * (pl.col("hit_rate__seller_rate") > 0.2).cast(pl.Float64)
    chance = pl.when(pl.col("selection") == "random").then(0.01).otherwise(by_risk)
    return frame.with_columns(chance.alias("inspection_probability"))


def test_a_line_stands_for_as_many_as_it_was_drawn_from() -> None:
    weights = inverse_propensity_weights(lines(["random"] * 2 + ["risk"], [0.1, 0.2, 0.5]))
    np.testing.assert_allclose(weights / weights[2], [5.0, 2.5, 1.0])
    assert weights.mean() == pytest.approx(1.0)


@pytest.mark.parametrize("channel", ["referral", "override", "officer"])
def test_what_the_outcome_chose_stands_for_itself(channel: str) -> None:
    weights = inverse_propensity_weights(lines(["random", channel, channel], [0.25, None, 0.01]))
    np.testing.assert_allclose(weights / weights[0], [1.0, 0.25, 0.25])


def test_a_rule_with_a_chance_is_a_draw_and_one_without_stands_for_itself() -> None:
    weights = inverse_propensity_weights(lines(["random", "rule", "rule"], [0.25, None, 0.125]))
    np.testing.assert_allclose(weights / weights[0], [1.0, 0.25, 2.0])


def test_an_unknown_chance_is_that_of_its_channel() -> None:
    given = lines(["risk"] * 4 + ["random", "random", None], [0.5, 0.2, 0.1, None, 0.05, None, None])
    weights = inverse_propensity_weights(given)
    np.testing.assert_allclose(weights / weights[0] * 2.0, [2.0, 5.0, 10.0, 5.0, 20.0, 20.0, 1.0])
    # A number that is no chance is as good as none.
    wrong = inverse_propensity_weights(lines(["risk"] * 3, [0.5, 0.0, 1.5]))
    assert wrong.tolist() == [1.0, 1.0, 1.0]


def test_no_line_counts_more_than_twenty_medians() -> None:
    weights = inverse_propensity_weights(lines(["random"] * 5, [0.5, 0.5, 0.5, 0.5, 1e-6]))
    np.testing.assert_allclose(weights / weights[0], [1.0, 1.0, 1.0, 1.0, MOST_MEDIANS])
    assert weights.mean() == pytest.approx(1.0)


def test_without_any_chance_all_lines_count_alike_and_the_run_says_so(
    weighted: RiskConfig, prohibited: RiskConfig
) -> None:
    bare = pl.DataFrame({"declaration_id": ["a", "b"]})
    assert inverse_propensity_weights(bare).tolist() == [1.0, 1.0]
    assert inverse_propensity_weights(bare.clear()).shape == (0,)
    assert "changes nothing" in equal_after_all(weighted, bare)[0]
    assert equal_after_all(prohibited, bare) == ()
    assert equal_after_all(weighted, lines(["random", "risk"], [0.1, 0.5])) == ()


def test_equal_weights_are_no_weights(
    uneven: pl.DataFrame,
    prohibited: RiskConfig,
    weighted: RiskConfig,
    training: TrainingConfig,
    fitted_prohibited: FittedRisk,
) -> None:
    assert prohibited.training_weights == "equal"
    assert training_weights(prohibited, uneven) is None
    equal = fit_risk(uneven, prohibited, training)
    before = fitted_prohibited.model.predict_raw(uneven)
    assert equal.model.predict_raw(uneven).tobytes() == before.tobytes()
    other = fit_risk(uneven, weighted, training)
    assert other.warnings == ()
    assert not np.allclose(other.model.predict_raw(uneven), before)
    # The rest of the model learns as before: weights are for the trees.
    starts = [each.model.booster.members[0].booster.start for each in (other, equal)]
    assert starts[0] == starts[1]


def test_a_search_trains_with_the_weights_of_its_risk(
    uneven: pl.DataFrame, prohibited: RiskConfig, weighted: RiskConfig, training: TrainingConfig
) -> None:
    small = uneven.sort("declared_on").tail(1200)
    blocks = search_blocks(small, weighted, training)
    weights = blocks.inner[0].weights
    assert weights is not None
    assert weights.shape == blocks.inner[0].train_found.shape
    assert np.ptp(weights) > 1.0
    assert search_blocks(small, prohibited, training).inner[0].weights is None
