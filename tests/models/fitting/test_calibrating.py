"""A calibration is used only where it makes later lines likelier."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import polars as pl
import pytest

from models.fitting.block import DayBlock
from models.fitting.calibrating import calibrator_of, shifted
from models.fitting.channels import chosen_by_score_or_chance, draw_weights, drawn_from_all

LINES = 4_000


def block(odds: np.ndarray, seed: int, selection: str | None = "random") -> DayBlock:
    """A block of lines whose findings follow these log-odds."""
    found = np.random.default_rng(seed).random(len(odds)) < 1.0 / (1.0 + np.exp(-odds))
    chosen = pl.Series([selection], dtype=pl.String).new_from_index(0, len(odds))
    lines = pl.DataFrame({"selection": chosen, "inspection_probability": 0.1})
    independent = chosen_by_score_or_chance(lines)
    return cast(DayBlock, SimpleNamespace(test=lines, found=lambda: found, independent=lambda: independent))


@pytest.fixture(scope="module")
def odds() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.normal(-2.5, 1.0, LINES) for _ in range(3)]


def test_slopes_that_hold_on_the_newest_block_are_kept(odds: list[np.ndarray]) -> None:
    blocks = [block(each, seed) for seed, each in enumerate(odds)]
    fitted = calibrator_of(blocks, [3.0 * each for each in odds])
    true = 1.0 / (1.0 + np.exp(-odds[2]))
    assert np.abs(fitted(3.0 * odds[2]) - true).mean() < 0.01


def test_slopes_that_the_newest_block_disproves_are_not(odds: list[np.ndarray]) -> None:
    blocks = [block(0.2 * each - 2.0, seed) for seed, each in enumerate(odds[:2])] + [block(odds[2], 2)]
    fitted = calibrator_of(blocks, odds)
    assert (fitted.a, fitted.b) == (1.0, 1.0)
    found = np.concatenate([each.found() for each in blocks])
    assert fitted(np.concatenate(odds)).sum() == pytest.approx(found.sum(), rel=1e-6)


def test_lines_of_unknown_selection_teach_only_where_there_are_no_others(odds: list[np.ndarray]) -> None:
    known, unknown = block(odds[0], 1), block(odds[1] + 3.0, 2, selection=None)
    alone = calibrator_of([known], [odds[0]])
    assert calibrator_of([known, unknown], [odds[0], odds[1]]).c == pytest.approx(alone.c, abs=0.3)
    assert calibrator_of([unknown], [odds[1]]).c > 2.0


def test_a_shift_without_anything_to_learn_from_changes_nothing() -> None:
    assert shifted(np.zeros(5), np.zeros(5, dtype=bool)).c == 0.0


def test_only_what_has_a_chance_is_a_draw() -> None:
    lines = pl.DataFrame(
        {
            "selection": ["random", "random", "rule", "rule", "risk", "risk", "officer", "referral", None],
            "inspection_probability": [0.1, 1.0, 0.5, None, 0.25, 1.0, 0.5, 0.5, 0.5],
        }
    )
    assert draw_weights(lines).tolist() == [10.0, 1.0, 2.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0]
    assert drawn_from_all(lines).tolist() == [True, True] + [False] * 7
    assert chosen_by_score_or_chance(lines).tolist() == [True] * 3 + [False] + [True] * 2 + [False] * 3
