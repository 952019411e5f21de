"""What the store knows of the lists of some days: which came back, and what the inspections found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from features.contract.declarations import LINE_KEY
from models.estimates.office_figures import INSPECTED_PARCEL_COLUMNS
from models.estimates.parcel_table import UNASSIGNED
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
_DECLARED = ("declaration_id", "declared_on", "customs_office")
_LIST = ["declared_on", "customs_office", "shift"]


def list_returns(store: Store, first: date, last: date, office: str | None) -> pl.DataFrame:
    """The lists of a range of days (both inclusive), one a day, office and shift: `LIST_COLUMNS`.

    Where lists were issued again, the one of which most came back counts, of equals the newest.
    """
    frames = [pl.DataFrame(schema=LIST_COLUMNS)]
    for day in _within(issued_days(store), first, last):
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


def inspected_parcels(store: Store, first: date, last: date, office: str | None) -> pl.DataFrame:
    """The inspected parcels of a range of days (both inclusive): `INSPECTED_PARCEL_COLUMNS`.

    Of a line each column counts with its latest value that is not null; the channel is that of the parcel's
    first report that names one.
    """
    lines = store.read_inspections(reported_from=first).sort("reported_on", *LINE_KEY)
    labels = [name for name, dtype in lines.schema.items() if dtype == pl.Boolean()]
    results = lines.group_by(*LINE_KEY).agg(
        pl.col([*labels, "recovered_tax_cny"]).drop_nulls().last(),
        pl.col("selection").drop_nulls().first(),
        pl.col("reported_on").min().alias("first_report"),
        pl.col("reported_on").filter(pl.any_horizontal(pl.col(labels).is_not_null())).min().alias("known_on"),
    )
    parcels = (
        results.sort("first_report", "line_no")
        .group_by("declaration_id")
        .agg(
            pl.col("selection").drop_nulls().first(),
            pl.any_horizontal(pl.col(labels).is_not_null().any()).alias("examined"),
            pl.any_horizontal(pl.col(labels).any()).fill_null(False).alias("found"),
            pl.col("recovered_tax_cny").sort().sum(),
            pl.col("known_on").min(),
        )
    )
    declared = _offices(store, parcels["declaration_id"], _within(store.declaration_days(), first, last))
    known = declared.join(parcels, on="declaration_id", how="inner").with_columns(
        pl.col("declared_on").dt.truncate("1w").alias("week"),
        (pl.col("known_on") - pl.col("declared_on")).dt.total_days().alias("delay_days"),
    )
    if office is not None:
        known = known.filter(pl.col("customs_office") == office)
    return known.select(pl.col(name).cast(dtype) for name, dtype in INSPECTED_PARCEL_COLUMNS.items()).sort(
        "declared_on", "declaration_id"
    )


def _offices(store: Store, parcels: pl.Series, days: Iterable[date]) -> pl.DataFrame:
    """Day and office of the parcels among those declared on some days."""
    wanted = parcels.implode()
    frames = [pl.DataFrame(schema={name: INSPECTED_PARCEL_COLUMNS[name] for name in _DECLARED})]
    for day in days:
        lines = store.scan_declarations(day, day).select(*_DECLARED)
        rows = lines.filter(pl.col("declaration_id").is_in(wanted)).collect().sort("declaration_id")
        frames.append(
            rows.group_by("declaration_id", "declared_on", maintain_order=True).agg(
                pl.col("customs_office").drop_nulls().min().fill_null(UNASSIGNED)
            )
        )
    # A declaration that came again on another day counts on the newest.
    return pl.concat(frames).unique("declaration_id", keep="last", maintain_order=True)


def _within(days: Iterable[date], first: date, last: date) -> list[date]:
    return [day for day in days if first <= day <= last]
