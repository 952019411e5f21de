"""Hit rates of the lines that a model learns from, out of the results of all other days.

A hit rate as of a line's day knows what was reported before it: early lines know next to nothing, and a model
that learns from them trusts hit rates less than it may once months of results stand behind them. Where
results take weeks and findings are few that is most of what there is to learn. So, while learning, a line
gets its rates from the results of all days but those around its own, whose lines share its lots, earlier and
later ones alike; a line to be scored has none that are later, and gets those of the history as ever.

Sources: Micci-Barreca 2001, "A Preprocessing Scheme for High-Cardinality Categorical Attributes";
Chernozhukov et al. 2018, "Double/debiased machine learning" (cross-fitting: what a line is shown rests on
other lines).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from configs.schema.pipeline import HitRatesConfig, PipelineConfig
from configs.schema.risk import RiskConfig
from features.arrays.types import BoolArray, FloatArray, IntArray
from features.history.hit_rates import PRIOR_RATE
from features.history.keys import KeySpec, key_column, key_specs
from features.history.prior_strength import RateMoments, strengths
from features.history.view import masked

# Results of lines declared at most so many days before or after a line are not shown to it: with its own day
# alone left out the model learns from the line's own lot (docs/decisions.md, 26).
APART_DAYS = 3


@dataclass(frozen=True)
class RateKeys:
    """The keys whose hit rates stand in a frame, and how the history smooths and forgets."""

    specs: tuple[KeySpec, ...]
    smoothing: HitRatesConfig
    half_life_days: float

    @classmethod
    def of(cls, config: PipelineConfig) -> RateKeys:
        """Those of a configuration."""
        return cls(key_specs(config.history), config.hit_rates, config.history.result_half_life_days)


def cross_fitted(lines: pl.DataFrame, risk: RiskConfig, keys: RateKeys | None) -> pl.DataFrame:
    """The lines with hit rates and their counts from the results of other days, where the risk asks for it.

    `lines` are what is learned from, all with a label: `declared_on` (Date), the label (Boolean), and for
    each key of a rate column the hash `_key_<name>` (UInt64, null where a part is missing). Columns of keys
    without such a hash stay as they are.

    Raises ValueError where the risk asks for it and nobody says what the keys are.
    """
    if not risk.cross_fitted_rates or not risk.uses_block("hit_rate"):
        return lines
    if keys is None:
        raise ValueError(f"risk '{risk.name}' has cross_fitted_rates: the keys of its hit rates are needed")
    day = lines["declared_on"].to_physical().to_numpy().astype(np.int64)
    found = lines[risk.label].to_numpy().astype(np.float64)
    rates: dict[str | None, FloatArray] = {None: np.full(lines.height, PRIOR_RATE)}
    columns: list[pl.Series] = []
    hashed = [spec for spec in keys.specs if not spec.columns or key_column(spec.name) in lines.columns]
    grouped = {spec.name: _key(lines, spec) for spec in hashed}
    moments = {name: _moments(*key, found) for name, key in grouped.items()}
    strength = strengths(hashed, moments, keys.smoothing)
    # Each key stands after the one it backs off to.
    for spec in hashed:
        if spec.backoff not in rates:
            continue
        key, known = grouped[spec.name]
        decayed, counted = _of_other_days(key, day, found, (keys.half_life_days, math.inf))
        inspected, findings = (np.where(known, values, 0.0) for values in decayed)
        pull = strength[spec.name]
        rate = (findings + pull * rates[spec.backoff]) / (inspected + pull)
        rates[spec.name] = rate
        columns += _columns(spec, rate, *counted, known)
    return lines.with_columns(column for column in columns if column.name in lines.columns)


def _key(lines: pl.DataFrame, spec: KeySpec) -> tuple[IntArray, BoolArray]:
    """A number for each value of the key (lines,), and whether a line has one."""
    if not spec.columns:
        return np.zeros(lines.height, dtype=np.int64), np.ones(lines.height, dtype=bool)
    hashes = lines[key_column(spec.name)]
    _, group = np.unique(hashes.fill_null(0).to_numpy(), return_inverse=True)
    return group.astype(np.int64), hashes.is_not_null().to_numpy()


def _moments(group: IntArray, known: BoolArray, found: FloatArray) -> RateMoments:
    """How the values of a key differ, from all lines that are learned from."""
    inspected = np.bincount(group[known])
    return RateMoments.of(inspected, np.bincount(group[known], weights=found[known]).astype(np.int64))


def _columns(
    spec: KeySpec, rate: FloatArray, inspected: FloatArray, findings: FloatArray, known: BoolArray
) -> list[pl.Series]:
    """The columns of the block `hit_rate` for a key: as there, a rate that rests on nothing is null."""
    name = f"hit_rate__{spec.name}"
    return [
        masked(f"{name}_rate", rate, known & (inspected > 0)),
        masked(f"{name}_inspected", inspected, known),
        masked(f"{name}_findings", findings, known),
    ]


def _of_other_days(
    group: IntArray, day: IntArray, found: FloatArray, half_lives_days: Sequence[float]
) -> list[tuple[FloatArray, FloatArray]]:
    """By half-life, per line: the lines of its group more than `APART_DAYS` before or after it, and the
    findings among them, (lines,) each; those further away count less.
    """
    first, span = day.min(), int(day.max() - day.min()) + 1
    # One number orders lines by group, then by day.
    stride = span + 2 * APART_DAYS + 2
    begin = group * stride
    place = begin + APART_DAYS + 1 + (day - first)
    order = np.argsort(place, kind="stable")
    ordered = place[order]
    starts, ends = np.searchsorted(ordered, begin), np.searchsorted(ordered, begin + stride)
    before = np.searchsorted(ordered, place - APART_DAYS, side="left")
    after = np.searchsorted(ordered, place + APART_DAYS, side="right")

    def summed(values: FloatArray, half_life: float) -> FloatArray:
        total = np.zeros(len(found))
        for sign, low, high in ((1.0, starts, before), (-1.0, after, ends)):
            weight = np.exp2((day - first) * (sign / half_life))
            running = np.concatenate([[0.0], np.cumsum((values * weight)[order])])
            # Sums of tiny weights may differ by less than nothing.
            total += np.where(high > low, np.maximum(running[high] - running[low], 0.0) / weight, 0.0)
        return total

    one = np.ones(len(found))
    return [(summed(one, half_life), summed(found, half_life)) for half_life in half_lives_days]
