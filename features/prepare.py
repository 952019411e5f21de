"""Derives, once for a day's lines, what several feature blocks and the history need.

Everything here depends on the line, its parcel and the reference tables of the day only, never on another
day. Columns made here start with an underscore; they are not features and not stored.
"""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from configs.reference.regimes import is_export
from configs.reference.taxable import with_parcel_fen
from configs.schema.pipeline import FeaturesConfig
from features.arrays.distinct import distinct_text
from features.contract.declarations import DECLARATION_COLUMNS
from features.history.keys import hashed_columns, key_specs, with_keys
from features.history.peers import with_measures
from features.text.disguise import readable

FEN_PER_CNY = 100.0
# Not a division: Polars divides a column by a number in another way where the column has one row.
CNY_PER_FEN = 1.0 / FEN_PER_CNY
_MAX_FEN = 9.0e15


def prepare_lines(lines: pl.DataFrame, reference: ReferenceDay, config: FeaturesConfig) -> pl.DataFrame:
    """Return a day's lines with what blocks and history need, in the same order.

    Adds `_key_<name>` for each key of the history, the logarithms and peer hashes of
    `features.history.peers.with_measures`, and:

    - `_hs2`, `_hs4`, `_hs6` (String); `_item_key` (String, the name without case, space, digits, punctuation
      and disguises);
    - `_is_export` (Boolean, false where nothing tells the direction);
    - `_rate` (CNY per currency unit, null where unknown); `_total_cny`, `_unit_price_cny` (Float64);
      `_total_fen` (Int64, 0 where unknown);
    - `_parcel_lines`, `_parcel_fen` (Int64); `_goods_fen` (Int64, null where a line's value is unknown) and
      `_costs_fen` (Int64, freight and insurance), which decide about limits and taxes;
    - `_line_kg` (Float64, null where the weight of the line cannot be told from that of its parcel);
      `_pieces` (Float64).

    Args:
        lines: every line of each parcel in it, since parcel sums are taken over `declaration_id`.
        reference: the reference tables of the day.
        config: which keys and levels of peers there are.
    """
    derived = _derived(lines, reference)
    specs, levels = key_specs(config.history), config.peers.columns_by_level
    columns = [*(spec.columns for spec in specs), *levels.values()]
    hashed = hashed_columns(derived, [name for names in columns for name in names])
    return with_measures(with_keys(derived, specs, hashed), levels, hashed)


def _derived(lines: pl.DataFrame, reference: ReferenceDay) -> pl.DataFrame:
    complete = lines.with_columns(
        pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in DECLARATION_COLUMNS.items()
        if name not in lines.columns
    )
    hs_code = pl.col("hs_code")
    derived = complete.with_columns(
        hs_code.str.slice(0, 2).alias("_hs2"),
        hs_code.str.slice(0, 4).alias("_hs4"),
        hs_code.str.slice(0, 6).alias("_hs6"),
        item_key(complete["item_name"]).alias("_item_key"),
        is_export().alias("_is_export"),
        reference.cny_rate(complete["currency"]).alias("_rate"),
        reference.kg_factor(complete["unit"]).alias("_unit_kg"),
        reference.kg_factor(complete["legal_unit"]).alias("_legal_kg"),
        reference.pieces_factor(complete["unit"]).alias("_unit_pieces"),
    )
    total_cny = pl.col("total_price") * pl.col("_rate")
    unit_price = pl.coalesce("unit_price", pl.col("total_price") / pl.col("quantity"))
    derived = derived.with_columns(
        total_cny.alias("_total_cny"),
        pl.when(unit_price.is_finite()).then(unit_price * pl.col("_rate")).alias("_unit_price_cny"),
        (total_cny * FEN_PER_CNY)
        .clip(0.0, _MAX_FEN)
        .round(0)
        .fill_null(0.0)
        .fill_nan(0.0)
        .cast(pl.Int64)
        .alias("_total_fen"),
        (pl.col("quantity") * pl.col("_unit_pieces")).alias("_pieces"),
    )
    derived = derived.with_columns(
        pl.len().over("declaration_id").cast(pl.Int64).alias("_parcel_lines"),
        pl.col("_total_fen").sum().over("declaration_id").alias("_parcel_fen"),
    )
    derived = with_parcel_fen(derived.lazy(), ("declaration_id",), "_rate").collect()
    parcel_kg = pl.coalesce("net_weight_kg", "gross_weight_kg")
    return derived.with_columns(
        pl.coalesce(
            pl.col("legal_quantity") * pl.col("_legal_kg"),
            pl.col("quantity") * pl.col("_unit_kg"),
            pl.when(pl.col("_parcel_lines") == 1).then(parcel_kg),
        ).alias("_line_kg"),
    ).drop("_unit_kg", "_legal_kg", "_unit_pieces")


def item_key(name: pl.Series) -> pl.Series:
    """The goods name reduced to its letters as a person reads them: without case, space, digits, punctuation
    and disguises.

    >>> item_key(pl.Series(["Ｔoy  Car-2 (红)", "tоy car", "12"])).to_list()
    ['toycar红', 'toycar', None]
    """
    same = distinct_text(name)
    reduced = readable(name[same.firsts]).str.replace_all(r"[\s\d\p{P}\p{S}]+", "")
    return reduced.set(reduced == "", None).gather(same.groups).alias(name.name)
