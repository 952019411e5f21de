"""How many of all lines are findings where chance chose none of them: what lies between two ends.

Officers who choose look at what seems worse to them. So all lines together hold at least the findings that
were made, as a share of all lines, and hardly more than a model promises that learned from the chosen lines
and takes the others to be like them where the declaration says the same. Nothing tells where between the two
the truth lies: the geometric middle is taken, and the interval says both ends.

Source: Manski 1990, "Nonparametric Bounds on Treatment Effects"; Manski and Pepper 2000, "Monotone
Instrumental Variables" (selection that is monotone).
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from features.arrays.types import FloatArray
from models.fitting.prevalence import RecordedShare

STANDS_FOR = "stands_for"
"""The column of a sample of all lines that says how many lines each stands for."""

_HALF_A_FINDING = 0.5
_NORMAL_95 = 1.96


def share_without_draws(
    due: pl.DataFrame, label: str, all_lines: pl.DataFrame, said: FloatArray, examined: FloatArray
) -> RecordedShare | None:
    """What chosen lines alone say about all lines that would be examined.

    `due` are inspected lines with a known `label`; `said` (lines,) is what a model calibrated on such lines
    promises for a sample of `all_lines`, which has the columns `declared_on` and `stands_for`, and `examined`
    (lines,) how far each would be examined. None where no result is due on the sample's days.
    """
    newest = due["declared_on"].max()
    covered = all_lines["declared_on"] <= newest
    if STANDS_FOR not in all_lines.columns or not covered.any():
        return None
    weights = np.where(covered.to_numpy(), all_lines[STANDS_FOR].to_numpy() * examined, 0.0)
    lines = float(weights.sum())
    days = all_lines["declared_on"].filter(covered).unique().to_list()
    found = max(float(due.filter(pl.col("declared_on").is_in(days))[label].sum()), _HALF_A_FINDING)
    if lines <= found:
        return None
    low = found / lines
    high = max(float(weights @ said) / lines, low)
    # So many findings of a draw would leave as much between the ends.
    apart = math.log(high / low) / (2.0 * _NORMAL_95)
    return RecordedShare(math.sqrt(low * high), min(found, apart**-2) if apart > 0.0 else found, low, high)
