"""A blend adds up boosters that read columns of one matrix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.trees.blend import Blend, Member
from models.trees.booster import Booster, TreeSettings, train_booster
from models.trees.linear_start import LinearStart
from models.trees.matrix import Columns, Matrix

COLUMNS = 6


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    rng = np.random.default_rng(8)
    values = rng.normal(size=(1200, COLUMNS))
    values[:, 5] = rng.integers(0, 9, 1200)
    values[rng.random(values.shape) < 0.05] = np.nan
    return Matrix(values.astype(np.float32), tuple("abcdef"), (5,))


@pytest.fixture(scope="module")
def target(matrix: Matrix) -> np.ndarray:
    noise = np.random.default_rng(9).normal(size=len(matrix.values))
    return (np.nan_to_num(matrix.values[:, 0]) + (matrix.values[:, 5] == 3) + noise * 0.5) > 1.2


def grown(matrix: Matrix, target: np.ndarray, start: LinearStart | None = None) -> Booster:
    return train_booster(matrix, target, TreeSettings(rounds=12, seed=3), start=start).booster


@pytest.fixture(scope="module")
def blend(matrix: Matrix, target: np.ndarray) -> Blend:
    some = (0, 4, 5)
    start = LinearStart((1,), (False,), (0.0,), (0.3,), -1.0)
    return Blend(
        (
            Member("own", 0.7, tuple(range(COLUMNS)), grown(matrix, target)),
            Member("plain", 0.4, some, grown(matrix.some(some), target, start)),
        ),
        COLUMNS,
    )


def test_the_score_is_the_weighted_sum_of_the_members(blend: Blend, matrix: Matrix) -> None:
    own, plain = blend.members
    expected = 0.7 * own.booster.predict_raw(matrix.values)
    expected += 0.4 * plain.booster.predict_raw(matrix.values[:, [0, 4, 5]])
    assert blend.predict_raw(matrix.values).tobytes() == expected.tobytes()
    # Column 4 is the second of the plain member: its start reads it.
    assert 4 in blend.places


def test_further_columns_and_the_lines_around_change_nothing(blend: Blend, matrix: Matrix) -> None:
    whole = blend.predict_raw(matrix.values)
    columns = Columns(np.ascontiguousarray(matrix.values.T), np.arange(COLUMNS))
    assert blend.predict_columns(columns).tobytes() == whole.tobytes()
    assert blend.predict_raw(matrix.values[7:8]).tobytes() == whole[7:8].tobytes()


def test_what_columns_add_makes_up_the_score(blend: Blend, matrix: Matrix) -> None:
    parts = blend.contributions(matrix.values[:40])
    assert parts.shape == (40, COLUMNS + 1)
    np.testing.assert_allclose(parts.sum(axis=1), blend.predict_raw(matrix.values[:40]))
    assert blend.gain().shape == (COLUMNS,)
    assert blend.gain().sum() == pytest.approx(1.1)


def test_a_blend_is_read_as_it_was_written(blend: Blend, matrix: Matrix, tmp_path: Path) -> None:
    blend.save(tmp_path)
    again = Blend.load(tmp_path, COLUMNS)
    assert [member.name for member in again.members] == ["own", "plain"]
    assert again.predict_raw(matrix.values).tobytes() == blend.predict_raw(matrix.values).tobytes()


def test_one_booster_of_an_earlier_version_is_a_blend_of_itself(
    matrix: Matrix, target: np.ndarray, tmp_path: Path
) -> None:
    booster = grown(matrix, target)
    booster.save(tmp_path / "booster.txt")
    again = Blend.load(tmp_path, COLUMNS)
    assert again.predict_raw(matrix.values).tobytes() == booster.predict_raw(matrix.values).tobytes()
