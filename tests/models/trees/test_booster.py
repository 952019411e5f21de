from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.trees.booster import Booster, TreeSettings, train_booster
from models.trees.matrix import Matrix


@pytest.fixture(scope="module")
def data() -> tuple[Matrix, np.ndarray]:
    rng = np.random.default_rng(8)
    values = rng.normal(size=(1500, 6))
    values[:, 5] = rng.integers(0, 9, 1500)
    values[rng.random((1500, 6)) < 0.05] = np.nan
    target = (np.nan_to_num(values[:, 0]) + (values[:, 5] == 3) + rng.normal(size=1500) * 0.5) > 1.2
    return Matrix(values, ("a b", "c,d", "e:f", "长", "g[0]", "h"), (5,)), target


@pytest.mark.parametrize("threads", [1, 2])
def test_training_repeats_itself_whatever_the_threads(data: tuple[Matrix, np.ndarray], threads: int) -> None:
    matrix, target = data
    one = train_booster(matrix, target, TreeSettings(rounds=30, seed=3)).booster.predict_raw(matrix.values)
    other = train_booster(
        matrix, target, TreeSettings(rounds=30, seed=3, threads=threads)
    ).booster.predict_raw(matrix.values)
    assert one.tobytes() == other.tobytes()


def test_the_trees_in_use_are_those_that_are_saved(data: tuple[Matrix, np.ndarray], tmp_path: Path) -> None:
    matrix, target = data
    trained = train_booster(matrix, target, TreeSettings(rounds=40, seed=3), validation=(matrix, target))
    assert trained.curve is not None
    assert len(trained.curve) == 40
    fewer = trained.booster.predict_raw(matrix.values, rounds=15)
    assert (
        fewer.tobytes()
        == train_booster(matrix, target, TreeSettings(rounds=15, seed=3))
        .booster.predict_raw(matrix.values)
        .tobytes()
    )
    trained.booster.save(tmp_path / "booster.txt")
    again = Booster.load(tmp_path / "booster.txt")
    assert again.rounds == 40
    assert (
        again.predict_raw(matrix.values, threads=2).tobytes()
        == trained.booster.predict_raw(matrix.values).tobytes()
    )
    assert again.gain().argmax() == 0


def test_contributions_add_up_to_the_raw_score(data: tuple[Matrix, np.ndarray]) -> None:
    matrix, target = data
    booster = train_booster(matrix, target, TreeSettings(rounds=20, seed=3)).booster
    parts = booster.contributions(matrix.values[:50])
    assert parts.shape == (50, 7)
    np.testing.assert_allclose(parts.sum(axis=1), booster.predict_raw(matrix.values[:50]))


def test_weights_are_for_the_lines_learned_from_only(data: tuple[Matrix, np.ndarray]) -> None:
    matrix, target = data
    weights = np.where(matrix.values[:, 1] > 0.0, 5.0, 0.2)
    plain, weighted = (
        train_booster(
            matrix, target, TreeSettings(rounds=20, seed=3), validation=(matrix, target), weights=given
        )
        for given in (None, weights)
    )
    raw = weighted.booster.predict_raw(matrix.values)
    assert not np.allclose(raw, plain.booster.predict_raw(matrix.values))
    loss = np.logaddexp(0.0, np.where(target, -raw, raw))
    assert weighted.curve is not None
    assert weighted.curve[-1] == pytest.approx(loss.mean(), rel=1e-6)
    assert weighted.curve[-1] != pytest.approx(np.average(loss, weights=weights), rel=1e-3)
