"""What each candidate weighs in a blend: few numbers, none below zero, and none far from a share set before.

Each candidate's log-odds are first brought to the scale on which they mean what they say (Platt); the blend
is the sum of these, each times its weight. Later lines choose the weights by their log loss; where findings
are few they stay near the shares: half for a risk's own trees, the other half for all others together, which
loses little to the better of the two whichever it is.

Sources: Breiman 1996, "Stacked Regressions" (weights that are not negative); Van der Laan, Polley and Hubbard
2007, "Super Learner"; the pull towards the shares is that of a prior.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from features.arrays.types import BoolArray, FloatArray

# Weights stray from their shares by about a quarter: two in three of them, before any line is seen.
_STRAY = 0.25
# One candidate's log-odds mean what they say, or half of it.
_SLOPES_STRAY = 0.5
_LEAST_WEIGHT = 0.1
# Log-odds that later lines bear out to a smaller part than this tell next to nothing.
_LEAST_SLOPE = 0.1


def blend_weights(raw: FloatArray, found: BoolArray, weights: FloatArray) -> FloatArray:
    """The factor of each candidate's log-odds in the blend (candidates,).

    Args:
        raw: log-odds of lines that no candidate has learned from (candidates, lines), first those of a risk's
            own trees.
        found: which of the lines are findings (lines,).
        weights: how much each line counts (lines,).
    """
    shares = shares_of(len(raw))
    if len(raw) == 1 or not found.any() or found.all():
        return shares
    scales = np.array([_scale(each, found, weights)[0] for each in raw])
    scaled = raw * scales[:, None]
    telling = scales >= _LEAST_SLOPE
    kept = np.flatnonzero(telling if telling.any() else ~telling)
    while True:
        chosen, _ = _fitted(scaled[kept], found, weights, shares[kept] / shares[kept].sum(), _STRAY)
        small = chosen < _LEAST_WEIGHT
        if not small.any() or small.all():
            break
        kept = kept[~small]
    out = np.zeros(len(raw), dtype=np.float64)
    out[kept] = chosen * scales[kept]
    return out


def rescaled_loss(raw: FloatArray, found: BoolArray, weights: FloatArray) -> float:
    """What log-odds (lines,) lose on the lines, in units of log likelihood, once brought to their scale.

    Args: those of `blend_weights`, of one candidate.
    """
    return _scale(raw, found, weights)[1]


def shares_of(candidates: int) -> FloatArray:
    """What each of so many candidates weighs before any line is seen (candidates,): the first half of it all.

    >>> shares_of(3)
    array([0.5 , 0.25, 0.25])
    """
    if candidates == 1:
        return np.ones(1)
    return np.append(0.5, np.full(candidates - 1, 0.5 / (candidates - 1)))


def _scale(raw: FloatArray, found: BoolArray, weights: FloatArray) -> tuple[float, float]:
    """The factor that brings log-odds (lines,) to a scale on which they mean what they say, and the loss."""
    factors, loss = _fitted(raw[None, :], found, weights, np.ones(1), _SLOPES_STRAY)
    return float(factors[0]), loss


def _fitted(
    scaled: FloatArray, found: BoolArray, weights: FloatArray, shares: FloatArray, stray: float
) -> tuple[FloatArray, float]:
    """The weights of scaled log-odds (candidates, lines) that make the findings most likely, given how far
    they stray from their shares, and the loss with them.
    """
    counts = weights * (weights.sum() / (weights**2).sum())
    sign = np.where(found, 1.0, -1.0)
    held = 1.0 / (2.0 * stray**2)

    def loss(numbers: FloatArray) -> tuple[float, FloatArray]:
        parts, shift = numbers[:-1], numbers[-1]
        margin = sign * (parts @ scaled + shift)
        pull = -sign * np.exp(-np.logaddexp(0.0, margin)) * counts
        away = parts - shares
        gradient = np.append(scaled @ pull + 2.0 * held * away, pull.sum())
        return float(counts @ np.logaddexp(0.0, -margin) + held * (away @ away)), gradient

    bounds = [(0.0, None)] * len(scaled) + [(None, None)]
    fitted = minimize(loss, np.append(shares, 0.0), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(fitted.x[:-1], dtype=np.float64), float(fitted.fun)
