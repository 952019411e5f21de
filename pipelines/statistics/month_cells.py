"""The published cells of a month, and the tables that they add up to."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import polars as pl

from pipelines.statistics.day_cells import ALL, BY_DIRECTION, DIMENSIONS, SUMS
from pipelines.statistics.kept_sums import MonthSums
from pipelines.statistics.line_values import CELL_KEY
from pipelines.statistics.months import last_day

FIGURES: Final = (
    *("declarations", "lines", "value_cny", "value_usd", "net_weight_kg", "returned_value_cny"),
)
STATISTICS_COLUMNS: Final[dict[str, pl.DataType]] = (
    dict.fromkeys(("month", *CELL_KEY), pl.String())
    | dict.fromkeys(FIGURES[:2], pl.Int64())
    | dict.fromkeys(FIGURES[2:], pl.Float64())
    | {"status": pl.String(), "as_of": pl.Date()}
)
"""The columns of the statistics, a row a cell."""
ENTRY_KEY: Final = ("dimension", "direction", "entry")
PRELIMINARY, FINAL = "preliminary", "final"
_RETURNED: Final = ("returned_lines", "returned_fen")


def status_of(month: date, as_of: date, final_after_days: int) -> str:
    """Return whether a month is final: so many days have passed since its last one.

    >>> [status_of(date(2026, 9, 1), date(2026, 11, day), 60) for day in (29, 30)]
    ['preliminary', 'final']
    """
    is_final = as_of > last_day(month) + timedelta(days=final_after_days)
    return FINAL if is_final else PRELIMINARY


def published_cells(sums: MonthSums, status: str, as_of: date) -> pl.DataFrame:
    """Return a month's cells in `STATISTICS_COLUMNS`, sorted.

    A value or weight that no line of the cell has is null; one that only some have is theirs.
    """
    figures = sums.cells.select(*CELL_KEY, "declarations", *_figures())
    return figures.select(
        pl.lit(f"{sums.month:%Y-%m}").alias("month"),
        *CELL_KEY,
        *FIGURES,
        pl.lit(status).alias("status"),
        pl.lit(as_of, pl.Date).alias("as_of"),
    ).match_to_schema(pl.Schema(STATISTICS_COLUMNS))


def month_tables(sums: MonthSums) -> pl.DataFrame:
    """Return what the cells add up to: `ENTRY_KEY`, `declarations`, `SUMS` and what is returned (fen).

    `dimension` is `all` (one row), `direction`, or a column of `DIMENSIONS`; `entry` is its value.
    """
    added = pl.col(*SUMS, *_RETURNED).sum()
    text = pl.lit(None, pl.String)
    frames = [
        sums.cells.select(text.alias("direction"), text.alias("entry"), added).with_columns(
            dimension=pl.lit(ALL)
        ),
        sums.cells.group_by("direction")
        .agg(added)
        .with_columns(dimension=pl.lit(BY_DIRECTION), entry="direction"),
        *(
            sums.cells.group_by("direction", entry=name).agg(added).with_columns(dimension=pl.lit(name))
            for name in DIMENSIONS
        ),
    ]
    tables = pl.concat([frame.select(*ENTRY_KEY, *SUMS, *_RETURNED) for frame in frames])
    tables = tables.join(sums.declarations, on=ENTRY_KEY, how="left", nulls_equal=True)
    return (
        tables.with_columns(pl.col("declarations").fill_null(0))
        .select(*ENTRY_KEY, "declarations", *SUMS, *_RETURNED)
        .sort(ENTRY_KEY, nulls_last=True)
    )


def in_units(tables: pl.DataFrame) -> pl.DataFrame:
    """Return tables of `month_tables` with `FIGURES` in place of whole fen, cents and milligrams."""
    return tables.select(*ENTRY_KEY, "declarations", *_figures())


def _figures() -> list[pl.Expr]:
    def known(name: str, count: str, decimals: int) -> pl.Expr:
        some = (pl.col(count) > 0) | (pl.col("lines") == 0)
        return pl.when(some).then(_decimal(name, decimals))

    return [
        pl.col("lines"),
        known("value_fen", "valued", 2).alias("value_cny"),
        known("value_cents", "valued_usd", 2).alias("value_usd"),
        known("weight_mg", "weighed", 6).alias("net_weight_kg"),
        _decimal("returned_fen", 2).alias("returned_value_cny"),
    ]


def _decimal(name: str, decimals: int) -> pl.Expr:
    """The double next to so many decimals; a quotient alone is not always that."""
    return (pl.col(name) / 10.0**decimals).round(decimals)
