"""Columns of the reference model: prices against the heading, hit rates of seller and address, plain facts.

Whatever looks back knows, for a line of day D, the lines declared and the results reported before D.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from configs.reference.facts import Reference
from features.contract.declarations import LINE_KEY

CATEGORIES = (
    *("hs_code", "hs6", "hs4", "hs2", "origin_country", "dispatch_country", "destination_country"),
    *("direction", "trade_mode", "customs_office", "port", "transport_mode"),
    *("platform_id", "agent_id", "carrier_id", "currency", "unit", "legal_unit"),
)
NUMBERS = (
    *("log_unit_price", "log_total", "log_price_per_kg", "log_parcel_total", "log_parcel_per_kg"),
    *("price_over_median", "per_kg_over_median", "total_over_median"),
    *("quantity", "legal_quantity", "gross_weight_kg", "net_weight_kg", "net_share", "kg_per_piece"),
    *("freight_cny", "insurance_cny", "package_count", "lines_of_parcel", "hour", "weekday"),
    *("seller_parcels", "buyer_parcels", "address_parcels", "platform_parcels"),
    *("name_chars", "model_chars"),
)
HIT_RATE_KEYS = {
    "seller": ("seller_id",),
    "address": ("address_id",),
    "buyer": ("buyer_id",),
    "seller_heading": ("seller_id", "hs6"),
    "heading": ("hs6",),
}
KILOGRAM = "035"
"""The customs code of the unit."""

_SMOOTHING = 20.0
# What the median of a heading is taken over, so that it follows the market.
_MEDIAN_DAYS = 30
_LEAST_PEERS = 20


def plain_columns(lines: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Lines of any days with what a single line or its own day says; adds `day` (Date, in China).

    `lines` must hold every line of each of its days: parcels are counted by day.
    """
    lines = lines.with_columns(pl.col("declared_at").dt.offset_by("8h").dt.date().alias("day"))
    newest = lines["day"].max()
    assert isinstance(newest, date)
    rate = reference.on(newest).cny_rate(lines["currency"])
    parcel, kg = "declaration_id", pl.coalesce("net_weight_kg", "gross_weight_kg")
    moment = pl.col("declared_at").dt.offset_by("8h")
    derived = lines.with_columns(
        *(pl.col("hs_code").str.slice(0, digits).alias(f"hs{digits}") for digits in (2, 4, 6)),
        (pl.col("total_price") * rate).alias("total"),
        (pl.coalesce("unit_price", pl.col("total_price") / pl.col("quantity")) * rate).alias("unit_cny"),
        (pl.col("freight") * rate).alias("freight_cny"),
        (pl.col("insurance") * rate).alias("insurance_cny"),
        moment.dt.hour().alias("hour"),
        moment.dt.weekday().alias("weekday"),
        pl.len().over(parcel).alias("lines_of_parcel"),
        pl.col("item_name").str.len_chars().alias("name_chars"),
        pl.col("item_model").str.len_chars().alias("model_chars"),
        (pl.col("net_weight_kg") / pl.col("gross_weight_kg")).alias("net_share"),
        *(
            pl.when(pl.col(f"{party}_id").is_not_null())
            .then(pl.col(parcel).n_unique().over(f"{party}_id", "day"))
            .alias(f"{party}_parcels")
            for party in ("seller", "buyer", "address", "platform")
        ),
    )
    derived = derived.with_columns(
        pl.col("total").sum().over(parcel).alias("parcel_total"),
        pl.col("quantity").sum().over(parcel).alias("parcel_pieces"),
    )
    of_line = pl.when(pl.col("legal_unit") == KILOGRAM).then(pl.col("total") / pl.col("legal_quantity"))
    return derived.with_columns(
        _log(pl.col("unit_cny")).alias("log_unit_price"),
        _log(pl.col("total")).alias("log_total"),
        _log(pl.coalesce(of_line, pl.col("parcel_total") / kg)).alias("log_price_per_kg"),
        _log(pl.col("parcel_total")).alias("log_parcel_total"),
        _log(pl.col("parcel_total") / kg).alias("log_parcel_per_kg"),
        pl.when(pl.col("parcel_pieces") > 0).then(kg / pl.col("parcel_pieces")).alias("kg_per_piece"),
    )


def over_medians(lines: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """`wanted` with its log prices less the median of its heading over the 30 days up to the eve.

    A heading with fewer than 20 lines then has no median. Adds `price_over_median`, `per_kg_over_median` and
    `total_over_median`.
    """
    measures = {"price": "log_unit_price", "per_kg": "log_price_per_kg", "total": "log_total"}
    parts = []
    for (day,), rows in wanted.group_by("day", maintain_order=True):
        assert isinstance(day, date)
        before = lines.filter(
            pl.col("day").is_between(day - timedelta(days=_MEDIAN_DAYS), day, closed="left")
        )
        medians = (
            before.group_by("hs6", "unit")
            .agg(pl.len().alias("peers"), *(pl.col(of).median().alias(f"m_{of}") for of in measures.values()))
            .filter(pl.col("peers") >= _LEAST_PEERS)
        )
        parts.append(
            rows.join(medians, on=["hs6", "unit"], how="left", maintain_order="left", nulls_equal=True)
        )
    joined = pl.concat(parts)
    return joined.with_columns(
        (pl.col(of) - pl.col(f"m_{of}")).alias(f"{name}_over_median") for name, of in measures.items()
    )


def hit_rates(wanted: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """`wanted` with, by each key, the inspections and the smoothed hit rate reported before the line's day.

    `results` are inspected lines with the columns of the keys, `found` (Boolean) and `known_on` (Date).
    """
    overall = _as_of(wanted, results, ())
    prior = (overall["found_before"] + 0.01) / (overall["inspected_before"] + 1.0)
    added = []
    for name, columns in HIT_RATE_KEYS.items():
        counted = _as_of(wanted, results, columns)
        inspected = counted["inspected_before"]
        rate = (counted["found_before"] + _SMOOTHING * prior) / (inspected + _SMOOTHING)
        added += [inspected.alias(f"{name}_inspected"), rate.alias(f"{name}_rate")]
    return wanted.with_columns(added)


def hit_rate_columns() -> list[str]:
    """Names of the columns that `hit_rates` adds."""
    return [f"{name}_{kind}" for name in HIT_RATE_KEYS for kind in ("inspected", "rate")]


def _as_of(wanted: pl.DataFrame, results: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Counts by key of what was known before the day, in the order of `wanted`; 0 where the key is null."""
    one = pl.lit("") if not key else pl.concat_str(*key, separator="\x1f")
    running = (
        results.select(one.alias("key"), "known_on", "found")
        .drop_nulls()
        .group_by("key", "known_on")
        .agg(pl.len().cast(pl.Float64).alias("n"), pl.col("found").sum().cast(pl.Float64).alias("hits"))
        .sort("known_on", "key")
        .with_columns(
            pl.col("n").cum_sum().over("key").alias("inspected_before"),
            pl.col("hits").cum_sum().over("key").alias("found_before"),
        )
    )
    asked = wanted.select(one.alias("key"), "day").with_row_index("place").sort("day")
    return (
        asked.join_asof(
            running.select("key", "known_on", "inspected_before", "found_before"),
            left_on="day",
            right_on="known_on",
            by="key",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .sort("place")
        .select(pl.col("inspected_before", "found_before").fill_null(0.0))
    )


def with_columns_of(reports: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Results joined to the columns of the hit rates' keys."""
    needed = sorted({column for columns in HIT_RATE_KEYS.values() for column in columns})
    return reports.join(lines.select(*LINE_KEY, *needed), on=LINE_KEY, how="inner")


def _log(amount: pl.Expr) -> pl.Expr:
    return pl.when(amount > 0).then(amount.log())
