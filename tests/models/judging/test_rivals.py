"""LightGBM and CatBoost as they come: any column, values never seen, and where CatBoost is not installed."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest

from models.judging.rivals import catboost_as_it_comes, lightgbm_as_it_comes

LINES = 600


def lines(seed: int) -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    kind = rng.choice(["a", "b", "c"], LINES)
    frame = pl.DataFrame(
        {
            'extra__{"kind": [价格]}': kind,
            "price__total_cny": rng.random(LINES),
            "empty": pl.Series([None] * LINES, dtype=pl.Float64),
            "flag": rng.random(LINES) < 0.5,
        }
    )
    return frame, (kind == "b") & (rng.random(LINES) < 0.6)


def test_lightgbm_learns_from_categories_under_any_name() -> None:
    (past, found), (later, _) = lines(1), lines(2)
    unseen = later.with_columns(pl.lit("new").alias(later.columns[0]))
    said = lightgbm_as_it_comes(past, found, later, seed=1)
    assert said[later[:, 0].to_numpy() == "b"].mean() > 0.3 > 5.0 * said[later[:, 0].to_numpy() == "a"].mean()
    assert lightgbm_as_it_comes(past, found, unseen, seed=1).shape == (LINES,)
    assert (said == lightgbm_as_it_comes(past, found, later, seed=1)).all()


def test_without_catboost_there_is_no_such_rival(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.judging.rivals.find_spec", lambda name: None)
    (past, found), (later, _) = lines(1), lines(2)
    assert catboost_as_it_comes(past, found, later, seed=1) is None


def test_catboost_gets_text_as_its_own_categories(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    class CatBoostClassifier:
        """As much of it as is asked for."""

        def __init__(self, **options: Any) -> None:
            given.update(options)

        def fit(self, x: Any, found: np.ndarray) -> CatBoostClassifier:
            given.update(x=x, found=found)
            return self

        def predict_proba(self, z: Any) -> np.ndarray:
            return np.column_stack([np.full(len(z), 0.75), np.full(len(z), 0.25)])

    module = ModuleType("catboost")
    module.__spec__ = ModuleSpec("catboost", None)
    module.CatBoostClassifier = CatBoostClassifier  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "catboost", module)
    past, found = lines(1)
    past = past.with_columns(
        pl.when(pl.int_range(LINES) > 5).then(pl.col(past.columns[0])).alias(past.columns[0])
    )
    said = catboost_as_it_comes(past, found, past.head(7), seed=4)
    assert said is not None
    assert said.tolist() == [0.25] * 7
    assert given["cat_features"] == ["0"]
    assert given["random_seed"] == 4
    assert given["x"]["0"].iloc[0] == ""
    assert given["x"]["1"].dtype == given["x"]["3"].dtype == np.float64
