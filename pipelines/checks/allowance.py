"""What buyers spent on retail imports in the calendar year, as it was known at the close of a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from configs.reference.facts import Reference, ReferenceDay
from configs.reference.taxable import COSTS_FEN, GOODS_FEN, in_fen, with_parcel_fen
from features.arrays.hashing import hash_text
from features.check import RETAIL_IMPORT, SPENT_COLUMNS
from features.contract.china_time import closing_moment
from features.contract.documents import RETURNS
from pipelines.checks.known_declarations import known_declarations, known_over
from pipelines.checks.retail_sums import VALUED_COLUMNS, parcels_worth, sums_before
from pipelines.documents.known import known_documents
from pipelines.store.store import Store

_FEN_PER_CNY: Final = 100.0
_CNY_PER_FEN: Final = 0.01
_PARCEL: Final = ("declaration_id",)


def spent_above_allowance(store: Store, day: date, reference: Reference) -> pl.DataFrame:
    """Return the parcels of a day with which their buyer's year is above the allowance, in `SPENT_COLUMNS`.

    Parcels of the day count in the order in which they were declared. What was cancelled, and what was
    applied for to go back, is given back, as far as it was known at the close of the day. Empty where the day
    has no allowance.

    Raises:
        StoreError: a file that is read is damaged.
    """
    limit = reference.on(day).limit("yearly_allowance_cny")
    nothing = pl.DataFrame(schema=SPENT_COLUMNS)
    if limit is None:
        return nothing
    most = round(limit.cny * _FEN_PER_CNY)
    today = _parcels_of(store, day, reference)
    if today.is_empty():
        return nothing
    sums = dict(sums_before(store, day, reference))
    before = _by_buyer(sums, today["buyer"].unique())
    above = _running(today, before).filter(pl.col("spent") > most)
    if above.is_empty():
        return nothing
    buyers = above["buyer"].unique()
    candidates = today.filter(pl.col("buyer").is_in(buyers.implode()))
    given_back = _given_back(store, day, reference, _bought(sums, candidates, day))
    net = _running(_less(candidates, given_back, day), before, given_back.filter(pl.col("day") != day))
    above = net.filter(pl.col("spent") > most).sort("declaration_id")
    return above.select("declaration_id", spent_cny=pl.col("spent") * pl.lit(_CNY_PER_FEN))


def _parcels_of(store: Store, day: date, reference: Reference) -> pl.DataFrame:
    """The day's retail imports by parcel, in the order in which they were declared."""
    known = known_declarations(store, day, closing_moment(day)).filter(RETAIL_IMPORT).select(VALUED_COLUMNS)
    lines, declared = known.collect(engine="streaming"), pl.col("declared_at").min()
    parcels = parcels_worth(lines, reference.on(day), _PARCEL, declared).sort("declared_at", "declaration_id")
    return parcels.select(
        "declaration_id",
        hash_text(parcels["buyer_id"]).alias("buyer"),
        hash_text(parcels["declaration_id"]).alias("parcel"),
        "fen",
    )


def _by_buyer(sums: Mapping[date, pl.LazyFrame], buyers: pl.Series) -> pl.DataFrame:
    """What some buyers spent before the day (`buyer`, `fen`)."""
    wanted = buyers.to_frame().lazy()
    nothing = pl.LazyFrame(schema={"buyer": pl.UInt64, "fen": pl.Int64})
    year = pl.concat([nothing, *(rows.select("buyer", "fen") for rows in sums.values())])
    spent = year.join(wanted, on="buyer", how="semi").group_by("buyer").agg(pl.col("fen").sum())
    return spent.collect(engine="streaming")


def _running(today: pl.DataFrame, before: pl.DataFrame, back: pl.DataFrame | None = None) -> pl.DataFrame:
    """The parcels of the day with `spent`: before it, less what went back, and on it up to the parcel."""
    joined = today.join(before.rename({"fen": "_before"}), on="buyer", how="left", maintain_order="left")
    if back is not None:
        gone = back.group_by("buyer").agg(_back=pl.col("fen").sum())
        joined = joined.join(gone, on="buyer", how="left", maintain_order="left")
    else:
        joined = joined.with_columns(_back=pl.lit(0, pl.Int64))
    earlier = pl.col("_before").fill_null(0) - pl.col("_back").fill_null(0)
    return joined.with_columns(spent=earlier + pl.col("fen").cum_sum().over("buyer"))


def _bought(sums: Mapping[date, pl.LazyFrame], today: pl.DataFrame, day: date) -> pl.DataFrame:
    """The parcels of the year of the buyers of some parcels of the day: `buyer`, `parcel` and `day`."""
    buyers = today.select("buyer").unique().lazy()
    wanted = ("buyer", "parcel")
    days = [rows.select(wanted).with_columns(day=pl.lit(each)) for each, rows in sums.items()]
    of_day = today.lazy().select(wanted).with_columns(day=pl.lit(day))
    year = pl.concat([*days, of_day]).join(buyers, on="buyer", how="semi")
    return year.collect(engine="streaming")


def _given_back(store: Store, day: date, reference: Reference, bought: pl.DataFrame) -> pl.DataFrame:
    """What of these parcels goes back, by parcel: `buyer`, `parcel`, `day` and `fen`.

    Of a line it is the share of its quantity; all of it where the two are not in one unit, or not said. Costs
    of the parcel go back with it, by value.
    """
    before = closing_moment(day)
    applied = known_documents(store.layout, RETURNS, before).select(
        "declaration_id", "line_no", returned="quantity", returned_unit="unit"
    )
    returns = applied.collect(engine="streaming")
    returns = returns.with_columns(hash_text(returns["declaration_id"]).alias("parcel"))
    returns = returns.join(bought, on="parcel", how="inner")
    found = [pl.DataFrame(schema={"parcel": pl.UInt64, "day": pl.Date, "fen": pl.Int64})]
    for (each,), of_day in returns.group_by("day"):
        assert isinstance(each, date)
        known = known_declarations(store, each, before) if each == day else known_over(store, [each], before)
        named = of_day.select("declaration_id").unique().lazy()
        lines = known.select(VALUED_COLUMNS).join(named, on="declaration_id", how="semi")
        found.append(_value_back(lines.collect(), of_day, reference.on(each), each))
    return pl.concat(found).join(bought, on=["parcel", "day"], how="left")


def _value_back(
    lines: pl.DataFrame, returns: pl.DataFrame, reference: ReferenceDay, day: date
) -> pl.DataFrame:
    rated = lines.with_columns(reference.cny_rate(lines["currency"]).alias("cny_rate"))
    lines = with_parcel_fen(rated.lazy(), _PARCEL).collect()
    one_unit = pl.col("returned_unit").is_null() | pl.col("unit").is_null()
    one_unit |= pl.col("returned_unit") == pl.col("unit")
    share = pl.when(one_unit).then(pl.col("returned") / pl.col("quantity")).fill_null(1.0)
    joined = returns.join(lines, on=["declaration_id", "line_no"])
    by_line = joined.group_by("parcel", "declaration_id", "line_no").agg(
        share=share.sum().clip(0.0, 1.0),
        line_fen=in_fen(pl.col("total_price") * pl.col("cny_rate")).first(),
        **{name: pl.col(name).first() for name in (GOODS_FEN, COSTS_FEN)},
    )
    goods = (pl.col("share") * pl.col("line_fen")).sort_by("line_no").sum()
    whole, costs = pl.col(GOODS_FEN).first(), pl.col(COSTS_FEN).first()
    return by_line.group_by("parcel").agg(
        day=pl.lit(day), fen=(goods + pl.when(whole > 0).then(costs * goods / whole).otherwise(0.0)).round(0)
    ).select("parcel", "day", pl.col("fen").fill_null(0.0).cast(pl.Int64))  # fmt: skip


def _less(today: pl.DataFrame, back: pl.DataFrame, day: date) -> pl.DataFrame:
    """The parcels of the day at what stays of them."""
    of_day = back.filter(pl.col("day") == day).select("parcel", _back="fen")
    joined = today.join(of_day, on="parcel", how="left", maintain_order="left")
    return joined.with_columns(fen=pl.col("fen") - pl.col("_back").fill_null(0)).drop("_back")
