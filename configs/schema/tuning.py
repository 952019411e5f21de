"""The object behind the section `tuning` of `pipeline.yaml`: what a search of parameters may try."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from configs.schema.frozen import Frozen
from configs.schema.tree_parameters import MODEL_PARAMETERS, MOST_LEAVES

# Parameters that are on or off, and one that is a word.
SWITCHES = frozenset({"extra_trees", "is_unbalance", "linear_tree"})
_WORDS = frozenset({"boosting"})


class SearchRange(Frozen):
    """The values of one model parameter that are tried, both ends included.

    Two whole ends mean whole numbers. `log` spreads the trials evenly over factors instead of differences.
    For a parameter that is on or off, 0 to 1 tries both.

    >>> SearchRange(name="num_leaves", low=4, high=63, log=True).whole
    True
    """

    name: str
    low: int | float = Field(ge=0)
    high: int | float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are tried."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        allowed = MODEL_PARAMETERS - _WORDS
        if name not in allowed:
            raise ValueError(
                f"{name!r} is not a model parameter that can be searched. "
                f"Allowed: {', '.join(sorted(allowed))}"
            )
        return name

    @model_validator(mode="after")
    def _from_low_to_high(self) -> SearchRange:
        if not self.low < self.high:
            raise ValueError(f"expected low below high for {self.name}, came {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"expected a low above 0 for {self.name}, because log is true")
        if self.name in SWITCHES and (not self.whole or (self.low, self.high, self.log) != (0, 1, False)):
            raise ValueError(f"expected low: 0 and high: 1 for {self.name}, which is on or off")
        if self.name == "num_leaves" and not (self.whole and self.low >= 2 and self.high <= MOST_LEAVES):
            raise ValueError(f"expected whole num_leaves from 2 to {MOST_LEAVES}")
        return self


class TuningConfig(Frozen):
    """How `tune` searches the parameters of a risk's model."""

    trials: int = Field(40, ge=3, le=10_000)
    rounds: int = Field(400, ge=1, le=10_000)
    space: tuple[SearchRange, ...] = Field(min_length=1)

    @field_validator("space")
    @classmethod
    def _once_each(cls, space: tuple[SearchRange, ...]) -> tuple[SearchRange, ...]:
        if len({wanted.name for wanted in space}) != len(space):
            raise ValueError("a parameter stands in it twice")
        return space
