"""What training and evaluation have in common, and columns that know too much.

An evaluation whose sellers, goods, prices or orders were all trained on shows memory as well as skill. And a
column that alone separates findings from the rest was rather written after the inspection than declared
before it. Both are shown; the second closes the gate until a person has looked.

Source: Kaufman, Rosset, Perlich and Stitelman 2012, "Leakage in Data Mining", ACM TKDD 6(4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from features.arrays.hashing import hash_text
from features.arrays.types import BoolArray, FloatArray
from models.stats.rankings import Areas
from models.trees.columns import block_of

_SHOWN_COLUMNS = 10
_SMOOTHING = 20.0
# What a line may share with one that was trained on, by the columns that have to agree.
_KEYS: dict[str, tuple[str, ...]] = {
    "seller": ("seller_id",),
    "heading": ("goods__hs6",),
    "item name": ("item_key",),
    "exact value": ("unit_price", "total_price"),
    "heading, origin and price": ("goods__hs6", "route__origin", "unit_price"),
    "order": ("order_id",),
    "declaration": ("declaration_id",),
}


@dataclass(frozen=True)
class Overlap:
    """Shares of the evaluation's lines and findings that have a trained line with the same key.

    NaN where there is none to share.
    """

    key: str
    lines: float
    findings: float


@dataclass(frozen=True)
class SingleColumn:
    """How well a column alone ranks the evaluation's findings: area under the ROC curve in its better
    direction, average precision.
    """

    column: str
    auc: float
    average_precision: float


@dataclass(frozen=True)
class Leakage:
    """Overlaps by key, and the columns that rank best alone, the best first."""

    overlaps: tuple[Overlap, ...] = ()
    columns: tuple[SingleColumn, ...] = ()

    def suspects(self, auc: float) -> tuple[SingleColumn, ...]:
        """Columns above a limit; none above 1."""
        return tuple(column for column in self.columns if column.auc > auc)

    def of_lines(self) -> Leakage:
        """What can be said without findings: what the lines share."""
        return Leakage(tuple(replace(overlap, findings=math.nan) for overlap in self.overlaps))

    def as_metrics(self) -> dict[str, float]:
        """`overlap.seller`, `overlap.seller_findings`, …, and `best_single_column_auc`."""
        metrics: dict[str, float] = {}
        for overlap in self.overlaps:
            name = "overlap." + overlap.key.replace(", ", "_").replace(" ", "_")
            metrics |= {name: overlap.lines, f"{name}_findings": overlap.findings}
        if self.columns:
            metrics["best_single_column_auc"] = self.columns[0].auc
        return {name: value for name, value in metrics.items() if np.isfinite(value)}


def find_leakage(past: pl.DataFrame, label: str, later: pl.DataFrame) -> Leakage:
    """Compare `later` lines with the `past` ones that a model was trained on.

    Keys whose columns are missing are left out; a line without a value of a key shares it with nobody. A text
    column ranks by the past hit rate of its values, smoothed.
    """
    found = later[label].fill_null(False).to_numpy()
    overlaps = tuple(
        _overlap(name, _key(past, columns), _key(later, columns), found)
        for name, columns in _KEYS.items()
        if {*columns} <= {*past.columns} & {*later.columns}
    )
    if not found.any() or found.all():
        return Leakage(overlaps)
    single = [
        _single(name, _values(past, label, later, name), found)
        for name in later.columns
        if block_of(name) is not None and name in past.columns
    ]
    ranked = sorted(single, key=lambda column: (-column.auc, column.column))
    return Leakage(overlaps, tuple(ranked[:_SHOWN_COLUMNS]))


def _key(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.Series:
    """A hash a line, null where one of the columns is null."""
    parts = pl.concat_str([pl.col(name).cast(pl.String) for name in columns], separator="\x1f")
    return hash_text(frame.select(parts.alias("key")).to_series())


def _overlap(name: str, past: pl.Series, later: pl.Series, found: BoolArray) -> Overlap:
    shared = later.is_in(past.drop_nulls().unique().implode()).fill_null(False).to_numpy()
    return Overlap(
        name,
        float(shared.mean()) if len(shared) else float("nan"),
        float(shared[found].mean()) if found.any() else float("nan"),
    )


def _values(past: pl.DataFrame, label: str, later: pl.DataFrame, name: str) -> FloatArray:
    if later.schema[name] != pl.String:
        return later[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    hits = past[label].cast(pl.Float64)
    base = float(hits.fill_null(0.0).mean() or 0.0)  # type: ignore[arg-type]
    rates = (
        pl.DataFrame({"value": past[name], "found": hits})
        .drop_nulls()
        .group_by("value")
        .agg(((pl.col("found").sum() + _SMOOTHING * base) / (pl.len() + _SMOOTHING)).alias("rate"))
    )
    joined = pl.DataFrame({"value": later[name]}).join(rates, on="value", how="left", maintain_order="left")
    return joined["rate"].fill_null(base).to_numpy()


def _single(name: str, values: FloatArray, found: BoolArray) -> SingleColumn:
    once = np.ones(len(values))
    up, down = (Areas.of(score, found) for score in (values, -values))
    best = max((up, down), key=lambda areas: float(areas.auc(once)))
    return SingleColumn(name, float(best.auc(once)), float(best.average_precision(once)))
