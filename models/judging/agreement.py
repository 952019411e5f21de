"""Do two samples of lines have the same features? Column by column, beside what chance explains.

The random share is drawn from all lines, so its features must look like theirs; where they do not, the draw
is not random, or features are computed in two ways. Lines chosen by risk differ from both by design.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.arrays.types import FloatArray
from models.stats.drift import Coding, Shift, shift, tells_the_day
from models.trees.columns import block_of

_LEAST_LINES = 50


@dataclass(frozen=True)
class ColumnShift:
    """A column, and how its values in the sample differ from those of all lines."""

    column: str
    shift: Shift


@dataclass(frozen=True)
class FeatureAgreement:
    """The columns of a sample against those of all lines, the largest shift beyond noise first.

    `lines` is the effective size of the sample: that of an unweighted one with as much information.
    """

    columns: tuple[ColumnShift, ...]
    lines: int
    all_lines: int

    def disagreeing(self, index: float) -> tuple[ColumnShift, ...]:
        """Columns whose shift is no noise and at least `index`."""
        return tuple(column for column in self.columns if column.shift.reaches(index))


def compare_features(
    sample: pl.DataFrame, all_lines: pl.DataFrame, columns: Sequence[str], *, false_alarm_rate: float
) -> FeatureAgreement | None:
    """Compare feature columns of `sample` with those of `all_lines`, on the days that both have.

    A line of the sample counts with one over its `inspection_probability` where that is known, since a small
    office draws a larger part of its parcels. `false_alarm_rate` is the chance that any column alarms where
    nothing differs. None where the common days hold fewer than 50 lines of either.
    """
    common = set(sample["declared_on"].unique()) & set(all_lines["declared_on"].unique())
    sample, all_lines = (
        frame.filter(pl.col("declared_on").is_in(sorted(common))) for frame in (sample, all_lines)
    )
    weight = _weights(sample)
    effective = int(weight.sum() ** 2 / (weight**2).sum()) if len(weight) else 0
    if effective < _LEAST_LINES or all_lines.height < _LEAST_LINES:
        return None
    days = all_lines.partition_by("declared_on", maintain_order=True)
    shared = [name for name in columns if name in sample.columns and name in all_lines.columns]
    compared = [name for name in shared if not tells_the_day([day[name] for day in days])]
    shifts = []
    for name in compared:
        coding = Coding.of(all_lines[name])
        weighted = np.bincount(coding.codes(sample[name]), weight, minlength=coding.cells)
        counts = np.rint(weighted / weight.sum() * effective).astype(np.int64)
        by_day = np.array([np.bincount(coding.codes(day[name]), minlength=coding.cells) for day in days])
        measured = shift(counts, by_day, false_alarm_rate / len(compared))
        if measured is not None:
            shifts.append(ColumnShift(name, measured))
    ranked = sorted(shifts, key=lambda column: (-column.shift.excess, column.column))
    return FeatureAgreement(tuple(ranked), effective, all_lines.height)


def feature_names(frame: pl.DataFrame) -> tuple[str, ...]:
    """The feature columns of a frame: those that a block built, numbers and text."""
    kinds = (pl.Float64, pl.String)
    return tuple(
        name for name, dtype in frame.schema.items() if block_of(name) is not None and dtype in kinds
    )


def _weights(sample: pl.DataFrame) -> FloatArray:
    if "inspection_probability" not in sample.columns:
        return np.ones(sample.height)
    chance = sample["inspection_probability"]
    if not chance.count():
        return np.ones(sample.height)
    # A line whose chance nobody wrote down stands for none but itself among lines that stand for many.
    return (1.0 / chance.fill_null(1.0)).to_numpy()
