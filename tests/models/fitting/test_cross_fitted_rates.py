"""Hit rates for learning: from the results of all days but those around the line's own."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from configs.loader import load_settings
from configs.schema.pipeline import HitRatesConfig, TrainingConfig
from configs.schema.risk import ConstantValue, RiskConfig, Title
from features.history.hit_rates import PRIOR_RATE
from features.history.keys import KeySpec
from models.fitting.candidates import tree_parameters
from models.fitting.cross_fitted_rates import APART_DAYS, RateKeys, cross_fitted
from models.fitting.training import fit_risk
from models.search.blocks import search_blocks
from models.trees.booster import train_booster
from models.trees.matrix import Matrix

FIRST = date(2026, 3, 1)
SMOOTHING, HALF_LIFE = 20.0, 30.0
KEYS = RateKeys(
    (
        KeySpec("all", (), None, party=False),
        KeySpec("hs4", ("hs4",), "all", party=False),
        KeySpec("seller", ("seller_id",), "all", party=True),
        KeySpec("seller_hs4", ("seller_id", "hs4"), "seller", party=False),
        KeySpec("item", ("item_key",), "hs4", party=False),
        KeySpec("barcode", ("barcode",), "hs4", party=False),
    ),
    # The one strength of all keys that lines would change together is left out of what is compared here.
    HitRatesConfig(smoothing=SMOOTHING, learn_smoothing=False),
    HALF_LIFE,
)


def small_risk(**changes: Any) -> RiskConfig:
    given: dict[str, Any] = {
        "name": "food_safety", "label": "food_safety", "title": Title(en="Food safety"),
        "finding_value": ConstantValue(kind="constant", cny=100.0), "text_score": False, "rounds": 30,
        "cross_fitted_rates": True, "maturity_days": 2, "model": {"num_leaves": 4, "min_data_in_leaf": 10},
    }  # fmt: skip
    return RiskConfig(**{**given, **changes})


def frame_of(lines: int, seed: int = 3, days: int = 40) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    seller, heading = rng.integers(1, 9, lines), rng.integers(1, 4, lines)
    columns: dict[str, Any] = {
        "declaration_id": [f"D{number:05d}" for number in range(lines)],
        "line_no": np.ones(lines),
        "declared_on": [FIRST + timedelta(days=int(day)) for day in rng.integers(0, days, lines)],
        "food_safety": rng.random(lines) < 0.05 + 0.3 * (seller == 2),
        "_key_all": np.ones(lines, dtype=np.uint64),
        "_key_hs4": heading.astype(np.uint64),
        "_key_seller": seller.astype(np.uint64),
        "_key_seller_hs4": (100 * seller + heading).astype(np.uint64),
        "_key_item": rng.integers(1, 6, lines).astype(np.uint64),
    }
    for name in ("hs4", "seller", "seller_hs4", "item", "barcode"):
        for kind in ("rate", "inspected", "findings"):
            columns[f"hit_rate__{name}_{kind}"] = np.full(lines, -1.0)
    frame = pl.DataFrame(columns)
    nobody = pl.col("_key_seller") == 5
    frame = frame.with_columns(
        pl.when(~nobody).then(pl.col(name)).alias(name) for name in ("_key_seller", "_key_seller_hs4")
    )
    # An item whose heading is not known: what it backs off to is what the heading would.
    return frame.with_columns(pl.when(pl.col("_key_hs4") != 3).then(pl.col("_key_hs4")).alias("_key_hs4"))


def by_hand(frame: pl.DataFrame, line: int) -> dict[str, float | None]:
    """The columns of one line, from a loop over all others."""
    rows = frame.to_dicts()
    mine = rows[line]
    said: dict[str, float | None] = {}
    rates: dict[str | None, float] = {None: PRIOR_RATE}
    for spec in KEYS.specs[:5]:
        key = mine[f"_key_{spec.name}"]
        inspected = findings = weighed = weighed_findings = 0.0
        for other in rows:
            apart = abs((other["declared_on"] - mine["declared_on"]).days)
            if key is None or other[f"_key_{spec.name}"] != key or apart <= APART_DAYS:
                continue
            weight = 2.0 ** (-apart / HALF_LIFE)
            inspected, findings = inspected + 1, findings + other["food_safety"]
            weighed, weighed_findings = weighed + weight, weighed_findings + weight * other["food_safety"]
        rates[spec.name] = (weighed_findings + SMOOTHING * rates[spec.backoff]) / (weighed + SMOOTHING)
        said[f"hit_rate__{spec.name}_rate"] = rates[spec.name] if inspected else None
        said[f"hit_rate__{spec.name}_inspected"] = None if key is None else inspected
        said[f"hit_rate__{spec.name}_findings"] = None if key is None else findings
    return said


def test_a_rate_rests_on_all_days_but_those_around_the_line() -> None:
    frame = frame_of(160)
    got = cross_fitted(frame, small_risk(), KEYS)
    assert got.columns == frame.columns
    for line in range(0, 160, 7):
        wanted = by_hand(frame, line)
        for name in ("hs4", "seller", "seller_hs4", "item"):
            for kind in ("rate", "inspected", "findings"):
                value = got[f"hit_rate__{name}_{kind}"][line]
                assert value == pytest.approx(wanted[f"hit_rate__{name}_{kind}"]), (line, name, kind)


def test_a_key_without_hashes_keeps_its_columns() -> None:
    frame = frame_of(50)
    got = cross_fitted(frame, small_risk(), KEYS)
    assert got.select("^hit_rate__barcode_.*$").equals(frame.select("^hit_rate__barcode_.*$"))


def test_the_result_of_a_line_or_of_its_neighbours_in_time_changes_nothing_about_it() -> None:
    frame = frame_of(200)
    day = frame["declared_on"][17]
    near = (pl.col("declared_on") - day).dt.total_days().abs() <= APART_DAYS
    flipped = frame.with_columns(
        pl.when(near).then(~pl.col("food_safety")).otherwise("food_safety").alias("food_safety")
    )
    before, after = (_shown(each, 17) for each in (frame, flipped))
    assert after == pytest.approx(before)
    next_to_it = frame.with_columns(
        pl.when(~near).then(~pl.col("food_safety")).otherwise("food_safety").alias("food_safety")
    )
    assert _shown(next_to_it, 17) != pytest.approx(before)


def _shown(frame: pl.DataFrame, line: int) -> list[float]:
    """The hit rates and counts of a line whose keys are all known."""
    row = cross_fitted(frame, small_risk(), KEYS).select("^hit_rate__.*$").row(line)
    assert None not in row
    return list(row)


@pytest.mark.parametrize("changes", [{"cross_fitted_rates": False}, {"blocks": ("price",)}])
def test_a_risk_that_does_not_ask_for_it_learns_from_what_was_known_on_the_day(
    changes: dict[str, Any],
) -> None:
    frame = frame_of(50)
    assert cross_fitted(frame, small_risk(**changes), None) is frame


def test_without_the_keys_it_is_refused() -> None:
    with pytest.raises(ValueError, match="keys of its hit rates"):
        cross_fitted(frame_of(50), small_risk(), None)


def test_training_and_search_learn_from_such_rates_and_score_with_those_of_the_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import models.fitting.candidates as growing

    learned: list[Matrix] = []

    def watched(matrix: Matrix, *given: Any, **named: Any) -> Any:
        learned.append(matrix)
        return train_booster(matrix, *given, **named)

    monkeypatch.setattr(growing, "train_booster", watched)
    frame = frame_of(900)
    training = TrainingConfig(
        folds=3, evaluation_days=8, min_findings=10, capacities=(0.1,), max_rows=None, threads=1
    )
    fitted = fit_risk(frame, small_risk(), training, keys=KEYS)
    assert learned
    searched = search_blocks(frame, small_risk(), training, keys=KEYS)
    for matrix in (*learned, *(block.train for block in searched.inner)):
        assert np.nanmax(matrix.values[:, matrix.columns.index("hit_rate__seller_rate")]) > 0.0
    # As of the day every rate of this frame is -1: what is scored keeps it.
    assert (frame["hit_rate__seller_rate"] == -1.0).all()
    column = fitted.model.encoder.names.index("hit_rate__seller_rate")
    matrix = fitted.model.encoder.matrix(frame, fitted.model.encoder.learned(frame))
    assert (matrix.values[:, column] == -1.0).all()


def test_more_past_findings_never_say_less() -> None:
    """The trees of a risk with monotone hit rates rise with each of them, those without need not."""
    rng = np.random.default_rng(8)
    rate = rng.random(2000)
    found = rng.random(2000) < np.where((rate > 0.4) & (rate < 0.6), 0.02, 0.10)
    frame = pl.DataFrame(
        {
            "declaration_id": [f"D{number:05d}" for number in range(2000)],
            "line_no": np.ones(2000),
            "declared_on": [FIRST + timedelta(days=number // 50) for number in range(2000)],
            "food_safety": found,
            "hit_rate__seller_rate": rate,
            "price__total_cny": rng.random(2000),
        }
    )
    training = TrainingConfig(
        folds=2, evaluation_days=8, min_findings=10, capacities=(0.1,), max_rows=None, threads=1
    )
    asked = frame.head(200).with_columns(
        pl.Series("hit_rate__seller_rate", np.linspace(0.0, 1.0, 200)), price__total_cny=pl.lit(0.5)
    )
    falls = {}
    for monotone in (False, True):
        risk = small_risk(cross_fitted_rates=False, monotone_hit_rates=monotone, linear_start=False)
        raw = fit_risk(frame, risk, training).model.predict_raw(asked)
        falls[monotone] = float(np.diff(raw).min())
    assert falls[False] < -1e-3
    assert falls[True] >= 0.0


def test_only_hit_rates_and_the_text_score_must_rise() -> None:
    columns = ("hit_rate__a_rate", "hit_rate__a_findings", "price__x", "model__text_score")
    given = tree_parameters(small_risk(monotone_hit_rates=True), 100, columns)
    assert given["monotone_constraints"] == "1,0,0,1"
    assert "monotone_constraints" not in tree_parameters(small_risk(), 100, columns)


def test_the_packaged_keys_are_those_of_the_history() -> None:
    settings = load_settings()
    keys = RateKeys.of(settings.pipeline)
    assert [spec.name for spec in keys.specs] == [key.name for key in settings.pipeline.history.hit_rate_keys]
    assert keys.smoothing == settings.pipeline.hit_rates
    assert keys.half_life_days == settings.pipeline.history.result_half_life_days
    assert settings.risks["food_safety"].cross_fitted_rates
