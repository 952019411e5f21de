"""The case of a listed parcel: what was known of it when its list was issued, beside its row.

It is kept with the issued list. A list that is issued again shows the case as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import polars as pl

CASE = "case"
"""The column with a parcel's case."""
PARTIES = ("seller", "buyer", "address")
TRAVELLED_BY = ("waybill", "order", *PARTIES[1:], PARTIES[0])
"""By what parcels travel together, the closest first: each names a column with `_id` behind it."""
MOST_SHOWN = 12
"""Of earlier parcels as of those that travel together; the others are counted."""
_TEXT, _DAY, _WHOLE, _NUMBER = pl.String(), pl.Date(), pl.Int64(), pl.Float64()
PARTY_TYPE = pl.Struct(
    {
        "party": _TEXT,
        "lines": _WHOLE,
        "first_day": _DAY,
        "last_day": _DAY,
        "value_cny": _NUMBER,
        "lines_today": _WHOLE,
        "usual_lines": _NUMBER,
        "results": pl.List(pl.Struct({"label": _TEXT, "inspected": _WHOLE, "findings": _WHOLE})),
    }
)
"""What a party declared before the day and on it, and the results of its lines by label."""
PRICE_TYPE = pl.Struct(
    {
        "line_no": pl.Int32(),
        "level": _TEXT,
        "lines": _WHOLE,
        "first_day": _DAY,
        "last_day": _DAY,
        "low": _NUMBER,
        "median": _NUMBER,
        "high": _NUMBER,
        "unit_price_cny": _NUMBER,
    }
)
"""What was declared before, CNY a unit, for goods that are the same by one of `PeersConfig.goods_levels`."""
EARLIER_TYPE = pl.Struct(
    {
        "declaration_id": _TEXT,
        "line_no": pl.Int32(),
        "declared_on": _DAY,
        "by": pl.List(_TEXT),
        "item_name": _TEXT,
        "unit_price": _NUMBER,
        "currency": _TEXT,
        "reported_on": _DAY,
        "examined": pl.List(_TEXT),
        "found": pl.List(_TEXT),
        "assessed_unit_price": _NUMBER,
        "recovered_tax_cny": _NUMBER,
        "found_item": _TEXT,
        "found_how": _TEXT,
    }
)
"""An earlier inspected parcel, and the line of it that tells most."""
COMPANION_TYPE = pl.Struct(
    {
        "declaration_id": _TEXT,
        "waybill_id": _TEXT,
        "customs_office": _TEXT,
        "by": pl.List(_TEXT),
        "item_name": _TEXT,
        "lines": pl.Int32(),
        "total_cny": _NUMBER,
    }
)
"""A parcel of the day that travels with the listed one, and by what."""
FINDING_TYPE = pl.Struct(
    {
        "check": _TEXT,
        "outcome": _TEXT,
        "line_no": pl.Int32(),
        "found": _TEXT,
        "expected": _TEXT,
        "basis": _TEXT,
        "valid_from": _DAY,
    }
)
"""What a check of the parcel found; the whole parcel, where no line is named."""
CASE_TYPE = pl.Struct(
    {
        "history_day": _DAY,
        "complete": pl.Boolean(),
        "models": pl.List(pl.Struct({"risk": _TEXT, "version": _TEXT})),
        "parties": pl.List(PARTY_TYPE),
        "prices": pl.List(PRICE_TYPE),
        "earlier": pl.List(EARLIER_TYPE),
        "earlier_parcels": pl.Int32(),
        "companions": pl.List(COMPANION_TYPE),
        "companion_parcels": pl.Int32(),
        "findings": pl.List(FINDING_TYPE),
    }
)
"""`history_day` is the day at whose close the history was, `complete` whether all of the day was known."""


def with_cases(
    listed: pl.DataFrame, facts: Iterable[pl.DataFrame], of_night: Mapping[str, object]
) -> pl.DataFrame:
    """The listed parcels with their cases, from tables with a row a parcel; all have `of_night`."""
    joined = listed.select("declaration_id")
    for each in facts:
        joined = joined.join(each, on="declaration_id", how="left", maintain_order="left")
    kinds = {field.name: field.dtype for field in CASE_TYPE.fields}
    shared = pl.DataFrame([of_night], schema={name: kinds[name] for name in of_night})
    joined = joined.join(shared, how="cross", maintain_order="left")
    fields = [
        (pl.col(name) if name in joined.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in kinds.items()
    ]
    return listed.with_columns(joined.select(pl.struct(fields).alias(CASE))[CASE])


def as_issued(listed: pl.DataFrame, issued: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The listed parcels with the cases with which they were issued first, where the models were the same.

    `issued` are the lists of the day, oldest first. What was issued before all of the day was known does not
    hold. What checks find is that of now: the day may have been checked with other rules since, and a list
    names them.
    """
    known = [
        rows.select("declaration_id", pl.col(CASE).alias("_issued"))
        for rows in issued
        if rows.schema.get(CASE) == CASE_TYPE
    ]
    if not known:
        return listed
    first = pl.concat(known).unique("declaration_id", keep="first", maintain_order=True)
    joined = listed.join(first, on="declaration_id", how="left", maintain_order="left")
    now, then = pl.col(CASE).struct, pl.col("_issued").struct
    holds = then.field("complete") & (now.field("models") == then.field("models"))
    kept = then.with_fields(findings=now.field("findings"))
    return joined.with_columns(pl.when(holds).then(kept).otherwise(CASE).alias(CASE)).drop("_issued")


def with_changed_parcels(rows: pl.DataFrame, change: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """The rows with `change` made to the tables of other parcels in their cases; the same object where it
    changes nothing. It keeps the rows of a table in their order.
    """
    kind = rows.schema.get(CASE)
    if not isinstance(kind, pl.Struct):
        return rows
    # A list that was issued by an earlier version keeps the columns of its cases.
    tables = [field.name for field in kind.fields if field.name in ("earlier", "companions")]
    fields = {}
    for name in tables:
        whole = rows.select(pl.col(CASE).struct.field(name)).with_row_index("_row")
        flat = whole.filter(pl.col(name).list.len() > 0).explode(name).unnest(name)
        parcels = flat.drop("_row")
        changed = change(parcels)
        if changed is not parcels:
            by_row = changed.with_columns(flat["_row"]).group_by("_row", maintain_order=True)
            nested = by_row.agg(pl.struct(parcels.columns).alias(name))
            fields[name] = whole.select("_row").join(nested, on="_row", how="left", maintain_order="left")[
                name
            ]
    if not fields:
        return rows
    cases = rows.select(pl.col(CASE).struct.with_fields(**fields).cast(kind).alias(CASE))[CASE]
    return rows.with_columns(pl.when(pl.col(CASE).is_not_null()).then(cases).alias(CASE))
