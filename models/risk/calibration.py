"""From raw scores to probabilities that mean what they say, without ever changing the ranking.

Beta calibration: logit p = a · ln s − b · ln(1 − s) + c with s = sigmoid(raw), a and b above zero, so the
map rises strictly and makes no ties, which isotonic regression would. With few findings a = b, which is
Platt's sigmoid.

Sources: Kull, Silva Filho and Flach 2017, "Beta calibration"; Platt 1999, "Probabilistic Outputs for
Support Vector Machines". The prior towards a = b = 1 holds the fit where findings are few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from features.arrays.types import BoolArray, FloatArray

_FINDINGS_FOR_BETA = 100
_PRIOR = 4.0
_LEAST_SLOPE = 0.05


@numba.njit(cache=True, nogil=True)
def _softplus(value: float) -> Any:
    return max(value, 0.0) + np.log1p(np.exp(-abs(value)))


@numba.njit(cache=True, nogil=True)
def _apply(raw: FloatArray, a: float, b: float, c: float, out: FloatArray) -> None:
    # One scalar loop: the vectorised exp of numpy need not agree with itself at the end of a batch.
    for row in range(raw.shape[0]):
        logit = b * _softplus(raw[row]) - a * _softplus(-raw[row]) + c
        if logit >= 0.0:
            out[row] = 1.0 / (1.0 + np.exp(-logit))
        else:
            odds = np.exp(logit)
            out[row] = odds / (1.0 + odds)


@dataclass(frozen=True)
class Calibrator:
    """The three numbers of the map; `a = b = 1, c = 0` leaves the model's own probability as it is."""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def __call__(self, raw: npt.ArrayLike) -> FloatArray:
        """Probability a line (lines,) in [0, 1] for raw log-odds (lines,); rises strictly with them.

        >>> Calibrator()([0.0, 2.0]).round(3)
        array([0.5 , 0.881])
        """
        values = np.ascontiguousarray(raw, dtype=np.float64)
        out = np.empty_like(values)
        _apply(values, self.a, self.b, self.c, out)
        return out

    def as_dict(self) -> dict[str, float]:
        """The numbers as JSON can hold them."""
        return {"a": self.a, "b": self.b, "c": self.c}

    @classmethod
    def from_dict(cls, numbers: Mapping[str, float]) -> Calibrator:
        """The calibrator that `as_dict` wrote."""
        return cls(float(numbers["a"]), float(numbers["b"]), float(numbers["c"]))


def fit_calibrator(raw: FloatArray, found: BoolArray) -> Calibrator:
    """Fit on raw scores (lines,) of lines that the model was not trained on, and whether each was a finding.

    Below 100 findings both slopes are the same number. Without a finding, or with nothing else, there is
    nothing to learn and the map changes nothing.
    """
    from scipy.optimize import minimize

    findings = int(found.sum())
    if findings == 0 or findings == len(found):
        return Calibrator()
    above, below = np.logaddexp(0.0, raw), np.logaddexp(0.0, -raw)
    beta = min(findings, len(found) - findings) >= _FINDINGS_FOR_BETA
    sign = np.where(found, 1.0, -1.0)

    def loss(numbers: FloatArray) -> tuple[float, FloatArray]:
        a, b, c = (numbers[0], numbers[1], numbers[2]) if beta else (numbers[0], numbers[0], numbers[1])
        margin = sign * (b * above - a * below + c)
        pull = -sign * np.exp(-np.logaddexp(0.0, margin))
        slopes = np.array([-(pull @ below) + 2 * _PRIOR * (a - 1.0), pull @ above + 2 * _PRIOR * (b - 1.0)])
        gradient = [*slopes, pull.sum()] if beta else [slopes.sum(), pull.sum()]
        prior = _PRIOR * ((a - 1.0) ** 2 + (b - 1.0) ** 2)
        return float(np.logaddexp(0.0, -margin).sum() + prior), np.array(gradient)

    start = [1.0, 1.0, 0.0] if beta else [1.0, 0.0]
    bounds = [(_LEAST_SLOPE, None)] * (len(start) - 1) + [(None, None)]
    fitted = minimize(loss, np.array(start), jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibrator(*(float(number) for number in (fitted if beta else (fitted[0], fitted[0], fitted[1]))))


@dataclass(frozen=True)
class CalibrationBin:
    """Lines of similar probability: how many, how many findings, and the mean probability."""

    lines: int
    findings: int
    mean_probability: float


def calibration_bins(probability: FloatArray, found: BoolArray, bins: int = 10) -> list[CalibrationBin]:
    """Bins of equally many lines from low to high probability; fewer where lines are fewer than bins."""
    order = np.argsort(probability, kind="stable")
    return [
        CalibrationBin(len(part), int(found[part].sum()), float(probability[part].mean()))
        for part in np.array_split(order, bins)
        if len(part)
    ]


def expected_calibration_error(probability: FloatArray, found: BoolArray, bins: int = 10) -> float:
    """Mean distance between predicted and observed share over bins weighted by lines; NaN without lines.

    >>> expected_calibration_error(np.array([0.5, 0.5]), np.array([True, False]), bins=1)
    0.0
    """
    if len(probability) == 0:
        return float("nan")
    parts = calibration_bins(probability, found, bins)
    return sum(abs(part.lines * part.mean_probability - part.findings) for part in parts) / len(probability)


def calibration_noise(probability: FloatArray, *, seed: int, draws: int = 200, bins: int = 10) -> float:
    """The calibration error that perfect probabilities would show on as many lines, by chance alone."""
    if len(probability) == 0:
        return float("nan")
    rng = np.random.default_rng(seed)
    errors = [
        expected_calibration_error(probability, rng.random(len(probability)) < probability, bins)
        for _ in range(draws)
    ]
    return float(np.mean(errors))
