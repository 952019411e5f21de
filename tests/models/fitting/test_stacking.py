"""What candidates weigh in a blend."""

from __future__ import annotations

import numpy as np
import pytest

from models.fitting.stacking import blend_weights

LINES = 20_000


@pytest.fixture(scope="module")
def truth() -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of lines, and which are findings."""
    rng = np.random.default_rng(1)
    odds = rng.normal(-3.5, 1.2, LINES)
    return odds, rng.random(LINES) < 1.0 / (1.0 + np.exp(-odds))


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(-3.5, 1.2, LINES)


def test_a_candidate_that_knows_nothing_is_left_out(truth: tuple[np.ndarray, np.ndarray]) -> None:
    odds, found = truth
    good, bad = blend_weights(np.vstack([odds, noise(2)]), found, np.ones(LINES))
    assert bad == 0.0
    assert good == pytest.approx(1.0, abs=0.15)


def test_two_that_know_as_much_weigh_alike(truth: tuple[np.ndarray, np.ndarray]) -> None:
    odds, found = truth
    rng = np.random.default_rng(3)
    both = np.vstack([odds + rng.normal(0.0, 0.8, LINES) for _ in range(2)])
    weights = blend_weights(both, found, np.ones(LINES))
    assert weights[0] == pytest.approx(weights[1], rel=0.35)
    assert (weights > 0.2).all()


def test_with_few_findings_the_weights_stay_near_their_shares(truth: tuple[np.ndarray, np.ndarray]) -> None:
    odds, found = truth
    few = np.flatnonzero(found)[:4]
    lines = np.concatenate([few, np.flatnonzero(~found)[:300]])
    raw = np.vstack([odds, noise(2)])[:, lines]
    good, bad = blend_weights(raw, found[lines], np.ones(len(lines)))
    assert bad > 0.0
    assert good < 0.8
    own, other, third = blend_weights(np.vstack([raw, raw[1:]]), found[lines], np.ones(len(lines)))
    assert own > 1.5 * max(other, third)


def test_a_candidate_that_is_too_sure_is_brought_to_scale(truth: tuple[np.ndarray, np.ndarray]) -> None:
    odds, found = truth
    weights = blend_weights(np.vstack([3.0 * odds + 7.0, odds]), found, np.ones(LINES))
    assert weights[0] == pytest.approx(weights[1] / 3.0, rel=0.2)


@pytest.mark.parametrize("found", [np.zeros(50, dtype=bool), np.ones(50, dtype=bool)])
def test_without_a_difference_each_weighs_its_share(found: np.ndarray) -> None:
    raw = np.random.default_rng(4).normal(size=(5, 50))
    assert blend_weights(raw, found, np.ones(50)).tolist() == [0.5, 0.125, 0.125, 0.125, 0.125]
