"""Second pass of an ingest for inspection results: merges them into the store's days of report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from features.contract.inspections import INSPECTION_COLUMNS, INSPECTION_KEY
from features.contract.reject_reasons import RejectReason
from pipelines.ingest.accounts import Changes
from pipelines.ingest.merging.derived_results import DerivedResults
from pipelines.ingest.merging.merge import ORIGIN
from pipelines.ingest.merging.result_check import ResultCheck
from pipelines.store.day_table import DayTable
from pipelines.store.journal import Transaction
from pipelines.store.spool import Spool, collected, complete
from pipelines.store.store import Store

RESULT_ORIGIN: Final = ORIGIN | {"_id_hash": pl.UInt64()}
"""What a result's row has beside the contract's columns until the store takes it."""
_TAKEN: Final = ("line_no", "reported_on")


def write_results(
    check: ResultCheck, incoming: Spool, labels: list[str], taken: Spool, derived: DerivedResults
) -> Changes:
    """Merge results into the store of `check`.

    The first with a key stays, a repeat counts once, others are duplicates; what `check` speaks against is
    refused, also where the store holds it already. `incoming` are valid results with `RESULT_ORIGIN`,
    `labels` further label columns that the store and the run know. What the store takes is noted in `taken`
    (`TAKEN_ROWS`). What documents say of inspections, `derived`, joins the rows.
    """
    changes = Changes(taken, outcomes=derived.after.height, contradicted=derived.contradicted)
    schema = INSPECTION_COLUMNS | {name: pl.Boolean() for name in labels}
    checked = check.verdicts(collected(incoming.scan(), schema | RESULT_ORIGIN))
    changes.refused.append(checked.filter(pl.col("reason").is_not_null()).select(*ORIGIN, "reason", "why"))
    good = checked.filter(pl.col("reason").is_null())
    changes.waiting = good["declared_on"].null_count()
    good = good.select(*schema, *RESULT_ORIGIN)
    gone = check.gone()
    parts = {day: part for (day,), part in good.group_by("reported_on")}
    for day in sorted({*parts, *gone["reported_on"], *derived.days}):
        assert isinstance(day, date)
        whole = complete(check.store.read_results(day), schema.items())
        before = derived.taken_out(whole)
        aside = before.join(gone, on=INSPECTION_KEY, how="inner")
        stored = before.join(aside, on=INSPECTION_KEY, how="anti")
        part = parts.get(day, good.clear())
        new = part.sort(*ORIGIN).unique(INSPECTION_KEY, keep="first", maintain_order=True)
        new = new.join(stored, on=INSPECTION_KEY, how="anti")
        later = part.join(new, on=list(ORIGIN), how="anti")
        holds = pl.concat([stored, new.select(*schema)])
        everything = list(schema)
        changes.keep(new)
        changes.take(new.select("_file", "_id_hash", *_TAKEN))
        changes.repeat(later.join(holds, on=everything, how="semi", nulls_equal=True))
        duplicates = later.join(holds, on=everything, how="anti", nulls_equal=True)
        changes.refuse(duplicates, RejectReason.DUPLICATE_KEY)
        changes.rivals.append(duplicates.select(pl.col("_id_hash").alias("declaration"), *_TAKEN))
        changes.aside.append(aside)
        holds = derived.put_in(day, holds)
        if new.height + aside.height or not holds.sort(INSPECTION_KEY).equals(whole.sort(INSPECTION_KEY)):
            changes.days.add(day)
            check.store.write_inspections(check.t, day, holds)
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


def reopen_history(store: Store, t: Transaction, days: Collection[date], most: int) -> date | None:
    """Data for a day that is closed already opens the history again from that day on; returns that day.

    Where the next night would have to fold more than `most` days again, the histories stay until that many a
    night have caught up with them.
    """
    closed = store.days(DayTable.PROFILES)
    late = [day for day in days if closed and day <= closed[-1]]
    if not late:
        return None
    first, pending = min(late), store.out_of_date_from
    if pending is not None and pending <= first:
        return first
    base = max((day for day in closed if day < first), default=date.min)
    known = {*store.declaration_days(), *store.inspection_days(), *late}
    if sum(base < day <= closed[-1] for day in known) > most:
        store.set_out_of_date(t, first)
        return first
    store.invalidate_profiles(t, first)
    if pending is not None:
        store.set_out_of_date(t, None)
    return first
