"""How often an inspection examines a line for a risk at all, by heading.

A laboratory tests food, not toys: lines of other headings are inspected, but never get a food result, and a
model that only saw tested lines knows nothing about them. A probability means "an inspection would record
this finding", and that is the chance that the line is examined for the risk times the chance of a finding
among lines that are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from features.arrays.types import FloatArray

# Inspections that the share of the next shorter heading weighs as much as.
_SMOOTHING = 10.0
_COLUMN = "hs_code"


@dataclass(frozen=True)
class ExaminedShare:
    """The share of inspected lines that were examined: over all, and by heading of 2 and 4 digits.

    >>> share = ExaminedShare(0.5, {"95": 0.1})
    >>> share(pl.DataFrame({"hs_code": ["950300", "190110", None]})).tolist()
    [0.1, 0.5, 0.5]
    """

    overall: float = 1.0
    by_heading: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def fit(cls, lines: pl.DataFrame, label: str) -> ExaminedShare:
        """From inspected lines whose results are in: `label` is null where the line was not examined.

        Shares of a heading are smoothed towards those of its chapter, and of the chapter towards the share of
        all. Where every line was examined, or the frame has no `hs_code`, there is one share.
        """
        if lines.is_empty() or not lines[label].null_count():
            return cls()
        overall = 1.0 - lines[label].null_count() / lines.height
        if _COLUMN not in lines.columns:
            return cls(overall)
        shares: dict[str, float] = {}
        for digits in (2, 4):
            counted = (
                lines.filter(pl.col(_COLUMN).is_not_null())
                .group_by(pl.col(_COLUMN).str.slice(0, digits).alias("heading"))
                .agg(pl.len().alias("inspected"), pl.col(label).count().alias("examined"))
                .sort("heading")
            )
            for heading, inspected, examined in counted.iter_rows():
                prior = shares.get(heading[:2], overall)
                shares[heading] = (examined + _SMOOTHING * prior) / (inspected + _SMOOTHING)
        return cls(overall, shares)

    def __call__(self, frame: pl.DataFrame) -> FloatArray:
        """The share for each line (lines,)."""
        if not self.by_heading or _COLUMN not in frame.columns:
            return np.full(frame.height, self.overall)
        known, values = list(self.by_heading), list(self.by_heading.values())
        code = pl.col(_COLUMN).cast(pl.String)
        shares = [
            code.str.slice(0, digits).replace_strict(known, values, default=None, return_dtype=pl.Float64)
            for digits in (4, 2)
        ]
        return frame.select(pl.coalesce(*shares, pl.lit(self.overall))).to_series().to_numpy()

    def as_dict(self) -> dict[str, Any]:
        """The shares as JSON can hold them."""
        return {"overall": self.overall, "by_heading": dict(self.by_heading)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> ExaminedShare:
        """The shares that `as_dict` wrote."""
        return cls(
            float(stored["overall"]), {name: float(share) for name, share in stored["by_heading"].items()}
        )
