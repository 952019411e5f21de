"""What the same parties do on the same day. The job runs at night, so a line sees its whole day."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from configs.reference.limit import or_nan
from features.block import block
from features.history.needs import KeyKind
from features.history.peers import MILLI
from features.history.view import HistoryView, KeyRows, distinct, share_of
from features.prepare import CNY_PER_FEN, FEN_PER_CNY

_PARTIES = ("buyer", "address", "seller")


@block(keys=(*_PARTIES, KeyKind.SAME_DAY))
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Parcels, lines, value, first-time other sides and price level of the buyer, address and seller today,
    those of pairs (buyer and seller, address and seller), whether parcels that stay below the limit of an
    order exceed it together, and how near the buyer is to the limits.

    Limits: CNY 5,000 an order and 26,000 a person and year in cross-border retail imports (tables `limits`).
    What rests on them is null for exports, which have none.
    """
    columns = [lines["_parcel_lines"].cast(pl.Float64).alias("same_day__parcel_lines")]
    for spec in history.specs:
        today, name = history.today(spec.name), f"same_day__{spec.name}"
        columns += [
            today["parcels"].cast(pl.Float64).alias(f"{name}_parcels"),
            today["lines"].cast(pl.Float64).alias(f"{name}_lines"),
            (today["value_fen"] / FEN_PER_CNY).alias(f"{name}_total_cny"),
            _together_over_limit(lines, today, reference).alias(f"{name}_together_over_limit"),
        ]
        if spec.same_day:
            continue
        columns += [
            today["first_timers"].cast(pl.Float64).alias(f"{name}_first_timers"),
            (share_of(today["price_milli"], today["priced"]) / MILLI).alias(f"{name}_price_level"),
            distinct(today["headings"]).alias(f"{name}_headings"),
            *(
                distinct(today[other]).alias(f"{name}_{other}")
                for other in ("sellers", "buyers")
                if not spec.name.startswith(other.removesuffix("s"))
            ),
        ]
        if spec.name == "buyer":
            columns += _limits(lines, history, today["value_fen"] / FEN_PER_CNY, reference)
    return pl.DataFrame(columns)


def _together_over_limit(lines: pl.DataFrame, today: KeyRows, reference: ReferenceDay) -> pl.Series:
    """1 where a parcel is within the limit and all parcels of the key today are not; null without a key."""
    limit = or_nan(reference.order_limit_cny) * FEN_PER_CNY
    within = lines["_parcel_fen"] <= limit
    return (within & (today["value_fen"] > limit)).cast(pl.Float64).set(lines["_is_export"], None)


def _limits(
    lines: pl.DataFrame, history: HistoryView, today_cny: pl.Series, reference: ReferenceDay
) -> list[pl.Series]:
    order, year = or_nan(reference.order_limit_cny), or_nan(reference.yearly_allowance_cny)
    known, this_year = history.before("buyer"), pl.col("year") == history.day.year
    year_cny = (
        pl.DataFrame([known["year"], known["year_fen"]])
        .select(pl.when(this_year).then(pl.col("year_fen") * CNY_PER_FEN).otherwise(0.0))
        .to_series()
    )
    shares = {
        "order_limit_share": today_cny / order,
        "parcel_limit_share": lines["_parcel_fen"] / FEN_PER_CNY / order,
        "allowance_used": (year_cny + today_cny) / year,
    }
    return [share.set(lines["_is_export"], None).alias(f"same_day__{name}") for name, share in shares.items()]
