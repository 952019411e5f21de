"""How many trees of each candidate a blend has, and what each candidate weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from models.fitting.candidates import Candidate, Grown
from models.fitting.stacking import shares_of
from models.trees.blend import Blend


@dataclass(frozen=True)
class Choice:
    """The candidates that a blend has, the trees of each, and what its log-odds weigh."""

    candidates: tuple[Candidate, ...]
    rounds: tuple[int, ...]
    weights: tuple[float, ...]

    @classmethod
    def everything(cls, candidates: Sequence[Candidate]) -> Self:
        """All candidates with all trees that they may have, each with its share."""
        rounds = tuple(each.risk.rounds for each in candidates)
        return cls(tuple(candidates), rounds, tuple(shares_of(len(candidates)).tolist()))

    def needed(self) -> Self:
        """Those of its candidates that weigh anything."""
        kept = [place for place, weight in enumerate(self.weights) if weight > 0.0]
        return type(self)(
            tuple(self.candidates[place] for place in kept),
            tuple(self.rounds[place] for place in kept),
            tuple(self.weights[place] for place in kept),
        )

    def blend(self, grown: Sequence[Grown], columns: int) -> Blend:
        """The blend of what was grown of them, over a matrix of so many columns."""
        trees = {each.candidate.name: each for each in grown}
        return Blend(
            tuple(
                trees[candidate.name].member(weight, rounds)
                for candidate, rounds, weight in zip(self.candidates, self.rounds, self.weights, strict=True)
                if weight > 0.0
            ),
            columns,
        )
