"""A candidate that is fitted beside a risk's own trees, and blended with them as far as it helps."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from configs.schema.frozen import Frozen, Name, Text
from configs.schema.tree_parameters import TreeParameters


class CandidateConfig(Frozen):
    """Trees of other parameters, columns and parts than those of the risk.

    Attributes:
        name: what it is called; the risk's own trees are `own`.
        columns: the columns of the risk that it reads, by patterns such as `goods__*`.
        linear_start, cross_fitted_rates, monotone_hit_rates: as in a risk's file.
        model: LightGBM's parameters, over the program's defaults.
        least_leaves: where findings are few a tree has one leaf for every 20 of them, and at least so
            many; null for as many as `model` says.
        rounds: the most trees; later blocks of days choose how many of them are kept.
    """

    name: Name
    columns: Literal["all"] | tuple[Text, ...] = "all"
    linear_start: bool = False
    cross_fitted_rates: bool = False
    monotone_hit_rates: bool = False
    model: TreeParameters = Field(default_factory=dict)
    least_leaves: int | None = Field(None, ge=2, le=64)
    rounds: int = Field(300, ge=1, le=10_000)

    def __hash__(self) -> int:
        """Settings are keys of caches, and the parameters are a dict."""
        return hash(self.model_dump_json())
