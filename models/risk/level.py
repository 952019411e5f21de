"""How sure the level of a model's probabilities is: between which ends they lie with a chance of 95%."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

LEVEL_LOW, LEVEL_HIGH = "level_low", "level_high"


@dataclass(frozen=True)
class Level:
    """By how much the odds that a model gives may be too high (`low` < 1) and too low (`high` > 1)."""

    low: float
    high: float

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Self | None:
        """What the metadata of a model say; None where nothing is known of its level."""
        if LEVEL_LOW not in metadata or LEVEL_HIGH not in metadata:
            return None
        return cls(float(metadata[LEVEL_LOW]), float(metadata[LEVEL_HIGH]))

    def around(self, probability: float) -> tuple[float, float]:
        """The ends between which a probability lies.

        >>> [round(end, 3) for end in Level(0.5, 2.0).around(0.5)]
        [0.333, 0.667]
        """
        ends = (self.low * probability, self.high * probability)
        return ends[0] / (ends[0] + 1.0 - probability), ends[1] / (ends[1] + 1.0 - probability)
