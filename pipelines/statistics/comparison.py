"""A month beside others: the month before, that month of last year, and the year so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import polars as pl

from pipelines.statistics.day_cells import ALL, BY_DIRECTION
from pipelines.statistics.month_cells import ENTRY_KEY, FIGURES, in_units
from pipelines.statistics.months import months_between, months_later

MONTHS_SHOWN: Final = 13
"""Months of the pictures: the month, and those before it down to the same month of last year."""
PERIODS: Final = ("before", "year_ago", "year", "year_before")
COMPARED: Final = ("value_cny", "value_usd", "returned_value_cny")
_SMALLEST: Final = 0.005


def periods_of(month: date) -> dict[str, list[date]]:
    """Return the months of each of `PERIODS`: before, a year ago, this year so far, and last year's same."""
    year = months_between(month.replace(month=1), month)
    return {
        "before": [months_later(month, -1)],
        "year_ago": [months_later(month, -12)],
        "year": year,
        "year_before": [months_later(each, -12) for each in year],
    }


def months_needed(month: date) -> list[date]:
    """Return all months that a comparison or a picture of a month looks at, oldest first."""
    shown = months_between(months_later(month, 1 - MONTHS_SHOWN), month)
    return sorted({month, *shown, *(each for months in periods_of(month).values() for each in months)})


def compared(month: date, tables: Mapping[date, pl.DataFrame]) -> pl.DataFrame:
    """Return each entry of a month's tables with what it was in other periods.

    Columns are `ENTRY_KEY`, the month's figures, `net_value_cny`, `COMPARED` of each of `PERIODS` with that
    as ending, and `change` and `year_change` of the value on the year before, as shares. An entry that a
    period lacks has 0 there. A period of which the store lacks a month is not known; the year so far is that
    of the months that there are.

    Args:
        month: the month.
        tables: of months with declarations or returns, those of `month_tables`.
    """
    periods = {"": [month]} | periods_of(month)
    used = [tables[each] for months in periods.values() for each in months if each in tables]
    result = pl.concat([table.select(ENTRY_KEY) for table in used]).unique()
    for period, months in periods.items():
        there = [tables[each] for each in months if each in tables]
        is_known = len(there) == len(months) or (period == "year" and bool(there))
        result = _beside(result, there if is_known else [], period)
    value, ago = pl.col("value_cny"), pl.col("value_cny_year_ago")
    year, last_year = pl.col("value_cny_year"), pl.col("value_cny_year_before")
    return result.with_columns(
        _hundredths(value - pl.col("returned_value_cny")).alias("net_value_cny"),
        _hundredths(year - pl.col("returned_value_cny_year")).alias("net_value_cny_year"),
        _change(value, ago).alias("change"),
        _change(year, last_year).alias("year_change"),
    ).sort(ENTRY_KEY, nulls_last=True)


def _beside(entries: pl.DataFrame, there: Sequence[pl.DataFrame], period: str) -> pl.DataFrame:
    """The entries with their figures of a period: null where no table of it is there, 0 where it has none."""
    names = {name: f"{name}_{period}" for name in COMPARED} if period else {name: name for name in FIGURES}
    if not there:
        return entries.with_columns(pl.lit(None, pl.Float64).alias(name) for name in names.values())
    added = pl.concat(there).group_by(ENTRY_KEY).agg(pl.exclude(ENTRY_KEY).sum())
    figures = in_units(added).select(*ENTRY_KEY, *names).rename(names).with_columns(_is_there=True)
    both = entries.join(figures, on=ENTRY_KEY, how="left", nulls_equal=True)
    return both.with_columns(
        pl.when(pl.col("_is_there")).then(pl.col(name)).otherwise(0).alias(name) for name in names.values()
    ).drop("_is_there")


def _hundredths(value: pl.Expr) -> pl.Expr:
    return value.round(2)


def _change(now: pl.Expr, then: pl.Expr) -> pl.Expr:
    return pl.when(then >= _SMALLEST).then(now / then - 1.0)


def by_month(months: Sequence[date], tables: Mapping[date, pl.DataFrame]) -> pl.DataFrame:
    """Return the value of each direction and of all (`dimension`) in some months, as the store has them."""
    frames = [
        in_units(tables[month].filter(pl.col("dimension").is_in([ALL, BY_DIRECTION]))).select(
            pl.lit(f"{month:%Y-%m}").alias("month"), *ENTRY_KEY, *COMPARED, "declarations", "lines"
        )
        for month in months
        if month in tables
    ]
    return pl.concat(frames)
