"""What is due on the lines of a day, as the store keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from features.check import CheckedDay

ASSESSMENT_COLUMNS: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "regime": pl.String(),
    **{name: pl.Float64() for name in ("duty_rate", "consumption_rate", "vat_rate", "share", "tax_cny")},
    "exempt": pl.Boolean(),
    "basis": pl.String(),
}
"""An assessment of a line; `tax_cny` is the tax before an exemption, and a rate that is not known is null."""
_MAY_BE_UNKNOWN: Final = ("duty_rate", "consumption_rate", "vat_rate", "tax_cny", "exempt")


@dataclass(frozen=True)
class Assessments:
    """What is due on some lines.

    Attributes:
        rows: in `ASSESSMENT_COLUMNS`, sorted by key.
        ended: how many lines have none, because a table of what decides has ended.
    """

    rows: pl.DataFrame
    ended: int

    @property
    def regimes(self) -> Mapping[str, int]:
        """How many lines there are by regime."""
        return dict(self.rows.group_by("regime").len().sort("regime").iter_rows())

    @property
    def unknown(self) -> Mapping[str, int]:
        """How many lines have a null, by column."""
        counts = self.rows.select(pl.col(_MAY_BE_UNKNOWN).null_count()).row(0, named=True)
        return {name: count for name, count in counts.items() if count}


def assess_lines(day: CheckedDay) -> Assessments:
    """Return what is due on the lines of a day."""
    known = day.assessed.filter("is_known")
    rows = known.select(pl.col(name).cast(dtype) for name, dtype in ASSESSMENT_COLUMNS.items())
    return Assessments(rows, day.assessed.height - known.height)


def all_assessments(parts: list[Assessments]) -> Assessments:
    """Return the assessments of several parts of a day together."""
    rows = pl.concat([pl.DataFrame(schema=ASSESSMENT_COLUMNS), *(part.rows for part in parts)])
    return Assessments(rows.sort("declaration_id", "line_no"), sum(part.ended for part in parts))
