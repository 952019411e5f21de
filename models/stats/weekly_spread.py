"""How far the share of findings moves from week to week, beyond what chance explains.

What is sold, and by whom, changes: even if the share of findings were known exactly for the weeks that a
model learned from, the next week would have another one. The level of the probabilities is no surer than
that, however many findings it rests on.

Weeks are few and findings fewer, so that an estimate of the spread is often zero although there is one.
Instead every spread weighs as much as it makes the weekly counts likely, and the mean square over all of them
is given: where the counts say little it stays wide, with many findings it is what they show.

Sources: Gelman 2006, "Prior Distributions for Variance Parameters in Hierarchical Models" (a uniform prior on
the standard deviation); counts with a gamma-distributed mean are negative binomial.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from scipy.special import gammaln

from features.arrays.types import FloatArray

_DAYS = 7
# The share of a week would not be more than its own mean away from that of all weeks.
_SPREADS = np.linspace(0.005, 1.0, 200)


def weekly_spread(lines: pl.DataFrame, label: str) -> float:
    """Root mean square of the relative deviation of a week's share of findings from that of all weeks.

    `lines` are inspected ones with a known `label` and `declared_on`, and where known `selection` and
    `seller_id`. A seller counts once a week and channel, found or not: officers follow up a seller, and its
    parcels are found together. Each channel has its own share, so that another mixture of them is no
    movement, and those that chose by what they saw can tell of it as well. 0.58, what knowing nothing is
    worth, where there are fewer than two weeks or no finding.
    """
    found, expected = _weekly(lines, label)
    if len(found) < 2 or not found.sum():
        return float(np.sqrt(np.mean(_SPREADS**2)))
    shape = 1.0 / _SPREADS[:, None] ** 2
    log_likelihood = (
        gammaln(found + shape) - gammaln(shape)
        - shape * np.log1p(expected / shape) + found * np.log(expected / (shape + expected))
    ).sum(axis=1)  # fmt: skip
    weight = np.exp(log_likelihood - log_likelihood.max())
    return float(np.sqrt(weight @ _SPREADS**2 / weight.sum()))


def _weekly(lines: pl.DataFrame, label: str) -> tuple[FloatArray, FloatArray]:
    """Sellers found and those to be expected, by week (weeks,), counted back from the newest day."""
    newest = lines["declared_on"].max()
    if not isinstance(newest, date):
        return np.empty(0), np.empty(0)
    names = lines.columns
    seller = pl.col("seller_id").cast(pl.String) if "seller_id" in names else pl.lit(None, pl.String)
    channel = pl.col("selection").cast(pl.String) if "selection" in names else pl.lit(None, pl.String)
    weeks = (
        lines.select(
            ((pl.lit(newest) - pl.col("declared_on")).dt.total_days() // _DAYS).alias("week"),
            channel.alias("channel"),
            pl.coalesce(seller, "\x1f" + pl.col("declaration_id")).alias("source"),
            pl.col(label).alias("found"),
        )
        .group_by("week", "channel", "source")
        .agg(pl.col("found").any())
        .with_columns(pl.col("found").mean().over("channel").alias("expected"))
        .group_by("week")
        .agg(pl.col("found").sum(), pl.col("expected").sum())
        .filter(pl.col("expected") > 0.0)
        .sort("week")
    )
    return weeks["found"].to_numpy().astype(np.float64), weeks["expected"].to_numpy()
