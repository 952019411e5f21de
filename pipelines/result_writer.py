"""Second pass of an ingest for inspection results: merges them into the store's days of report."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from features.inspections import INSPECTION_COLUMNS
from pipelines.changes import Changes
from pipelines.journal import Transaction
from pipelines.line_spool import LineSpool, contains
from pipelines.spool import Spool, complete
from pipelines.store import Store

KEY: Final = ["declaration_id", "line_no", "reported_on"]
_ORIGIN: Final = ["_file", "_source_row"]


def write_results(store: Store, t: Transaction, incoming: Spool, labels: list[str]) -> Changes:
    """Merge results into the store. The first with a key stays, a repeat counts once, others are duplicates.

    Args:
        store: locked by the caller.
        t: the transaction that carries the change.
        incoming: valid results with ``_file`` and ``_source_row``.
        labels: further label columns that the store and the run know.
    """
    changes = Changes()
    rows = incoming.scan()
    if rows is None:
        return changes
    schema = INSPECTION_COLUMNS | {name: pl.Boolean() for name in labels}
    origin = {"_file": pl.Int32(), "_source_row": pl.Int64()}
    incoming_rows = complete(rows.collect(), (schema | origin).items())
    for (day,), part in incoming_rows.group_by("reported_on"):
        assert isinstance(day, date)
        stored = complete(store.read_results(day), schema.items())
        new = part.sort(_ORIGIN).unique(KEY, keep="first", maintain_order=True)
        new = new.join(stored, on=KEY, how="anti")
        later = part.join(new, on=_ORIGIN, how="anti")
        holds = pl.concat([stored, new.select(*schema)])
        everything = list(schema)
        repeats = later.join(holds, on=everything, how="semi", nulls_equal=True)
        changes.count(new, repeats)
        changes.duplicates.append(
            later.join(holds, on=everything, how="anti", nulls_equal=True).select(_ORIGIN)
        )
        if new.height:
            changes.days.add(day)
            store.write_inspections(t, day, holds)
    return changes


def unknown_declarations(store: Store, incoming: Spool, declarations: LineSpool) -> int:
    """How many results of this run are about declarations that neither the store nor the run has."""
    rows = incoming.scan()
    if rows is None:
        return 0
    left = rows.select("_id_hash", "declaration_id").collect()
    left = left.filter(pl.Series(~contains(declarations.ids(), left["_id_hash"].to_numpy())))
    for day in store.declaration_days():
        for file in store.declaration_files(day):
            if left.is_empty():
                return 0
            ids = store.read_declaration_files([file], ["declaration_id"])["declaration_id"]
            left = left.filter(~pl.col("declaration_id").is_in(ids.implode()))
    return left.height
