"""What a reader of a list has to know before he relies on it, and how sure its chances are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from configs.language import Language
from features.words.chance import chance_between, chance_in_words
from models.risk.level import Level

# Ends that are closer than this are told as their middle.
_FAR_APART = 2.5


@dataclass(frozen=True)
class Caveats:
    """What a reader of a list has to know before he relies on it.

    Attributes:
        incomplete: some parcels of the day have no score.
        unproven: risks whose model failed its gate, or was never judged.
        levels: how sure the level of each risk's probabilities is, where that is known.
    """

    incomplete: bool = False
    unproven: tuple[str, ...] = ()
    levels: Mapping[str, Level] = field(default_factory=dict)

    def chance(self, risk: str | None, probability: float, words: Language) -> str:
        """A probability as a list says it: both ends where these are far apart."""
        level = self.levels.get(risk or "")
        if level is not None:
            low, high = level.around(probability)
            if high >= _FAR_APART * low:
                return chance_between(low, high, words)
        return chance_in_words(probability, words)


NO_CAVEATS = Caveats()
