"""Our score, the reference's and the bound's on the same lines, as figures that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from benchmarks.judging.bound import KIND
from benchmarks.judging.reference_model import ReferenceScores
from benchmarks.shared import figures as f
from configs.schema.risk import RiskConfig, TaxShortfallValue
from features.arrays.hashing import hash_text
from features.arrays.types import FloatArray, UInt64Array

OURS, RELEASED, REFERENCE, BOUND = "ours", "released", "reference", "bound"
_NOTHING = [math.nan] * 3


@dataclass(frozen=True)
class Scored:
    """Scores of the later lines by whose they are, (lines,) each; `tax` is what each expects in CNY."""

    risk: RiskConfig
    probability: FloatArray
    scores: Mapping[str, FloatArray]
    tax: Mapping[str, FloatArray]

    @classmethod
    def of(
        cls, risk: RiskConfig, later: pl.DataFrame, reference: ReferenceScores, bound: FloatArray | None
    ) -> Scored:
        """From the night's columns of `later`; `bound` is None where none was fitted. A risk without a model
        scores every line alike.

        Tax is ranked by probability x expected tax: the value of a finding without the sum that the service
        sets on the finding itself. The bound takes it from our model: only its probabilities know the truth.
        """
        ours, value = _of_night(risk, later)
        scores = {OURS: ours, REFERENCE: reference.probability}
        tax = {OURS: ours * value, REFERENCE: reference.expected_tax_cny}
        if f"released_probability__{risk.name}" in later.columns:
            scores[RELEASED], value_of_released = _of_night(risk, later, "released_")
            tax[RELEASED] = scores[RELEASED] * value_of_released
        if bound is not None:
            scores[BOUND] = bound
            tax[BOUND] = value / (1.0 + np.exp(-bound))
        return cls(risk, ours, scores, tax)


def _of_night(risk: RiskConfig, later: pl.DataFrame, whose: str = "") -> tuple[FloatArray, FloatArray]:
    """Probability of a finding and the tax that it would bring, of each line."""
    probability, value = (
        later[f"{whose}{kind}__{risk.name}"].fill_null(0.0).to_numpy() for kind in ("probability", "value")
    )
    if isinstance(risk.finding_value, TaxShortfallValue):
        value = np.maximum(value - risk.finding_value.floor_cny, 0.0)
    return probability, value


def compared(scored: Scored, later: pl.DataFrame, *, seed: int, level: f.Level) -> dict[str, Any]:
    """All figures of a risk on all later lines, each as [figure, low, high]; `level` is how sure the mean
    probability of our model is.
    """
    found = later[scored.risk.label].to_numpy()
    draws = f.Draws.of(later["seller_id"], later["declaration_id"], seed)
    ties = hash_text(later["declaration_id"] + "/" + later["line_no"].cast(pl.String)).to_numpy()
    statistics: dict[str, f.Statistic] = {}
    for whose, values in scored.scores.items():
        statistics[f"average_precision/{whose}"] = f.average_precision(values, found)
        statistics[f"auc/{whose}"] = f.auc(values, found)
        statistics[f"precision_at_top/{whose}"] = f.precision_at_top(values, found, ties)
    drawn = f.figures(draws, statistics)
    done: dict[str, Any] = {"findings": int(found.sum()), "share": float(found.mean())}
    for kind in ("average_precision", "auc", "precision_at_top"):
        done[kind] = _by_score(drawn, kind)
    done["ratios"] = _ratios(drawn, "average_precision")
    recorded = later[f"recorded__{scored.risk.label}"].to_numpy()
    done["calibration"] = f.calibration(scored.probability, recorded, draws, seed, level)
    done["mechanisms"] = _mechanisms(scored, later, ties)
    if isinstance(scored.risk.finding_value, TaxShortfallValue):
        of_parcels = _tax_of_parcels(scored, later, seed)
        done["tax"] = {"lines": _tax(scored, later, draws, ties), "parcels": of_parcels}
    return done


def _mechanisms(scored: Scored, later: pl.DataFrame, ties: UInt64Array) -> dict[str, dict[str, float]]:
    """By what was really done: findings, and the share of them in the top 1% of all lines by each score."""
    top = math.ceil(f.TOP * later.height)
    first = {whose: np.lexsort((ties, -values))[:top] for whose, values in scored.scores.items()}
    found = later.with_row_index("place").filter(pl.col(scored.risk.label)).with_columns(KIND)
    done: dict[str, dict[str, float]] = {}
    for (mechanism,), lines in found.group_by("mechanism", maintain_order=True):
        places = lines["place"].to_numpy()
        shares = {whose: float(np.isin(places, listed).mean()) for whose, listed in first.items()}
        done[str(mechanism)] = {"findings": float(lines.height), **shares}
    return dict(sorted(done.items()))


def _by_score(drawn: Mapping[str, FloatArray], kind: str) -> dict[str, list[float]]:
    """A figure of every score; NaN where a world has no bound."""
    return {
        whose: f.figure(drawn[f"{kind}/{whose}"]).as_list() if f"{kind}/{whose}" in drawn else _NOTHING
        for whose in (OURS, RELEASED, REFERENCE, BOUND)
    }


def _ratios(drawn: Mapping[str, FloatArray], kind: str) -> dict[str, list[float]]:
    def ratio(above: str, below: str) -> list[float]:
        names = [f"{kind}/{whose}" for whose in (above, below)]
        return f.ratio(*(drawn[name] for name in names)).as_list() if set(names) <= set(drawn) else _NOTHING

    pairs = ((OURS, REFERENCE), (OURS, RELEASED), (RELEASED, REFERENCE), (OURS, BOUND), (REFERENCE, BOUND))
    return {f"{above} over {below}": ratio(above, below) for above, below in pairs}


def _tax(scored: Scored, later: pl.DataFrame, draws: f.Draws, ties: UInt64Array) -> dict[str, Any]:
    """Share of all tax shortfall in the top 1% by expected tax."""
    shortfall = later["tax_shortfall_cny"].fill_null(0.0).to_numpy()
    drawn = f.figures(
        draws, {f"tax/{whose}": f.sum_at_top(values, shortfall, ties) for whose, values in scored.tax.items()}
    )
    return {"cny": float(shortfall.sum()), **_by_score(drawn, "tax"), "ratios": _ratios(drawn, "tax")}


def _tax_of_parcels(scored: Scored, later: pl.DataFrame, seed: int) -> dict[str, Any]:
    """The same for parcels, whose expected tax is that of their lines."""
    lines = later.select(
        "declaration_id",
        "seller_id",
        "tax_shortfall_cny",
        *(pl.Series(f"tax__{whose}", values) for whose, values in scored.tax.items()),
    )
    parcels = lines.group_by("declaration_id", maintain_order=True).agg(
        pl.col("seller_id").drop_nulls().first(),
        pl.col("tax_shortfall_cny").sum(),
        *(pl.col(f"tax__{whose}").sum() for whose in scored.tax),
    )
    by_parcel = {whose: parcels[f"tax__{whose}"].to_numpy() for whose in scored.tax}
    whole = Scored(scored.risk, scored.probability, scored.scores, by_parcel)
    draws = f.Draws.of(parcels["seller_id"], parcels["declaration_id"], seed)
    return _tax(whole, parcels, draws, hash_text(parcels["declaration_id"]).to_numpy())
