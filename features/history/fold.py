"""History as a fold over days: `after = fold(before, day's lines, results and corrections of that day)`.

Night adds one step, training replays the steps, so a feature means the same in both and nothing can look
ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from configs.schema.pipeline import HistoryConfig
from features.history.corrections import NO_CORRECTIONS, Corrections, corrected
from features.history.day_tables import UNION_COLUMNS, DayTables
from features.history.keys import KeySpec, key_specs
from features.history.peers import add_prices
from features.history.state import History, forward_weight, table_schema


@dataclass(frozen=True)
class FoldStep:
    """One day of the fold, and what the history counts: labels, half-lives."""

    day: date
    labels: Sequence[str]
    config: HistoryConfig


def fold(
    before: History,
    day: date,
    lines: DayTables,
    results: Mapping[str, pl.DataFrame],
    config: HistoryConfig,
    corrections: Corrections = NO_CORRECTIONS,
) -> History:
    """Return the history at the close of `day`.

    Args:
        before: the history at the close of an earlier day; days without lines and results may be left out.
        day: the day to add.
        lines: the day's sums by key.
        results: the sums by key of what was reported that day (`features.history.results.result_tables`).
        config: keys and half-lives.
        corrections: what messages of that day change of earlier ones.

    Raises:
        ValueError: `day` is not after `before.as_of`.
    """
    if before.as_of is not None and day <= before.as_of:
        raise ValueError(f"days are folded in order: {day} does not come after {before.as_of}")
    specs, step = key_specs(config), FoldStep(day, before.labels, config)
    plans = {
        spec.name: fold_table(
            spec,
            stored.lazy(),
            lines.parties.get(spec.name),
            results.get(spec.name),
            step,
            corrections.parties.get(spec.name),
        )
        for spec in specs
        # Of a column that a source lacks nothing is ever counted: its keys cost a short day most of its time.
        if _any_rows(stored := before.tables[spec.name], lines.parties.get(spec.name), results.get(spec.name))
    }
    tables = {**before.tables, **dict(zip(plans, pl.collect_all(list(plans.values())), strict=True))}
    weight = forward_weight(day, config.landmark, config.price_half_life_days)
    sketches = {
        name: fold_sketch(stored.lazy(), counted, weight, changes)
        for name, stored in before.prices.items()
        for counted, changes in ((lines.prices.get(name), corrections.prices.get(name)),)
        if _any_rows(counted, changes)
    }
    prices = {**before.prices, **dict(zip(sketches, pl.collect_all(list(sketches.values())), strict=True))}
    return History(day, before.labels, "", tables, prices)


def fold_table(
    spec: KeySpec,
    stored: pl.LazyFrame,
    sums: pl.DataFrame | None,
    results: pl.DataFrame | None,
    step: FoldStep,
    changes: pl.DataFrame | None = None,
) -> pl.LazyFrame:
    """Return the history table of one key, or of some of its values, at the close of the day.

    A row depends on the rows of its key alone, so a table may be folded in pieces.

    Args:
        spec: the key.
        stored: its table at the close of the eve.
        sums: the day's sums, None where there are no lines.
        results: sums of what was reported that day, None where nothing was.
        step: the day, and what the history counts.
        changes: what messages of the day change of earlier ones.
    """
    day, labels, config = step.day, step.labels, step.config
    schema = table_schema(spec, config, labels)
    rows = [_this_year(stored, day) if spec.party else stored]
    if sums is not None:
        rows.append(_complete(_activity_rows(sums, spec, day, config), schema))
    if results is not None:
        rows.append(_complete(_result_rows(results, labels, day, config), schema))
    return corrected(_merge(rows, schema), changes, ["key"])


def fold_sketch(
    stored: pl.LazyFrame, sums: pl.DataFrame | None, weight: float, changes: pl.DataFrame | None = None
) -> pl.LazyFrame:
    """Return a sketch of prices, or some of its keys, at the close of a day of the given weight.

    Args:
        stored: the sketch at the close of the eve.
        sums: the day's counts, None where there are no lines.
        weight: the forward-decay weight of the day.
        changes: what messages of the day change of earlier ones.
    """
    counted = stored if sums is None else add_prices(stored, sums, weight)
    if changes is None or changes.is_empty():
        return counted
    return corrected(counted, changes, ["key", "bin"]).filter(pl.col("count") != 0)


def _any_rows(*tables: pl.DataFrame | None) -> bool:
    return any(table is not None and not table.is_empty() for table in tables)


def _this_year(table: pl.LazyFrame, day: date) -> pl.LazyFrame:
    return table.with_columns(
        pl.when(pl.col("year") == day.year).then(pl.col("year_fen")).otherwise(0).alias("year_fen"),
        pl.lit(day.year, dtype=pl.Int32).alias("year"),
    )


def _activity_rows(sums: pl.DataFrame, spec: KeySpec, day: date, config: HistoryConfig) -> pl.LazyFrame:
    columns = [pl.lit(day).alias("first_day"), pl.lit(day).alias("last_day")]
    if spec.party:
        for half_life in config.activity_half_lives_days:
            weight = forward_weight(day, config.landmark, half_life)
            columns += [
                (pl.col("lines") * weight).alias(f"lines_{half_life:g}d"),
                (pl.col("value_fen") * weight).alias(f"value_fen_{half_life:g}d"),
            ]
        weight = forward_weight(day, config.landmark, config.price_half_life_days)
        columns += [(pl.col(name) * weight).alias(f"{name}_decayed") for name in ("priced", "price_milli")]
        columns += [pl.lit(day.year, dtype=pl.Int32).alias("year"), pl.col("value_fen").alias("year_fen")]
    return sums.lazy().with_columns(columns)


def _result_rows(sums: pl.DataFrame, labels: Sequence[str], day: date, config: HistoryConfig) -> pl.LazyFrame:
    weight = forward_weight(day, config.landmark, config.result_half_life_days)
    return sums.lazy().with_columns(
        expression
        for label in labels
        for expression in (
            (pl.col(f"inspected__{label}") * weight).alias(f"inspected_decayed__{label}"),
            (pl.col(f"findings__{label}") * weight).alias(f"findings_decayed__{label}"),
        )
    )


def _complete(frame: pl.LazyFrame, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    known = frame.collect_schema().names()
    return frame.select(
        pl.col(name).cast(dtype) if name in known else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in schema.items()
    )


def _merged(column: str) -> pl.Expr:
    values = pl.col(column)
    if column == "first_day":
        return values.min()
    if column in ("last_day", "year"):
        return values.max()
    return values.fill_null(0).bitwise_or() if column in UNION_COLUMNS else values.sum()


def _merge(frames: Sequence[pl.LazyFrame], schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    if len(frames) == 1:
        return frames[0]
    columns = [_merged(column) for column in schema if column != "key"]
    return pl.concat(frames).group_by("key").agg(columns).select(*schema)
