"""Bounds of numbers: what no declaration, no inspector and no office can mean, whatever it deals in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from configs.errors import ConfigurationError
from configs.reference.facts import load_table

# Declarations of before are out of range anyway.
_ALWAYS = date(1990, 1, 1)
_ANY_OTHER = "*"
"""The name under which columns are bounded that have no bounds of their own."""


@dataclass(frozen=True)
class Bound:
    """What the numbers of a column may be from a day on: 0, or something from `least` to `most`.

    The sign does not count: whether a number may be negative is the contract's to say.
    """

    column: str
    least: float
    most: float
    valid_from: date


@dataclass(frozen=True)
class Bounds:
    """The bounds of all columns; a column's holds until a later one of the same column."""

    rows: tuple[Bound, ...] = ()

    def of(self, column: str) -> list[Bound]:
        """The bounds of a column, oldest first; none where its numbers have no bounds."""
        own = [bound for bound in self.rows if bound.column == column]
        rows = own or [bound for bound in self.rows if bound.column == _ANY_OTHER]
        return sorted(rows, key=lambda bound: bound.valid_from)

    def within(self, column: str, value: pl.Expr, day: pl.Expr) -> pl.Expr:
        """Whether the numbers of a column are within the bounds of their day; what is no number passes."""
        passes: pl.Expr = value.is_null() | True
        for number, bound in enumerate(self.of(column)):
            size = value.abs()
            inside = size.is_between(bound.least, bound.most) | (size == 0.0)
            if number or bound.valid_from > _ALWAYS:
                # Before the first bound there is none; on a day that is not known the first holds.
                holds = day >= bound.valid_from
                inside = pl.when(holds if number else holds.fill_null(True)).then(inside).otherwise(passes)
            passes = inside
        return passes | ~value.is_finite()

    def beyond(self, column: str, numbers: pl.Series, days: pl.Series | date) -> pl.Series:
        """Whether each number is beyond the bounds that its column has on its day; null is not.

        >>> bounds = Bounds((Bound("total_price", 1e-6, 1e12, date(1900, 1, 1)),))
        >>> bounds.beyond("total_price", pl.Series([0.0, 9.5, 1e27, None]), date(2026, 11, 20)).to_list()
        [False, False, True, False]
        """
        day = pl.lit(days) if isinstance(days, date) else pl.col("day")
        frame = pl.DataFrame(
            [numbers.alias("value"), *([] if isinstance(days, date) else [days.alias("day")])]
        )
        return frame.select(~self.within(column, pl.col("value"), day).fill_null(True)).to_series()

    def described(self, column: str) -> str:
        """The bounds of a column in words, as a message says what was expected; empty where it has none.

        >>> Bounds((Bound("total_price", 1e-6, 1e12, date(1900, 1, 1)),)).described("total_price")
        '0, or from 1e-06 to 1e+12'
        """
        rows = self.of(column)
        several = len(rows) > 1
        texts = [
            f"from {bound.least:g} to {bound.most:g}" + (f" since {bound.valid_from}" if several else "")
            for bound in rows
        ]
        return f"0, or {', '.join(texts)}" if texts else ""


def load_bounds(overlay: Path | None = None) -> Bounds:
    """The bounds of `reference/bounds.csv`.

    Raises:
        ConfigurationError: the file or a cell is not as expected.

    >>> load_bounds().beyond("freight", pl.Series([12.0, 2.0e27]), date(2026, 11, 20)).to_list()
    [False, True]
    """
    table = load_table("bounds", overlay)
    reverse = table.filter(pl.col("least") > pl.col("most"))
    if reverse.height:
        column, least, most = reverse.select("column", "least", "most").row(0)
        raise ConfigurationError(
            f"bounds.csv: expected `least` of {column!r} to be below `most`; came {least:g} and {most:g}"
        )
    rows = table.select("column", "least", "most", "valid_from").iter_rows()
    return Bounds(tuple(Bound(*row) for row in rows))
