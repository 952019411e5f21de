from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.risk.calibration import (
    Calibrator,
    calibration_bins,
    calibration_noise,
    expected_calibration_error,
    fit_calibrator,
)


def distorted(lines: int, seed: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Raw scores that are too steep and too high, the true probabilities, and findings drawn from them."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-2.5, 1.2, lines)
    truth = 1.0 / (1.0 + np.exp(-logit))
    return 1.8 * logit + 1.0, truth, rng.random(lines) < truth


def test_known_probabilities_are_recovered() -> None:
    raw, truth, found = distorted(40_000)
    probability = fit_calibrator(raw, found)(raw)
    assert np.abs(probability - truth).mean() < 0.006
    assert expected_calibration_error(probability, found) < 0.01
    assert expected_calibration_error(Calibrator()(raw), found) > 0.02


def test_few_findings_get_one_slope() -> None:
    raw, truth, found = distorted(400)
    calibrator = fit_calibrator(raw, found)
    assert found.sum() < 100
    assert calibrator.a == calibrator.b
    assert np.abs(calibrator(raw) - truth).mean() < 0.05


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), lines=st.integers(2, 300))
def test_the_ranking_never_changes(seed: int, lines: int) -> None:
    rng = np.random.default_rng(seed)
    raw = np.unique(np.round(rng.normal(-3.0, 2.0, lines), 6))
    probability = fit_calibrator(raw, rng.random(len(raw)) < 0.3)(raw)
    assert (np.diff(probability) > 0.0).all()
    assert ((probability > 0.0) & (probability < 1.0)).all()


def test_scores_that_mislead_do_not_turn_the_ranking() -> None:
    raw, _, found = distorted(2_000)
    probability = fit_calibrator(-raw, found)(-raw)
    assert (np.diff(probability[np.argsort(-raw)]) >= 0.0).all()


@pytest.mark.parametrize("found", [np.zeros(10, dtype=bool), np.ones(10, dtype=bool)])
def test_one_kind_of_line_teaches_nothing(found: np.ndarray) -> None:
    assert fit_calibrator(np.linspace(-1, 1, 10), found) == Calibrator()


def test_the_numbers_survive_json() -> None:
    raw, _, found = distorted(3_000)
    calibrator = fit_calibrator(raw, found)
    again = Calibrator.from_dict(json.loads(json.dumps(calibrator.as_dict())))
    assert again(raw).tobytes() == calibrator(raw).tobytes()
    extreme = calibrator(np.array([-800.0, 800.0]))
    assert ((extreme >= 0.0) & (extreme <= 1.0)).all()


def test_bins_count_every_line_once() -> None:
    _, truth, found = distorted(1_003)
    bins = calibration_bins(truth, found, 10)
    assert sum(part.lines for part in bins) == 1_003
    assert sum(part.findings for part in bins) == found.sum()
    means = [part.mean_probability for part in bins]
    assert means == sorted(means)


def test_chance_alone_explains_the_error_of_true_probabilities() -> None:
    _, truth, found = distorted(5_000)
    noise = calibration_noise(truth, seed=1)
    assert noise > 0.0
    assert expected_calibration_error(truth, found) < 3.0 * noise
    assert np.isnan(calibration_noise(np.empty(0), seed=1))
    assert np.isnan(expected_calibration_error(np.empty(0), np.empty(0, dtype=bool)))
