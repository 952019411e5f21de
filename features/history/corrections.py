"""What messages change of earlier days: lines that no longer hold, and what took their place.

Both change counts and values on the day of the message, with the weight of the day on which the lines were
declared: what was added is taken out as it went in. What a day saw for the first or the last time stays, as
do bitmaps of distinct others and how far prices were from those of their peers, which rest on what was known
on that day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from configs.schema.pipeline import FeaturesConfig
from features.history.day_tables import first_seen
from features.history.keys import KeySpec, key_column, key_specs
from features.history.peers import MEASURES, peer_column, price_bins
from features.history.state import History, forward_weight

SIGN: Final = "_sign"
"""1 for a line that began to hold, -1 for one that no longer does."""
DECLARED: Final = "_declared"
"""The day on which a line was declared."""
_CHANGE: Final = "_change"
_SINCE: Final = ("first_day", "last_day", "year")
# Less than this of what was taken out is what rounding left.
_ROUNDING: Final = 2.0**-24


@dataclass(frozen=True)
class Corrections:
    """What is added to the history's tables, by their keys: columns of `table_schema` or `PRICE_SCHEMA`."""

    parties: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    prices: Mapping[str, pl.DataFrame] = field(default_factory=dict)


NO_CORRECTIONS: Final = Corrections()


def corrections_of(lines: pl.DataFrame, day: date, eve: History, config: FeaturesConfig) -> Corrections:
    """Sum what messages of a day change.

    Args:
        lines: prepared lines with `SIGN` (Int64) and `DECLARED`.
        day: the day.
        eve: the history of its eve, which counts the lines that no longer hold.
        config: keys, half-lives and levels of peers.
    """
    history, days = config.history, lines[DECLARED].unique().sort()
    firsts = {name: first_seen(lines, eve, name) == lines[DECLARED] for name in ("seller", "buyer")}
    signed = lines.with_columns(
        pl.col("_total_fen") * pl.col(SIGN),
        *(firsts[name].fill_null(False).cast(pl.Int64).alias(f"_new_{name}") for name in firsts),
    )
    price_weight = _weights(days, history.landmark, history.price_half_life_days)
    parties = {spec.name: _of_key(signed, spec, day, config) for spec in key_specs(history)}
    since = [pl.lit(day).alias(name) for name in _SINCE[:2]]
    prices = {
        f"{measure}-{level}": _of_sketch(lines, measure, level, price_weight)
        for measure in MEASURES
        for level in config.peers.columns_by_level
    }
    return Corrections(
        {name: rows.with_columns(since) for name, rows in parties.items() if rows.height},
        {name: rows for name, rows in prices.items() if rows.height},
    )


def corrected(table: pl.LazyFrame, changes: pl.DataFrame | None, by: Sequence[str]) -> pl.LazyFrame:
    """Return a table of the history, or some of its keys, with changes added; `by` names its key.

    A key that the history did not know is there since the day of the change.
    """
    if changes is None or changes.is_empty():
        return table
    schema = table.collect_schema()
    joined = table.join(changes.lazy(), on=list(by), how="left", suffix=_CHANGE)
    summed = [name for name in changes.columns if name not in (*by, *_SINCE)]
    columns = [_added(name, schema[name]).alias(name) for name in summed]
    known = joined.with_columns(columns).select(schema.names())
    new = changes.lazy().filter(pl.col(summed[0]) > 0).join(table, on=list(by), how="anti")
    given = [pl.col(name) if name in changes.columns else pl.lit(0).alias(name) for name in schema.names()]
    return pl.concat([known, new.select(given).cast(schema)])


def _added(name: str, dtype: pl.DataType) -> pl.Expr:
    change = pl.col(f"{name}{_CHANGE}")
    total = pl.col(name).fill_null(0) + change
    if dtype.is_float():
        total = pl.when(total.abs() > change.abs() * _ROUNDING).then(total).otherwise(0.0)
    return pl.when(change.is_null()).then(pl.col(name)).otherwise(total)


def _of_key(signed: pl.DataFrame, spec: KeySpec, day: date, config: FeaturesConfig) -> pl.DataFrame:
    """The changes of one key's table."""
    history = config.history
    other = "buyer" if spec.name == "seller" else "seller"
    sums = {"lines": pl.col(SIGN)}
    if spec.party:
        sums |= {"value_fen": pl.col("_total_fen"), "first_timers": pl.col(SIGN) * pl.col(f"_new_{other}")}
    named = signed.select(pl.col(key_column(spec.name)).alias("key"), DECLARED, **sums)
    rows = _by_day(named, ["key"], list(sums))
    if not spec.party:
        return _summed(rows, ["key"])
    days = rows[DECLARED].unique().sort()
    of_year = pl.when(pl.col(DECLARED).dt.year() == day.year).then("value_fen").otherwise(0)
    decayed = [
        (pl.col(name) * weight).alias(f"{name}_{half_life:g}d")
        for half_life in history.activity_half_lives_days
        for weight in (_weights(days, history.landmark, half_life),)
        for name in ("lines", "value_fen")
    ]
    summed = _summed(rows.with_columns(of_year.alias("year_fen"), *decayed), ["key"])
    return summed.with_columns(pl.lit(day.year, pl.Int32).alias("year"))


def _of_sketch(lines: pl.DataFrame, measure: str, level: str, weight: pl.Expr) -> pl.DataFrame:
    """The changes of one sketch of prices."""
    named = lines.select(
        pl.col(peer_column(measure, level)).alias("key"),
        price_bins(measure).alias("bin"),
        DECLARED,
        count=SIGN,
    )
    rows = _by_day(named, ["key", "bin"], ["count"])
    return _summed(rows.with_columns(weight=pl.col("count") * weight), ["key", "bin"])


def _by_day(rows: pl.DataFrame, by: Sequence[str], sums: Sequence[str]) -> pl.DataFrame:
    """Sums of whole numbers by key and day, in this order; what cancels out is left out."""
    known = rows.drop_nulls(list(by)).filter(pl.col("key") != 0)
    grouped = known.group_by(*by, DECLARED).agg(pl.col(sums).sum())
    return grouped.filter(pl.any_horizontal(pl.col(sums) != 0)).sort(*by, DECLARED)


def _summed(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Sums by key of rows in its order, added up from the oldest day on: floats depend on the order."""
    groups = rows.select(pl.struct(by).rle_id()).to_series()
    firsts = rows.filter(groups.is_first_distinct())
    columns = []
    for name in rows.columns:
        if name not in (*by, DECLARED):
            values = rows[name].to_numpy()
            total = np.zeros(firsts.height, dtype=values.dtype)
            np.add.at(total, groups.to_numpy(), values)
            columns.append(pl.Series(name, total))
    return firsts.select(by).with_columns(columns)


def _weights(days: pl.Series, landmark: date, half_life_days: float) -> pl.Expr:
    """The weight of the day of each row."""
    weights = {day: forward_weight(day, landmark, half_life_days) for day in days}
    return pl.col(DECLARED).replace_strict(weights, return_dtype=pl.Float64())
