"""One block of days, predicted by a model of the days before it, and what such predictions say about
probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.arrays.types import BoolArray, FloatArray
from models.fitting.splits import Split
from models.risk.calibration import Calibrator, fit_calibrator
from models.risk.risk_model import RiskModel

LEAST_LEARNABLE = 5
# An X-ray, a tip or an officer's eye chose these: they have findings that no declaration foretells, and a
# calibration on them promises too much for all others.
_BY_OUTCOME = ("referral", "override", "rule", "officer")


@dataclass(frozen=True)
class DayBlock:
    """The lines of a block, the model that predicted them, its matrix of them, and the loss on them by
    rounds.
    """

    split: Split
    train: pl.DataFrame
    test: pl.DataFrame
    model: RiskModel
    values: FloatArray
    curve: FloatArray

    def raw(self, rounds: int, threads: int) -> FloatArray:
        """Log-odds of the block's lines (lines,) with the first `rounds` trees."""
        return self.model.booster.predict_raw(self.values, threads=threads, rounds=rounds)

    def found(self) -> BoolArray:
        """Whether each of the block's lines was a finding (lines,)."""
        return self.test[self.model.label].to_numpy()

    def independent(self) -> BoolArray:
        """Lines that were not chosen for inspection because somebody already knew something."""
        return ~chosen_by_outcome(self.test)


def chosen_by_outcome(lines: pl.DataFrame) -> BoolArray:
    """True where a referral, an override, an officer or a rule chose the line (lines,)."""
    if "selection" not in lines.columns:
        return np.zeros(lines.height, dtype=bool)
    return lines["selection"].is_in(list(_BY_OUTCOME)).fill_null(False).to_numpy()


def calibrator_of(blocks: Sequence[DayBlock], raw: Sequence[FloatArray]) -> Calibrator:
    """A calibrator fitted on the blocks' lines, given their log-odds; on those that chance or a score chose,
    where these hold enough findings. The one that changes nothing where there is no block.
    """
    if not blocks:
        return Calibrator()
    scores, found = np.concatenate(raw), np.concatenate([block.found() for block in blocks])
    independent = np.concatenate([block.independent() for block in blocks])
    if found[independent].sum() < LEAST_LEARNABLE:
        independent = np.ones(len(found), dtype=bool)
    return fit_calibrator(scores[independent], found[independent])


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
