"""What inspections say, as it became known: the value of a label on a day, and its change by day.

A line may be reported several times (the laboratory answers after the visual check). Per label the latest
value that is not null counts, from the day after it was reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from features.contract.declarations import LINE_KEY
from features.history.keys import KeySpec, key_column


def increments(inspections: pl.DataFrame, labels: Sequence[str]) -> pl.DataFrame:
    """One row a report, ordered by line and day, with the change that it makes to the counts.

    Adds per label `inspected__<label>` (1 where this is the line's first value) and `findings__<label>` (+1,
    0 or -1 against what was known before). Labels that the frame lacks count nothing.
    """
    ordered = inspections.sort(*LINE_KEY, "reported_on")
    columns = []
    for label in labels:
        if label not in ordered.columns:
            columns += [pl.lit(0, pl.Int64).alias(f"{kind}__{label}") for kind in ("inspected", "findings")]
            continue
        known = pl.col(label).forward_fill().over(*LINE_KEY)
        earlier = known.shift(1).over(*LINE_KEY)
        finding = known.cast(pl.Int64).fill_null(0)
        columns += [
            (known.is_not_null() & earlier.is_null()).cast(pl.Int64).alias(f"inspected__{label}"),
            (finding - earlier.cast(pl.Int64).fill_null(0)).alias(f"findings__{label}"),
        ]
    return ordered.with_columns(columns)


def known_labels(inspections: pl.DataFrame, until: date) -> pl.DataFrame:
    """One row a line with the latest non-null value of every column among the reports up to and including
    `until`.

    `reported_on` becomes the day of the first report, `inspected_on` the first inspection. Per label,
    `reported_on__<label>` is the day on which the value that counts was reported, null where there is none.
    """
    known = inspections.filter(pl.col("reported_on") <= until).sort(*LINE_KEY, "reported_on")
    values = [name for name in known.columns if name not in (*LINE_KEY, "inspected_on", "reported_on")]
    labels = [name for name in values if known.schema[name] == pl.Boolean]
    return (
        known.group_by(*LINE_KEY, maintain_order=True)
        .agg(
            pl.col("inspected_on").min(),
            pl.col("reported_on").min(),
            *(
                pl.col("reported_on").filter(pl.col(name).is_not_null()).last().alias(f"reported_on__{name}")
                for name in labels
            ),
            *(pl.col(name).drop_nulls().last() for name in values),
        )
        .sort(*LINE_KEY)
    )


def with_results_of(lines: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """The lines that have results, one row a result, in the order of the lines: in nights and trainings.

    A result counts for a line that was declared when it was inspected: lines have `declared_on`, results
    `inspected_on`.
    """
    joined = lines.join(results, on=LINE_KEY, how="inner", maintain_order="left")
    return joined.filter(pl.col("inspected_on") >= pl.col("declared_on"))


def result_tables(
    reports: pl.DataFrame, specs: Sequence[KeySpec], labels: Sequence[str]
) -> dict[str, pl.DataFrame]:
    """Sums by key of the `increments` of `reports`, which `features.history.keys.with_keys` has keyed."""
    sums = [f"{kind}__{label}" for label in labels for kind in ("inspected", "findings")]
    plans = [
        reports.lazy()
        .filter(pl.col(key_column(spec.name)).is_not_null())
        .group_by(pl.col(key_column(spec.name)).alias("key"))
        .agg(pl.col(name).sum() for name in sums)
        for spec in specs
    ]
    return dict(zip((spec.name for spec in specs), pl.collect_all(plans), strict=True))
