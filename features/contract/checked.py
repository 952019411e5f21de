"""What a contract check hands back: rows that keep, rows that do not, and values that became null."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from features.contract.reject_reasons import RejectReason

_NULLS = {"not_nullable": RejectReason.MISSING}
_PASSES = "passes"


@dataclass(frozen=True)
class Validated:
    """Rows of one frame, told apart by the contract.

    Attributes:
        kept: rows with the contract's columns and types; invalid values of optional columns are null.
        kept_rows: UInt32, for each kept row its number in the input (from 0).
        rejected: `row` (UInt32, number in the input) and `reasons` (list of `column:kind`, sorted).
        nulled: how many values of kept rows became null, by `column:kind`.
    """

    kept: pl.DataFrame
    kept_rows: pl.Series
    rejected: pl.DataFrame
    nulled: dict[str, int] = field(default_factory=dict)


def column_check(reason: RejectReason, passes: Callable[[pl.Expr], pl.Expr]) -> pa.Check:
    """A vectorised check of one column. Null passes: `nullable` says whether a value must be there."""

    def run(data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(passes(pl.col(data.key)).fill_null(True))

    return pa.Check(run, name=reason.value, error=reason.value, statistics={_PASSES: passes})


def apply_contract(frame: pl.DataFrame, schema: pa.DataFrameSchema, required: Collection[str]) -> Validated:
    """Check a frame whose columns have the contract's types, with markers for what could not be converted.

    Args:
        frame: columns of `schema` in its order.
        schema: pandera schema whose checks are named by `RejectReason`.
        required: columns in which an invalid value rejects the row; elsewhere the value becomes null.

    Raises:
        SchemaErrors: a column is missing or has another type: a fault of the program, not of the data.
    """
    rows = pl.int_range(frame.height, dtype=pl.UInt32, eager=True).alias("row")
    suspects = _suspects(frame, schema)
    if not suspects:
        return Validated(frame, rows, _no_rejects())
    try:
        # A DataFrame, not a LazyFrame: of the latter pandera looks at the schema only.
        schema.select_columns(suspects).validate(frame, lazy=True)
    except SchemaErrors as errors:
        failures = errors.failure_cases
        if failures["index"].null_count():
            raise
        return _split(frame, rows, failures, required)
    return Validated(frame, rows, _no_rejects())


def _suspects(frame: pl.DataFrame, schema: pa.DataFrameSchema) -> list[str]:
    """Columns in which a check fails, found by all checks in one query: pandera copies the column for each.

    A column that has another type than the schema's is left to pandera too.
    """
    passes, suspects = [], []
    for name, column in schema.columns.items():
        if frame.schema[name] != column.dtype.type:
            suspects.append(name)
            continue
        value = pl.col(name)
        checks = [check.statistics[_PASSES](value).fill_null(True).all() for check in column.checks]
        if not column.nullable:
            checks.append(value.is_not_null().all())
        passes.append(pl.all_horizontal(checks).alias(name))
    outcome = frame.select(passes).row(0, named=True)
    return [name for name in schema.columns if name in suspects or not outcome[name]]


def _split(
    frame: pl.DataFrame, rows: pl.Series, failures: pl.DataFrame, required: Collection[str]
) -> Validated:
    faults = failures.select(
        pl.col("index").cast(pl.UInt32).alias("row"),
        "column",
        pl.col("check").replace(_NULLS).alias("kind"),
    ).unique(maintain_order=True)
    # To pandera NaN is null too, so a value that is no number is also called missing.
    alone = pl.len().over("row", "column") == 1
    faults = faults.filter((pl.col("kind") != RejectReason.MISSING) | alone)
    fatal = pl.col("column").is_in(list(required))
    rejected = (
        faults.filter(fatal)
        .with_columns(pl.format("{}:{}", "column", "kind").alias("reasons"))
        .group_by("row")
        .agg(pl.col("reasons").sort())
        .sort("row")
    )
    keeps = ~rows.is_in(rejected["row"].implode())
    # A value counts once, under the first check that it failed.
    values = faults.filter(~fatal).unique(["row", "column"], keep="first", maintain_order=True)
    for (column,), part in values.group_by("column"):
        name = str(column)
        frame = frame.with_columns(frame[name].scatter(part["row"], None))
    counted = values.filter(~pl.col("row").is_in(rejected["row"].implode())).group_by("column", "kind").len()
    nulled = {f"{column}:{kind}": count for column, kind, count in sorted(counted.iter_rows())}
    return Validated(frame.filter(keeps), rows.filter(keeps), rejected, nulled)


def _no_rejects() -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.UInt32(), "reasons": pl.List(pl.String())})
