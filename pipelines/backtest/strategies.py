"""The ways of choosing parcels that a backtest sets side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from configs.errors import UsageError
from configs.messages import nearest
from configs.schema.capacity import CapacityConfig

Worth = Literal["nothing", "price", "past hit rate", "model"]


@dataclass(frozen=True)
class Strategy:
    """A way of choosing parcels: what they are sorted by, and how a list is made up.

    `random`, `explores` and `capped` say whether a list has the configured random share, the configured
    exploration share, and everything else of capacity.yaml: caps, minimum shares, parcels that must be
    opened.
    """

    name: str
    text: str
    worth: Worth
    random: bool = False
    explores: bool = False
    capped: bool = False

    @property
    def learns(self) -> bool:
        """Whether it needs features and models."""
        return self.worth == "model"

    def capacity(self, configured: CapacityConfig) -> CapacityConfig:
        """The capacity configured, with the parts that this strategy does without taken out.

        >>> STRATEGIES["model"].capacity(CapacityConfig()).random_share
        0.0
        """
        if self.worth == "nothing":
            return plain(configured).model_copy(update={"random_share": 1.0})
        if self.capped:
            return configured
        kept = {
            **({"random_share": configured.random_share} if self.random else {}),
            **({"exploration_share": configured.exploration_share} if self.explores else {}),
        }
        return plain(configured).model_copy(update=kept)


def plain(configured: CapacityConfig) -> CapacityConfig:
    """The same places for each office, filled by the sort alone."""
    caps = configured.caps.model_copy(update=dict.fromkeys(type(configured.caps).model_fields))
    return configured.model_copy(
        update={
            "random_share": 0.0,
            "exploration_share": 0.0,
            "minimum_shares": {},
            "must_inspect": (),
            "caps": caps,
        }
    )


STRATEGIES = {
    strategy.name: strategy
    for strategy in (
        Strategy("random", "all places drawn by lot", "nothing"),
        Strategy("price", "highest declared value first", "price"),
        Strategy("past-hit-rate", "sellers and headings with most findings so far first", "past hit rate"),
        Strategy("model", "highest expected value first, nothing drawn, no cap", "model"),
        Strategy("model-random", "the same with the random share", "model", random=True),
        Strategy(
            "model-explore", "the same with random share and exploration", "model", random=True, explores=True
        ),
        Strategy(
            "full",
            "as configured: random share, exploration, caps",
            "model",
            random=True,
            explores=True,
            capped=True,
        ),
    )
}


def chosen_strategies(names: Sequence[str]) -> list[Strategy]:
    """Return the named strategies, each once and in the order of `STRATEGIES`; all where none is named.

    Raises:
        UsageError: one does not exist.
    """
    for name in names:
        if name not in STRATEGIES:
            raise UsageError(
                f"expected one of the strategies {', '.join(STRATEGIES)}; came {name!r}."
                f"{nearest(name, STRATEGIES)}"
            )
    return [strategy for name, strategy in STRATEGIES.items() if name in names or not names]
