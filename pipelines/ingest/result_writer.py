"""Second pass of an ingest for inspection results: merges them into the store's days of report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from features.contract.inspections import INSPECTION_COLUMNS, INSPECTION_KEY
from pipelines.ingest.accounts import Changes
from pipelines.ingest.line_spool import LineSpool, contains
from pipelines.ingest.merge import ORIGIN
from pipelines.store.journal import Transaction
from pipelines.store.layout import DayTable
from pipelines.store.spool import Spool, complete
from pipelines.store.store import Store


def write_results(store: Store, t: Transaction, incoming: Spool, labels: list[str], taken: Spool) -> Changes:
    """Merge results into the store, which the caller has locked.

    The first with a key stays, a repeat counts once, others are duplicates. `incoming` are valid results with
    `_file`, `_source_row` and `_id_hash`; `labels` further label columns that the store and the run know.
    What the store takes is noted in `taken` (`TAKEN_ROWS`).
    """
    changes = Changes(taken)
    rows = incoming.scan()
    if rows is None:
        return changes
    schema = INSPECTION_COLUMNS | {name: pl.Boolean() for name in labels}
    incoming_rows = complete(rows.collect(), (schema | ORIGIN | {"_id_hash": pl.UInt64()}).items())
    for (day,), part in incoming_rows.group_by("reported_on"):
        assert isinstance(day, date)
        stored = complete(store.read_results(day), schema.items())
        new = part.sort(*ORIGIN).unique(INSPECTION_KEY, keep="first", maintain_order=True)
        new = new.join(stored, on=INSPECTION_KEY, how="anti")
        later = part.join(new, on=list(ORIGIN), how="anti")
        holds = pl.concat([stored, new.select(*schema)])
        everything = list(schema)
        repeats = later.join(holds, on=everything, how="semi", nulls_equal=True)
        changes.keep(new)
        changes.take(new.select("_file", "_id_hash", "line_no", "reported_on"))
        changes.repeat(repeats)
        changes.duplicates.append(
            later.join(holds, on=everything, how="anti", nulls_equal=True).select(*ORIGIN)
        )
        if new.height:
            changes.days.add(day)
            store.write_inspections(t, day, holds)
    return changes


@dataclass(frozen=True)
class Withdrawn:
    """What a correction takes back: `columns` of a line in what was reported on `days`; None: the row."""

    declaration_id: str
    line_no: int
    days: frozenset[date]
    columns: tuple[str, ...] | None


def merge_results(
    store: Store,
    t: Transaction,
    rows: pl.DataFrame,
    labels: Sequence[str],
    withdrawn: Sequence[Withdrawn] = (),
) -> set[date]:
    """Merge results into rows that were reported on the same day; returns the days that changed.

    A value counts before a stored one, null before none. The channel of a row comes with its probability;
    that of an override gives way to another one. A row without a channel only changes a stored one. `rows`
    are valid results, each key once; `labels` further label columns that the store knows; what is
    `withdrawn` is taken out of what is stored before the rows are merged into it.
    """
    schema = INSPECTION_COLUMNS | {name: pl.Boolean() for name in labels}
    new_rows = complete(rows, schema.items())
    days = {*new_rows["reported_on"].to_list(), *(day for each in withdrawn for day in each.days)}
    changed = set()
    for day in sorted(days):
        stored = complete(store.read_results(day), schema.items()).sort(INSPECTION_KEY)
        left = _without(stored, [each for each in withdrawn if day in each.days])
        both = left.join(
            new_rows.filter(pl.col("reported_on") == day),
            on=INSPECTION_KEY,
            how="full",
            suffix="_new",
            coalesce=True,
        )
        later = pl.col("selection_new").is_not_null() & (
            (pl.col("selection_new") != "override") | pl.col("selection").is_null()
        )
        channel = [
            pl.when(later).then(pl.col(f"{name}_new")).otherwise(pl.col(name)).alias(name)
            for name in ("selection", "inspection_probability")
        ]
        values = [
            pl.coalesce(f"{name}_new", name).alias(name)
            for name in schema
            if name not in (*INSPECTION_KEY, "selection", "inspection_probability")
        ]
        both = both.filter(pl.col("selection_new").is_not_null() | pl.col("inspected_on").is_not_null())
        holds = both.select(*INSPECTION_KEY, *channel, *values).select(*schema).sort(INSPECTION_KEY)
        if not holds.equals(stored):
            changed.add(day)
            store.write_inspections(t, day, holds)
    return changed


def _without(stored: pl.DataFrame, withdrawn: Sequence[Withdrawn]) -> pl.DataFrame:
    for each in withdrawn:
        of_line = (pl.col("declaration_id") == each.declaration_id) & (pl.col("line_no") == each.line_no)
        if each.columns is None:
            stored = stored.filter(~of_line)
        else:
            stored = stored.with_columns(
                pl.when(of_line).then(None).otherwise(pl.col(name)).alias(name) for name in each.columns
            )
    return stored


def reopen_history(store: Store, t: Transaction, days: Collection[date]) -> date | None:
    """Data for a day that is closed already opens the history again from that day on; returns that day."""
    closed = store.days(DayTable.PROFILES)
    late = [day for day in days if closed and day <= closed[-1]]
    if not late:
        return None
    store.invalidate_profiles(t, min(late))
    return min(late)


def unknown_declarations(store: Store, incoming: Spool, declarations: LineSpool) -> int:
    """How many results of this run are about declarations that neither the store nor the run has."""
    rows = incoming.scan()
    if rows is None:
        return 0
    left = rows.select("_id_hash", "declaration_id").collect()
    left = left.filter(pl.Series(~contains(declarations.ids(), left["_id_hash"].to_numpy())))
    for day in store.declaration_days():
        for file in store.layout.buckets(day):
            if left.is_empty():
                return 0
            ids = store.read_declaration_files([file], ["declaration_id"])["declaration_id"]
            left = left.filter(~pl.col("declaration_id").is_in(ids.implode()))
    return left.height
