"""By which channel an inspected line was chosen, and what that says of it."""

from __future__ import annotations

import numpy as np
import polars as pl

from features.arrays.types import BoolArray, FloatArray
from models.trees.columns import number_column

# An X-ray image, a tip or an officer's eye chose these: they have findings that no declaration foretells, and
# a calibration on them promises too much for all others. A rule with a chance is a sampling plan.
_BY_OUTCOME = ("referral", "override", "rule", "officer")
_DRAWN_FROM_ALL = "random"
_LISTED = (_DRAWN_FROM_ALL, "exploration", "risk")
_DRAWN = (*_LISTED, "rule")


def chosen_by_outcome(lines: pl.DataFrame) -> BoolArray:
    """True where a referral, an override, an officer or a rule without a chance chose the line (lines,)."""
    if "selection" not in lines.columns:
        return np.zeros(lines.height, dtype=bool)
    seen = lines["selection"].is_in(list(_BY_OUTCOME)).fill_null(False).to_numpy()
    return seen & ~drawn(lines)


def chosen_by_score_or_chance(lines: pl.DataFrame) -> BoolArray:
    """True where a list by risk or chance chose the line, before anybody had seen the goods (lines,)."""
    if "selection" not in lines.columns:
        return np.zeros(lines.height, dtype=bool)
    listed = lines["selection"].is_in(list(_LISTED)).fill_null(False).to_numpy()
    return listed | drawn(lines)


def drawn(lines: pl.DataFrame) -> BoolArray:
    """True where chance chose the line, and the chance is known and below 1 (lines,): the random share,
    exploration, a sampling plan, a choice by risk that left some out.
    """
    return draw_weights(lines) > 0.0


def drawn_from_all(lines: pl.DataFrame) -> BoolArray:
    """True where the random share chose the line, which reaches every line (lines,)."""
    if "selection" not in lines.columns:
        return np.zeros(lines.height, dtype=bool)
    return (lines["selection"] == _DRAWN_FROM_ALL).fill_null(False).to_numpy() & drawn(lines)


def draw_weights(lines: pl.DataFrame) -> FloatArray:
    """How many lines each draw stands for (lines,); 0 for lines that are none."""
    if "selection" not in lines.columns:
        return np.zeros(lines.height)
    chance = number_column(lines, "inspection_probability")
    by_chance = lines["selection"].is_in(list(_DRAWN)).fill_null(False).to_numpy()
    # A share of one is a census where it is the random share, and no draw anywhere else.
    whole = (lines["selection"] == _DRAWN_FROM_ALL).fill_null(False).to_numpy()
    known = by_chance & (chance > 0.0) & ((chance < 1.0) | (whole & (chance <= 1.0)))
    return np.where(known, 1.0 / np.where(known, chance, 1.0), 0.0)
