"""How many of all lines are findings where chance chose none of them, or too few.

A model that learned from lines which officers chose promises something for all lines, as if those that nobody
opened were like the chosen ones where the declaration says the same. Officers also see what no declaration
says, and some look where little is, so such a promise is wrong by a factor that nobody knows, in either
direction. It is taken for the middle of a lognormal distribution; all lines together hold at least the
findings that were made; and the draws there are, however few, count as what they are: so many findings on so
many lines.

Source: Manski 1990, "Nonparametric Bounds on Treatment Effects" (what was found is the least there is);
Carlin and Louis, "Bayesian Methods for Data Analysis" (a prior by elicitation, updated by a Poisson count).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import polars as pl

from features.arrays.types import FloatArray
from models.fitting.channels import draw_weights, drawn_from_all
from models.fitting.prevalence import RecordedShare, effective_draws

STANDS_FOR = "stands_for"
"""The column of a sample of all lines that says how many lines each stands for."""

_HALF_A_FINDING: Final = 0.5
# How far such promises were off in simulated worlds with officers of six kinds: the standard deviation of the
# logarithm, rounded up.
_PROMISE_SPREAD: Final = 0.8
_FARTHEST: Final = 6.0
_STEPS: Final = 2_401


def share_without_draws(
    due: pl.DataFrame, label: str, all_lines: pl.DataFrame, said: FloatArray, examined: FloatArray
) -> RecordedShare | None:
    """What chosen lines, and too few draws, say about all lines that would be examined.

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
    least = found / lines
    promised = max(float(weights @ said) / lines, least)
    drawn = effective_draws(due, label, np.where(drawn_from_all(due), draw_weights(due), 0.0))
    log_ratio = np.linspace(-_FARTHEST, _FARTHEST, _STEPS)
    share = promised * np.exp(log_ratio)
    log_weight = -0.5 * (log_ratio / _PROMISE_SPREAD) ** 2
    log_weight += drawn.findings * log_ratio - drawn.inspected * share
    weight = np.where((share >= least) & (share < 1.0), np.exp(log_weight - log_weight.max()), 0.0)
    weight /= weight.sum()
    below = np.cumsum(weight)
    low, high = (promised * math.exp(float(np.interp(part, below, log_ratio))) for part in (0.025, 0.975))
    middle = float(weight @ log_ratio)
    # So many findings of a draw would know as much.
    worth = 1.0 / float(weight @ (log_ratio - middle) ** 2)
    return RecordedShare(float(weight @ share), worth, low, high)
