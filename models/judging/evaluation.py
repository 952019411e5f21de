"""What a model is worth on later lines: figures with intervals, beside baselines, and on novel lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from features.arrays.types import BoolArray, FloatArray, UInt64Array
from models.judging.baselines import baseline_scores, line_keys, slices
from models.judging.groups import line_groups
from models.judging.leakage import Leakage, find_leakage
from models.risk.calibration import calibration_noise, expected_calibration_error
from models.stats.metrics import (
    Areas,
    Estimate,
    bootstrap_weights,
    capacity_lines,
    interval,
    lift_at,
    precision_at,
    ranking,
    recall_at,
)
from models.trees.columns import number_column

MODEL = "model"
_DRAWS = 300
_PARTS_OF_BASELINES = ("all", "no_twin")
_KEPT = ("declaration_id", "line_no", "declared_on")


@dataclass(frozen=True)
class Evaluation:
    """Figures about one risk on one block of later lines.

    `figures` holds estimates by score (`model` or a baseline), slice (`all`, `no_twin`, …) and name.
    `lines` has a row a line: declaration_id, line_no, declared_on, selection where known, found, probability,
    value_cny, the baselines' scores, and the groups of `models.judging.groups`. `examples` are what
    `models.judging.worst_lines` shows of them.
    """

    risk: str
    lines: pl.DataFrame
    figures: Mapping[tuple[str, str, str], Estimate]
    calibration_error: float
    calibration_error_by_chance: float
    leakage: Leakage = field(default_factory=Leakage)
    examples: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def findings(self) -> int:
        """Findings among the lines."""
        return int(self.lines["found"].sum())

    @property
    def period(self) -> tuple[date, date] | None:
        """First and last day of the lines; None without lines."""
        first, last = self.lines["declared_on"].min(), self.lines["declared_on"].max()
        return (first, last) if isinstance(first, date) and isinstance(last, date) else None

    def figure(self, name: str, *, score: str = MODEL, part: str = "all") -> Estimate:
        """An estimate by name, NaN where it could not be computed."""
        return self.figures.get((score, part, name), Estimate(math.nan, math.nan, math.nan, 0))

    def as_metrics(self) -> dict[str, float]:
        """Names and numbers: `average_precision`, `no_twin.auc_low`, `baseline.lookup.precision_at_05`."""
        metrics: dict[str, float] = {"lines": float(self.lines.height), "findings": float(self.findings)}
        for (score, part, name), estimate in self.figures.items():
            prefix = ("" if score == MODEL else f"baseline.{score}.") + ("" if part == "all" else f"{part}.")
            metrics.update(estimate.as_metrics(prefix + name))
        errors = {"calibration_error": self.calibration_error}
        errors["calibration_error_by_chance"] = self.calibration_error_by_chance
        metrics.update({name: value for name, value in errors.items() if math.isfinite(value)})
        return metrics | self.leakage.as_metrics()

    def headline(self) -> dict[str, float]:
        """The part of `as_metrics` that fits on a page.

        Everything about the model on all lines; areas and precision of its slices and of the baselines.
        """
        kept = ("average_precision", "auc", "precision_at", "recovered_tax_at")
        return {
            name: value
            for name, value in self.as_metrics().items()
            if "." not in name
            or (name.rpartition(".")[2].startswith(kept) and not name.endswith("_findings"))
        }


def evaluate(
    risk: str,
    label: str,
    past: pl.DataFrame,
    later: pl.DataFrame,
    probability: FloatArray,
    value_cny: FloatArray,
    *,
    capacities: Sequence[float],
    seed: int,
) -> Evaluation:
    """Evaluate probabilities (lines,) of `later` lines; `past` are those that the model was trained on.

    Every figure of the model is there for all lines and for each slice; baselines are compared on the same
    lines.
    """
    found = later[label].fill_null(False).to_numpy()
    scores = {MODEL: probability, **baseline_scores(past, label, later, seed=seed)}
    days = later["declared_on"].to_physical().to_numpy().astype(np.int64)
    parts = {"all": np.ones(later.height, dtype=bool), **slices(past, later)}
    ties = line_keys(later, seed)
    recovered = _recovered_tax(later, found)
    figures: dict[tuple[str, str, str], Estimate] = {}
    for part, mask in parts.items():
        weights = bootstrap_weights(days[mask], draws=_DRAWS, seed=seed)
        for score, values in scores.items():
            if score != MODEL and part not in _PARTS_OF_BASELINES:
                continue
            named = _figures(values[mask], found[mask], ties[mask], weights, capacities)
            figures.update({(score, part, name): estimate for name, estimate in named.items()})
        if recovered is not None:
            for score, values in {
                MODEL: probability * value_cny,
                "random": scores["random"],
                "price_high": scores["price_high"],
            }.items():
                named = _tax_shares(
                    values[mask], recovered[mask], found[mask], ties[mask], weights, capacities
                )
                figures.update({(score, part, name): estimate for name, estimate in named.items()})
    kept = [name for name in (*_KEPT, "selection") if name in later.columns]
    lines = later.select(kept).with_columns(
        pl.Series("found", found), pl.Series("probability", probability), pl.Series("value_cny", value_cny),
        *(pl.Series(f"baseline_{name}", values) for name, values in scores.items() if name != MODEL),
        *line_groups(past, later),
    )  # fmt: skip
    return Evaluation(
        risk,
        lines,
        figures,
        expected_calibration_error(probability, found),
        calibration_noise(probability, seed=seed),
        find_leakage(past, label, later),
    )


def capacity_suffix(share: float) -> str:
    """The end of a figure's name: `at_05` for 5%, `at_00.5` for half a percent.

    >>> capacity_suffix(0.05), capacity_suffix(0.005), capacity_suffix(0.1)
    ('at_05', 'at_00.5', 'at_10')
    """
    percent = round(share * 100, 6)
    return f"at_{int(percent):02d}" if percent == int(percent) else f"at_{percent:04.1f}"


def _figures(
    score: FloatArray,
    found: BoolArray,
    ties: UInt64Array,
    weights: FloatArray,
    capacities: Sequence[float],
) -> dict[str, Estimate]:
    findings, areas, once = int(found.sum()), Areas.of(score, found), np.ones(len(score))
    estimates = {
        "average_precision": Estimate(
            float(areas.average_precision(once)), *interval(areas.average_precision(weights)), findings
        ),
        "auc": Estimate(float(areas.auc(once)), *interval(areas.auc(weights)), findings),
    }
    ranked = found[ranking(score, ties)]
    for share in capacities:
        drawn, suffix = capacity_lines(share, len(score)), capacity_suffix(share)
        estimates[f"precision_{suffix}"] = precision_at(ranked, drawn)
        estimates[f"recall_{suffix}"] = recall_at(ranked, drawn)
        estimates[f"lift_{suffix}"] = lift_at(ranked, drawn)
    return estimates


def _recovered_tax(later: pl.DataFrame, found: BoolArray) -> FloatArray | None:
    """Tax that the findings brought in, CNY a line; None where no finding has an amount."""
    amount = np.where(found, np.nan_to_num(number_column(later, "recovered_tax_cny")), 0.0)
    return amount if amount.sum() > 0.0 else None


def _tax_shares(
    score: FloatArray,
    recovered: FloatArray,
    found: BoolArray,
    ties: UInt64Array,
    weights: FloatArray,
    capacities: Sequence[float],
) -> dict[str, Estimate]:
    """Share of all recovered tax that the first lines by probability x value bring in."""
    order = ranking(score, ties)
    amount, drawn_weights = recovered[order], weights[:, order]
    total = drawn_weights @ amount
    estimates = {}
    for share in capacities:
        drawn = capacity_lines(share, len(score))
        # In a draw the capacity is that share of the lines drawn, however often each of them was.
        inside = np.cumsum(drawn_weights, axis=1) <= share * drawn_weights.sum(axis=1, keepdims=True) + 0.5
        part = (drawn_weights * inside) @ amount
        draws = np.divide(part, total, out=np.full(len(total), np.nan), where=total > 0)
        value = float(amount[:drawn].sum() / amount.sum()) if amount.sum() > 0 else math.nan
        estimates[f"recovered_tax_{capacity_suffix(share)}"] = Estimate(
            value, *interval(draws), int(found[order][:drawn].sum())
        )
    return estimates
