"""Other parcels in the case of a listed one: earlier ones of its parties, and those that travel with it."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from pipelines.cases.case import COMPANION_TYPE, EARLIER_TYPE, MOST_SHOWN, PARTIES, TRAVELLED_BY

_CLEAN_SHOWN = 4
_PLACES = {name: place for place, name in enumerate(TRAVELLED_BY)}


def earlier_parcels(keys: pl.DataFrame, inspected: pl.DataFrame, labels: Iterable[str]) -> pl.DataFrame:
    """A row a parcel of `keys`: `declaration_id`, `earlier` and `earlier_parcels`.

    `keys` has `declaration_id` and the columns of `PARTIES`; `inspected` reports with those columns. Parcels
    with a finding come first, those of buyer and address before the seller's, then the newest; of those
    without one a few will do.
    """
    labels = [name for name in labels if name in inspected.columns]
    told = _one_row_a_parcel(inspected, labels)
    pairs = [
        keys.select(pl.col("declaration_id").alias("_case"), column)
        .drop_nulls()
        .join(told.with_columns(pl.lit(party).alias("by")), on=column, how="inner")
        .select("_case", "by", *told.columns)
        for party in PARTIES
        for column in (f"{party}_id",)
    ]
    found = (
        pl.concat(pairs)
        .filter((pl.col("_case") != pl.col("declaration_id")) & (pl.col("examined").list.len() > 0))
        .group_by("_case", "declaration_id", maintain_order=True)
        .agg("by", pl.exclude("by").first())
        .with_columns(pl.col("found").list.len().eq(0).alias("_clean"), _closest().alias("_place"))
        .sort(
            *("_case", "_clean", "_place", "declared_on", "declaration_id"),
            descending=[False, False, False, True, False],
        )
    )
    counts = found.group_by("_case").agg(pl.len().cast(pl.Int32).alias("earlier_parcels"))
    shown = found.filter(~pl.col("_clean") | (pl.int_range(pl.len()).over("_case", "_clean") < _CLEAN_SHOWN))
    return _nested(shown, EARLIER_TYPE, "earlier", counts)


def _one_row_a_parcel(inspected: pl.DataFrame, labels: list[str]) -> pl.DataFrame:
    """The line of each parcel that has a finding, else the first, with what became known of all lines."""
    latest = (
        inspected.sort("declaration_id", "line_no", "reported_on")
        .group_by("declaration_id", "line_no", maintain_order=True)
        .agg(
            pl.col("reported_on").max(),
            pl.exclude("reported_on").drop_nulls().last(),
        )
    )
    named = [pl.when(pl.col(label)).then(pl.lit(label)) for label in labels]
    seen = [pl.when(pl.col(label).is_not_null()).then(pl.lit(label)) for label in labels]
    nothing = pl.lit(None, pl.List(pl.String))
    marked = latest.with_columns(
        (pl.concat_list(named).list.drop_nulls() if labels else nothing).alias("found"),
        (pl.concat_list(seen).list.drop_nulls() if labels else nothing).alias("examined"),
    )
    of_parcel = marked.group_by("declaration_id").agg(
        pl.col(name).explode(empty_as_null=False).unique().sort().alias(name)
        for name in ("found", "examined")
    )
    first = marked.sort("declaration_id", pl.col("found").list.len() == 0, "line_no").unique(
        "declaration_id", keep="first", maintain_order=True
    )
    return first.drop("found", "examined").join(of_parcel, on="declaration_id", maintain_order="left")


def companions(found: pl.DataFrame) -> pl.DataFrame:
    """A row a parcel: `declaration_id`, `companions` and `companion_parcels`.

    `found` has the columns of `COMPANION_TYPE` beside `_case`, the listed parcel, and `_parcels`, how many of
    the part it came in travel with it; parts hold no more than `MOST_SHOWN` of each.
    """
    ordered = found.sort("_case", _closest(), "declaration_id")
    of_part = found.group_by("_case", "_part").agg(pl.col("_parcels").first())
    counts = of_part.group_by("_case").agg(pl.col("_parcels").sum().cast(pl.Int32).alias("companion_parcels"))
    return _nested(ordered, COMPANION_TYPE, "companions", counts)


def _closest() -> pl.Expr:
    """The place in `TRAVELLED_BY` of the closest of what two parcels have in common."""
    return pl.col("by").list.eval(pl.element().replace_strict(_PLACES)).list.min()


def _nested(rows: pl.DataFrame, kind: pl.Struct, name: str, counts: pl.DataFrame) -> pl.DataFrame:
    fields = [pl.col(field.name).cast(field.dtype) for field in kind.fields]
    nested = rows.group_by("_case", maintain_order=True).agg(pl.struct(fields).head(MOST_SHOWN).alias(name))
    return nested.join(counts, on="_case", maintain_order="left").rename({"_case": "declaration_id"})
