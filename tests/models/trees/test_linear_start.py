"""The linear start of the trees: what it weighs, gaps, batches, and that trees go on from it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.trees.booster import Booster, TreeSettings, train_booster
from models.trees.linear_start import LinearStart, fit_start
from models.trees.matrix import Matrix

COLUMNS = ("goods__pieces", "hit_rate__seller_rate", "hit_rate__seller_findings", "model__text_score")


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    """Findings that follow a seller's rate and a text, with a fifth of the rates missing."""
    rng = np.random.default_rng(8)
    lines = 4000
    rate = rng.beta(1.0, 20.0, lines)
    text = rng.normal(size=lines)
    odds = np.log(rate / (1.0 - rate)) + 0.8 * text
    found = rng.random(lines) < 1.0 / (1.0 + np.exp(-odds))
    known = np.where(rng.random(lines) < 0.2, np.nan, rate)
    values = np.column_stack([rng.normal(size=lines), known, np.round(rate * 10), text])
    return values, found


def test_it_weighs_rates_and_text_and_nothing_else(data: tuple[np.ndarray, np.ndarray]) -> None:
    start = fit_start(data[0], COLUMNS, data[1])
    assert start is not None
    assert start.places == (1, 3)
    assert start.is_rate == (True, False)
    assert min(start.weights) > 0.1


def test_a_missing_value_adds_nothing_and_no_batch_changes_a_bit(data: tuple[np.ndarray, np.ndarray]) -> None:
    start = fit_start(data[0], COLUMNS, data[1])
    assert start is not None
    missing = np.isnan(data[0][:, 1])
    assert missing.any()
    assert (start.parts(data[0])[missing, 0] == 0.0).all()
    whole = start(data[0])
    pieces = np.concatenate([start(part) for part in np.array_split(data[0], 317)])
    assert whole.tobytes() == pieces.tobytes()
    assert start(data[0][:0]).shape == (0,)


def test_without_findings_or_columns_there_is_no_start(data: tuple[np.ndarray, np.ndarray]) -> None:
    values, found = data
    assert fit_start(values, COLUMNS, np.zeros(len(values), dtype=bool)) is None
    assert fit_start(values, ("a", "b", "c", "d"), found) is None
    constant = np.where(np.isnan(values), np.nan, 0.5)
    assert fit_start(constant, COLUMNS, found) is None


def test_trees_go_on_from_the_start_and_both_are_kept(
    data: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    values, found = data[0].astype(np.float32), data[1]
    start = fit_start(values, COLUMNS, found)
    matrix = Matrix(values, COLUMNS, ())
    booster = train_booster(matrix, found, TreeSettings(rounds=10, seed=1), start=start).booster
    raw, parts = booster.predict_raw(values), booster.contributions(values)
    np.testing.assert_allclose(parts.sum(axis=1), raw, atol=1e-9)
    trees_only = train_booster(matrix, found, TreeSettings(rounds=10, seed=1)).booster
    assert _loss(raw, found) < _loss(trees_only.predict_raw(values), found)
    booster.save(tmp_path / "booster.txt")
    assert Booster.load(tmp_path / "booster.txt").predict_raw(values).tobytes() == raw.tobytes()
    trees_only.save(tmp_path / "booster.txt")
    assert Booster.load(tmp_path / "booster.txt").start is None


def test_a_start_is_what_was_written(data: tuple[np.ndarray, np.ndarray]) -> None:
    start = fit_start(data[0], COLUMNS, data[1])
    assert start is not None
    assert LinearStart.from_dict(json.loads(json.dumps(start.as_dict()))) == start


def _loss(raw: np.ndarray, found: np.ndarray) -> float:
    return float(np.logaddexp(0.0, np.where(found, -raw, raw)).mean())
