"""The cases of a day's listed parcels: what the history knows, and other parcels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.cases.case import MOST_SHOWN, PARTIES, TRAVELLED_BY, with_cases
from pipelines.cases.others import companions, earlier_parcels
from pipelines.history.inspected import inspected_of
from pipelines.night.case_facts import IN_BURST
from pipelines.scoring.bucket import DayTask, workspace
from pipelines.scoring.day_run import DayRun
from pipelines.store.buckets import scan_at_close
from pipelines.store.files import reading

_MOST_ALIKE = 200
"""Parcels of a day and bucket with one key; more are those of a warehouse or a forwarder."""
_SHOWN = ("waybill_id", "customs_office", "item_name", "total_price", "currency")


@dataclass(frozen=True)
class CompanionTask:
    """One bucket of the day, and the keys of all listed parcels: `declaration_id` and a column each."""

    of: DayTask
    file: Path
    keys: pl.DataFrame


def with_cases_of(
    run: DayRun, listed: pl.DataFrame, facts: pl.DataFrame, findings: pl.DataFrame
) -> pl.DataFrame:
    """The listed parcels with their cases.

    Args:
        run: of the day.
        listed: the parcels.
        facts: those of `pipelines.night.case_facts.case_facts`.
        findings: what the checks of the day found (`pipelines.history.checked.findings_of`).
    """
    seller = pl.when(IN_BURST).then("seller_id").alias("seller_id")
    keys = facts.select("declaration_id", *(f"{name}_id" for name in TRAVELLED_BY))
    tasks = [
        CompanionTask(run.task, file, keys.with_columns(facts.select(seller).to_series()))
        for file in run.files
    ]
    found = run.executor.run(f"parcels that travel together on {run.day}", companions_in, tasks).succeeded
    rows = [part.with_columns(pl.lit(place).alias("_part")) for place, part in enumerate(found)]
    chronicle, day = run.chronicle, run.day
    lookback = chronicle.settings.pipeline.history.result_lookback_days
    inspected = inspected_of(chronicle.store, keys.select(f"{name}_id" for name in PARTIES), day, lookback)
    of_night = {
        "history_day": run.eve_day,
        "complete": not run.troubles.gaps,
        "models": [{"risk": risk, "version": version} for risk, version in sorted(run.versions.items())],
    }
    parts = [
        facts.select("declaration_id", "parties", "prices"),
        earlier_parcels(keys, inspected, chronicle.spec.labels),
        *([companions(pl.concat(rows))] if rows else []),
        findings,
    ]
    return with_cases(listed, parts, of_night)


def companions_in(task: CompanionTask) -> pl.DataFrame:
    """The parcels of a bucket that travel with a listed one: `pipelines.cases.others.companions` says how."""
    space = workspace(task.of)
    schema = space.chronicle.store.declaration_schema()
    columns = [f"{name}_id" for name in TRAVELLED_BY]
    with reading(task.file):
        lines = scan_at_close(space.chronicle.store.layout, task.file, schema)
        parcels = lines.select("declaration_id", *columns).collect()
        pairs = _pairs(task.keys, parcels)
        # Only these are read whole.
        named = pairs["declaration_id"].unique().sort()
        details = (
            lines.select("declaration_id", "line_no", *_SHOWN)
            .filter(pl.col("declaration_id").is_in(named.implode()))
            .collect()
            if named.len()
            else pl.DataFrame(schema={name: schema[name] for name in ("declaration_id", "line_no", *_SHOWN)})
        )
    rate = space.reference.cny_rate(details["currency"])
    of_parcel = (
        details.with_columns((pl.col("total_price") * rate).alias("_cny"))
        .sort("declaration_id", "line_no")
        .group_by("declaration_id", maintain_order=True)
        .agg(
            pl.col("waybill_id", "customs_office", "item_name").drop_nulls().first(),
            pl.len().cast(pl.Int32).alias("lines"),
            pl.when(pl.col("_cny").null_count() == 0).then(pl.col("_cny").sum()).alias("total_cny"),
        )
    )
    return pairs.join(of_parcel, on="declaration_id", how="left", maintain_order="left")


def _pairs(keys: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """`_case`, `declaration_id`, `by` and `_parcels`, no more than are shown of each case."""
    parts = []
    for name in TRAVELLED_BY:
        column = f"{name}_id"
        wanted = keys.select(pl.col("declaration_id").alias("_case"), column).drop_nulls()
        alike = lines.select("declaration_id", column).join(wanted, on=column, how="semi").unique()
        few = alike.group_by(column).len().filter(pl.col("len") <= _MOST_ALIKE)
        met = alike.join(few, on=column, how="semi").join(wanted, on=column, how="inner")
        parts.append(met.select("_case", "declaration_id", pl.lit(name).alias("by")))
    met = pl.concat(parts).filter(pl.col("_case") != pl.col("declaration_id"))
    order: Mapping[str, int] = {name: place for place, name in enumerate(TRAVELLED_BY)}
    return (
        met.with_columns(pl.col("by").replace_strict(order).alias("_place"))
        .sort("_case", "declaration_id", "_place")
        .group_by("_case", "declaration_id", maintain_order=True)
        .agg("by", pl.col("_place").first())
        .sort("_case", "_place", "declaration_id")
        .with_columns(pl.len().over("_case").alias("_parcels"))
        .group_by("_case", maintain_order=True)
        .head(MOST_SHOWN)
        .drop("_place")
    )
