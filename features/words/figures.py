"""Figures as a finding shows them: amounts with two decimals, quantities without empty ones."""

from __future__ import annotations

import polars as pl

_DECIMALS = 5


def ready_for_words(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows in one piece: Polars 2.1 panics where words are put around a column of several pieces of
    which the first is empty, as a filter may leave it.
    """
    return rows.rechunk()


def figure(value: pl.Expr) -> pl.Expr:
    """Return a number as text, to five decimals and without a decimal part that is 0.

    >>> pl.DataFrame({"n": [2.0, 0.125, 1 / 3]}).select(figure(pl.col("n"))).to_series().to_list()
    ['2', '0.125', '0.33333']
    """
    # Adding 0 takes the sign off -0.
    return (value.cast(pl.Float64).round(_DECIMALS) + 0.0).cast(pl.String).str.strip_suffix(".0")


def amount_of(value: pl.Expr) -> pl.Expr:
    """Return an amount as text with two decimals; with more only where it has them.

    >>> pl.DataFrame({"n": [190.5, 1 / 3, -0.5]}).select(amount_of(pl.col("n"))).to_series().to_list()
    ['190.50', '0.33333', '-0.50']
    """
    cents = value.cast(pl.Float64) * 100
    whole = cents.round().cast(pl.Int64, strict=False)
    sign = pl.when(whole < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    parts = (whole.abs() // 100).cast(pl.String), (whole.abs() % 100).cast(pl.String).str.zfill(2)
    text = pl.concat_str([sign, parts[0], pl.lit("."), parts[1]])
    return pl.when((cents - whole).abs() < 1e-6 * (1 + cents.abs())).then(text).otherwise(figure(value))


def money(value: pl.Expr, currency: pl.Expr) -> pl.Expr:
    """Return an amount as text with its currency, or alone where that is not known.

    >>> paid = pl.DataFrame({"paid": [190.5, 20.0], "currency": ["CNY", None]})
    >>> paid.select(money(pl.col("paid"), pl.col("currency"))).to_series().to_list()
    ['CNY 190.50', '20.00']
    """
    return pl.concat_str([currency, amount_of(value)], separator=" ", ignore_nulls=True)


def china_minute(moment: pl.Expr) -> pl.Expr:
    """Return a moment as text, in China's time to the minute.

    >>> from datetime import UTC, datetime
    >>> frame = pl.DataFrame({"at": [datetime(2026, 11, 20, 17, 30, tzinfo=UTC)]})
    >>> frame.select(china_minute(pl.col("at"))).item()
    '2026-11-21 01:30'
    """
    return moment.dt.convert_time_zone("Asia/Shanghai").dt.strftime("%Y-%m-%d %H:%M")


def listed(*texts: pl.Expr) -> pl.Expr:
    """Return those texts that are there, one behind the other; empty where none is.

    >>> frame = pl.DataFrame({"a": ["x", None], "b": ["y", "z"]})
    >>> frame.select(listed(pl.col("a"), pl.col("b"))).to_series().to_list()
    ['x; y', 'z']
    """
    return pl.concat_str(texts, separator="; ", ignore_nulls=True)
