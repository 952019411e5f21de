"""Whether retail imports are of a heading that the positive list has, and within what it allows a person."""

from __future__ import annotations

from typing import Final

import polars as pl

from features.arrays.prefix_join import prefix_join
from features.check import RETAIL_IMPORT, CheckedDay, as_findings, check_family
from features.contract.declarations import LINE_KEY
from features.words.figures import figure, ready_for_words

# Decimal numbers of five decimals, as doubles.
_ROUNDING: Final = 1e-6


@check_family("not_listed", "quantity_limit")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return retail imports that are not on the list of the day, and those beyond a person's year.

    Nothing is found where no list is loaded, or on a day before its first row.
    """
    listed = day.reference["positive_list"].filter((pl.col("ends").str.to_date() >= day.day).fill_null(True))
    if listed.is_empty():
        return as_findings(day.lines.clear(), "not_listed")
    lines = day.lines.filter(RETAIL_IMPORT, pl.col("hs_code").is_not_null())
    return pl.concat([_not_listed(lines, listed), _beyond(day, lines, listed)])


def _not_listed(lines: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Lines whose code is under no row, or under none of their mode.

    A code that is shorter than the list's is listed where a longer one of it is.
    """
    kinds = lines.select("hs_code", "trade_mode").unique()
    columns = ("hs_prefix", "modes", "notice", "valid_from")
    rows = _of_list(kinds, listed.select(columns))
    allowed = pl.col("modes").is_null() | pl.col("modes").str.contains(pl.col("trade_mode"), literal=True)
    newest = listed.sort("valid_from", "notice").tail(1)
    missing = (
        kinds.join(rows.filter(allowed), on=["hs_code", "trade_mode"], how="anti")
        .join(
            rows.sort(pl.col("hs_prefix").str.len_bytes(), "hs_prefix").unique(
                ["hs_code", "trade_mode"], keep="last", maintain_order=True
            ),
            on=["hs_code", "trade_mode"],
            how="left",
        )
        .with_columns(
            pl.col("notice").fill_null(newest["notice"][0]),
            pl.col("valid_from").fill_null(newest["valid_from"][0]),
        )
    )
    found = lines.join(missing, on=["hs_code", "trade_mode"])
    found = ready_for_words(found).select(
        *LINE_KEY,
        "valid_from",
        found=pl.format("heading {} in mode {}", "hs_code", "trade_mode"),
        expected=pl.when(pl.col("modes").is_null())
        .then(pl.lit("a heading of the positive list"))
        .otherwise(pl.format("mode {}", pl.col("modes").str.replace_all("|", " or ", literal=True))),
        basis="notice",
    )
    return as_findings(found, "not_listed")


def _of_list(kinds: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Codes with the rows that they are under, and with those that are under them."""
    lengths = kinds["hs_code"].str.len_bytes().unique().sort()
    longer = [
        listed.filter(pl.col("hs_prefix").str.len_bytes() > length)
        .with_columns(hs_code=pl.col("hs_prefix").str.slice(0, length))
        .join(kinds, on="hs_code")
        .select(*kinds.columns, *listed.columns)
        for length in lengths
    ]
    return pl.concat([prefix_join(kinds, listed, "hs_prefix"), *longer])


def _beyond(day: CheckedDay, lines: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Lines with which a buyer has more of a heading in the calendar year than the list allows.

    What went back does not count, nor what is declared in a unit that is not the list's and no weight.
    """
    limits = listed.filter(pl.col("quantity").is_not_null(), pl.col("unit").is_not_null()).select(
        "hs_prefix", "notice", "valid_from", most="quantity", limit_unit="unit"
    )
    rows = prefix_join(day.bought, limits, "hs_prefix")
    kept = 1.0 - (pl.col("returned") / pl.col("quantity")).clip(0.0, 1.0).fill_null(0.0)
    rows = rows.with_columns(amount=_in_unit(day, rows) * kept).drop_nulls("amount")
    names = day.reference["units"].select(limit_unit="code", unit_name="name_en")
    beyond = (
        rows.sort("is_late", "declared_at", *LINE_KEY)
        .with_columns(year=pl.col("amount").cum_sum().over("buyer_id", "hs_prefix"))
        .filter(pl.col("year") > pl.col("most") + _ROUNDING)
        .join(lines, on=LINE_KEY, how="semi")
        .sort(pl.col("hs_prefix").str.len_bytes())
        .unique(LINE_KEY, keep="last", maintain_order=True)
        .join(names, on="limit_unit", how="left", maintain_order="left")
        .with_columns(pl.coalesce("unit_name", "limit_unit").alias("unit_name"))
    )
    found = ready_for_words(beyond).select(
        *LINE_KEY,
        "valid_from",
        found=pl.format("{} {} of {} this year", figure(pl.col("year")), "unit_name", "hs_prefix"),
        expected=pl.format("at most {} {} a person and year", figure(pl.col("most")), "unit_name"),
        basis="notice",
    )
    return as_findings(found, "quantity_limit")


def _in_unit(day: CheckedDay, rows: pl.DataFrame) -> pl.Series:
    """The quantity of rows in the unit of their limit, null where it is not told."""
    kg = {name: day.reference.kg_factor(rows[name]) for name in ("unit", "legal_unit", "limit_unit")}
    factors = rows.with_columns(series.alias(f"{name}_kg") for name, series in kg.items())
    limit = pl.col("limit_unit")
    return factors.select(
        pl.when(pl.col("unit") == limit)
        .then(pl.col("quantity"))
        .when(pl.col("legal_unit") == limit)
        .then(pl.col("legal_quantity"))
        .otherwise(
            pl.coalesce(
                pl.col("quantity") * pl.col("unit_kg"), pl.col("legal_quantity") * pl.col("legal_unit_kg")
            )
            / pl.col("limit_unit_kg")
        )
        .alias("amount")
    ).to_series()
