"""Chances of being opened that add up to what officers can open."""

from typing import Final

import numpy as np

from pipelines.simulation.world.randomness import Floats

_MAX_CHANCE: Final = 0.9


def capped_chances(odds: Floats, wanted: float) -> Floats:
    """Return chances in proportion to `odds`, at most 0.9, that add up to `wanted` where they can.

    >>> [round(float(chance), 3) for chance in capped_chances(np.array([0.0, 1.0, 3.0]), 1.0)]
    [0.0, 0.25, 0.75]
    """
    return np.minimum(_solve(odds, wanted) * odds, _MAX_CHANCE)


def _solve(odds: Floats, wanted: float) -> float:
    """Return the factor at which the chances add up to `wanted` (by fixed-point steps)."""
    total = float(odds.sum())
    if total <= 0.0 or wanted <= 0.0:
        return 0.0
    factor = wanted / total
    for _ in range(6):
        reached = float(np.minimum(factor * odds, _MAX_CHANCE).sum())
        factor *= wanted / max(reached, 1e-9)
    return factor
