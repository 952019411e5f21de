"""Weights with which inspected lines are trained on, so that they stand for all lines and not for those that
officers like to open.

A line that was inspected with the chance p counts 1/p. What differs from line to line in p is taken out, and
with it some of the findings' own weight: whether a risk's model gains is a question for a measurement
(`benchmarks/choices.py`), not of principle. A boosted tree already sees much of what the officers go by, so
that given the features the choice matters little, while unequal weights leave fewer lines to learn from.

Sources: Horvitz and Thompson 1952, "A Generalization of Sampling Without Replacement From a Finite Universe"
(1/p); Cole and Hernán 2008, "Constructing Inverse Probability Weights for Marginal Structural Models"
(truncation trades a little bias for much less variance).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from configs.schema.risk import RiskConfig
from features.arrays.types import FloatArray
from models.fitting.channels import chosen_by_outcome
from models.trees.columns import number_column

# Beyond this many times the median, a single line of a small chance would decide over leaves.
MOST_MEDIANS = 20.0


def training_weights(risk: RiskConfig, lines: pl.DataFrame) -> FloatArray | None:
    """The weights of inspected lines (lines,) that the risk's file asks for; None where all count alike."""
    return inverse_propensity_weights(lines) if risk.training_weights == "inverse_propensity" else None


def inverse_propensity_weights(lines: pl.DataFrame) -> FloatArray:
    """One over `inspection_probability`, clipped at 20 times the median, with a mean of 1 (lines,).

    `lines` are inspected ones with `selection` and `inspection_probability`. The chance is that of the
    channel in `selection`; that another one could have chosen the line as well is left out.

    - Lines that a referral, an override or an officer chose count as certain (p = 1), whatever chance they
      name, and so do those of a rule that names none: what chose them was a sight of the goods or a tip. No
      line that looks alike was left unopened at a known chance, so they can stand for themselves only.
    - A line of another channel without a known chance counts as much as the median of its channel's lines
      that have one: offices that keep no records choose by the same signs. Where a whole channel has none,
      its lines count as certain, the least that an inspected line can stand for.

    >>> given = {"selection": ["random", "risk", "risk", "referral"]}
    >>> lines = pl.DataFrame({**given, "inspection_probability": [0.1, 0.5, None, None]})
    >>> inverse_propensity_weights(lines).round(3).tolist()
    [2.667, 0.533, 0.533, 0.267]
    """
    if lines.is_empty():
        return np.empty(0, dtype=np.float64)
    chance, certain = number_column(lines, "inspection_probability"), chosen_by_outcome(lines)
    known = (chance > 0.0) & (chance <= 1.0) & ~certain
    weights = np.where(known, 1.0 / np.where(known, chance, 1.0), np.nan)
    weights = np.where(certain, 1.0, _filled(lines, weights))
    clipped = np.minimum(weights, MOST_MEDIANS * np.median(weights))
    return np.asarray(clipped / clipped.mean(), dtype=np.float64)


def equal_after_all(risk: RiskConfig, lines: pl.DataFrame) -> tuple[str, ...]:
    """A warning where the risk's file asks for weights and the lines (at least one) know of no chances."""
    weights = training_weights(risk, lines)
    if weights is None or np.ptp(weights) > 0.0:
        return ()
    return (
        "training_weights: inverse_propensity changes nothing: no inspected lines differ in their "
        "inspection_probability",
    )


def _filled(lines: pl.DataFrame, weights: FloatArray) -> FloatArray:
    """Weights (lines,) in which an unknown one (NaN) is the median of its channel, or 1."""
    channel = pl.col("selection").cast(pl.String) if "selection" in lines.columns else pl.lit(None, pl.String)
    table = lines.select(channel.alias("channel"), pl.Series("weight", weights).fill_nan(None))
    usual = pl.col("weight").median().over("channel")
    return table.select(pl.coalesce("weight", usual, 1.0)).to_series().to_numpy()
