"""The lists of some days, and which of them came back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.feedback.log import read_log
from pipelines.feedback.rows import CONFLICT, REJECTED
from pipelines.lists.issued import issued_days, issued_lists
from pipelines.store.store import Store

LIST_COLUMNS: dict[str, pl.DataType] = {
    "declared_on": pl.Date(),
    "customs_office": pl.String(),
    "shift": pl.String(),
    "list_id": pl.String(),
    "parcels": pl.Int64(),
    "returned": pl.Int64(),
    "in_conflict": pl.Int64(),
    "rejected": pl.Int64(),
}
"""A list of an office and day, or shift: its parcels, those of them that came back, and returned rows that
were left in conflict or rejected."""
_LIST = ["declared_on", "customs_office", "shift"]


def list_returns(store: Store, first: date, last: date, office: str | None) -> pl.DataFrame:
    """The lists of a range of days (both inclusive), one a day, office and shift: `LIST_COLUMNS`.

    Where lists were issued again, the one of which most came back counts, of equals the newest.
    """
    frames = [pl.DataFrame(schema=LIST_COLUMNS)]
    for day in within(issued_days(store), first, last):
        lists = issued_lists(store, day)
        if office is not None:
            lists = lists.filter(pl.col("customs_office") == office)
        log = read_log(store, day)
        back = (
            log.filter(pl.col("outcome") != REJECTED)
            .group_by("list_id")
            .agg(pl.col("declaration_id").n_unique().cast(pl.Int64).alias("returned"))
        )
        # A conflict ends when the row is given again with --corrections, or as it was before.
        newest = log.group_by("list_id", "declaration_id").agg(pl.col("outcome").last())
        open_rows = newest.group_by("list_id").agg(
            (pl.col("outcome") == CONFLICT).sum().cast(pl.Int64).alias("in_conflict"),
            (pl.col("outcome") == REJECTED).sum().cast(pl.Int64).alias("rejected"),
        )
        counted = lists.group_by(*_LIST, "list_id", "issue").agg(pl.len().cast(pl.Int64).alias("parcels"))
        counted = counted.join(back, on="list_id", how="left").join(open_rows, on="list_id", how="left")
        counted = counted.with_columns(pl.col("returned", "in_conflict", "rejected").fill_null(0))
        counted = counted.sort(*_LIST, "returned", "issue", descending=[*[False] * 3, True, True])
        frames.append(counted.unique(_LIST, keep="first", maintain_order=True).select(*LIST_COLUMNS))
    return pl.concat(frames).sort(_LIST)


def within(days: Iterable[date], first: date, last: date) -> list[date]:
    """Those of the days that lie in a range, both ends included."""
    return [day for day in days if first <= day <= last]
