"""One block of days, predicted by a model of the days before it, and what such predictions say about
probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from features.arrays.types import BoolArray, Float32Array, FloatArray
from models.fitting.blending import Choice
from models.fitting.candidates import Grown
from models.fitting.channels import chosen_by_score_or_chance
from models.fitting.splits import Split
from models.risk.risk_model import RiskModel

LEAST_LEARNABLE = 5


@dataclass(frozen=True)
class DayBlock:
    """The lines of a block, the model that predicts them, its matrix of them, and the candidates that were
    grown on the days before, of which the model holds all with all their trees.
    """

    split: Split
    train: pl.DataFrame
    test: pl.DataFrame
    model: RiskModel
    values: Float32Array
    grown: tuple[Grown, ...]

    def raw(self, choice: Choice, threads: int) -> FloatArray:
        """Log-odds of the block's lines (lines,) by the blend of a choice."""
        return self.chosen(choice).booster.predict_raw(self.values, threads=threads)

    def chosen(self, choice: Choice) -> RiskModel:
        """The model with the blend of a choice."""
        return replace(self.model, booster=choice.blend(self.grown, self.model.booster.columns))

    def raw_of(self, place: int, rounds: int, threads: int) -> FloatArray:
        """Log-odds of the block's lines (lines,) with the first trees of one candidate alone."""
        return self.grown[place].raw(self.values, rounds, threads)

    def found(self) -> BoolArray:
        """Whether each of the block's lines was a finding (lines,)."""
        return self.test[self.model.label].to_numpy()

    def independent(self) -> BoolArray:
        """Lines of which nobody knew anything when they were chosen for inspection."""
        return chosen_by_score_or_chance(self.test)


def out_of_time(blocks: Sequence[DayBlock], probability: Sequence[FloatArray]) -> pl.DataFrame:
    """The blocks' lines below each other: key, `declared_on`, `found`, the `probability` (lines,) that each
    block's lines were given, and `fold`, the block's name.
    """
    schema = {"declaration_id": pl.String, "line_no": pl.Float64, "declared_on": pl.Date, "found": pl.Boolean,
              "probability": pl.Float64, "fold": pl.String}  # fmt: skip
    parts = [
        block.test.select(
            "declaration_id",
            pl.col("line_no").cast(pl.Float64),
            "declared_on",
            pl.Series("found", block.found()),
            pl.Series("probability", given),
            pl.lit(block.split.name).alias("fold"),
        )
        for block, given in zip(blocks, probability, strict=True)
    ]
    return pl.concat([pl.DataFrame(schema=schema), *parts])
