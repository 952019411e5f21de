"""What a model has to beat: chance, the price, the seller's past, and a look-up of what was seen before.

The look-up is the trap of published data: a later line that repeats goods, origin and price of an earlier
one can be answered from memory. It is reported always, and the lines without such a twin always stand on
their own.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from features.arrays.hashing import hash_text
from features.arrays.types import BoolArray, FloatArray, UInt64Array
from models.trees.columns import number_column

# The gate asks for more than these; the look-up is memory, shown but not asked for.
TRIVIAL = ("random", "price_high", "price_low", "seller_rate")
_SMOOTHING = 20.0
_PRICE_DECIMALS = 4
_NEW = {
    "new_seller": ("seller_id",),
    "new_goods": ("goods__hs6",),
    "new_text": ("item_name",),
    "new_route": ("goods__hs6", "route__origin"),
    "new_value": ("goods__hs6", "route__origin", "total_price"),
}


def line_keys(frame: pl.DataFrame, seed: int = 0) -> UInt64Array:
    """A number a line from its key and the seed alone: the order of ties, and the random baseline."""
    number = pl.col("line_no").cast(pl.Int64).cast(pl.String)
    key = pl.concat_str(pl.lit(str(seed)), "declaration_id", number, separator="|", ignore_nulls=True)
    return hash_text(frame.select(key.alias("key")).to_series()).to_numpy()


def baseline_scores(
    past: pl.DataFrame, label: str, later: pl.DataFrame, *, seed: int
) -> dict[str, FloatArray]:
    """Scores (lines,) of each baseline for `later`, learned from the inspected lines of `past`."""
    price = number_column(later, "price__total_cny")
    return {
        "random": line_keys(later, seed).astype(np.float64),
        "price_high": price,
        "price_low": -price,
        "seller_rate": _seller_rate(past, label, later),
        "lookup": _rate_of_key(past, label, later, twin_key(past), twin_key(later), smoothing=0.0),
    }


def twin_key(frame: pl.DataFrame) -> pl.Series:
    """Hash of (heading, origin, unit price to 4 decimals) a line, null where one is missing."""
    price = next((name for name in ("unit_price", "price__unit_price_cny") if name in frame.columns), None)
    if price is None or not {"goods__hs6", "route__origin"} <= set(frame.columns):
        return pl.Series("twin", [None], dtype=pl.UInt64).new_from_index(0, frame.height)
    rounded = (pl.col(price) * 10.0**_PRICE_DECIMALS).round(0).cast(pl.Int64, strict=False).cast(pl.String)
    parts = pl.concat_str("goods__hs6", "route__origin", rounded, separator="|")
    return hash_text(frame.select(parts.alias("twin")).to_series())


def slices(past: pl.DataFrame, later: pl.DataFrame) -> dict[str, BoolArray]:
    """Lines that memory cannot answer, and those that were inspected by chance, as masks (lines,).

    `no_twin`: no earlier inspected line of the same heading, origin and unit price; `new_value`: none of the
    same heading, origin and total value. `new_seller`, `new_goods` and `new_text`: the seller, the heading,
    the item name was never inspected before; `new_route`: the heading never from this origin.
    `random_share`: drawn at random, so that they stand for all lines.
    """
    masks = {"no_twin": ~_seen(twin_key(past), twin_key(later))}
    for name, columns in _NEW.items():
        if {*columns} <= {*past.columns} & {*later.columns}:
            masks[name] = ~_seen(_joined(past, columns), _joined(later, columns))
    if "selection" in later.columns:
        masks["random_share"] = (later["selection"] == "random").fill_null(False).to_numpy()
    return masks


def _joined(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.Series:
    """The values of the columns as one text a line, null where one is missing."""
    return frame.select(pl.concat_str(columns, separator="\x1f").alias("key")).to_series()


def _seen(past: pl.Series, later: pl.Series) -> BoolArray:
    return later.is_in(past.drop_nulls().unique().implode()).fill_null(False).to_numpy()


def _seller_rate(past: pl.DataFrame, label: str, later: pl.DataFrame) -> FloatArray:
    if "hit_rate__seller_rate" in later.columns:
        return number_column(later, "hit_rate__seller_rate")
    if "seller_id" not in past.columns or "seller_id" not in later.columns:
        return np.full(later.height, np.nan)
    return _rate_of_key(past, label, later, past["seller_id"], later["seller_id"], smoothing=_SMOOTHING)


def _rate_of_key(
    past: pl.DataFrame,
    label: str,
    later: pl.DataFrame,
    past_key: pl.Series,
    key: pl.Series,
    *,
    smoothing: float,
) -> FloatArray:
    """Past share of findings of the line's key; the share of all past lines where the key is new."""
    overall = past[label].cast(pl.Float64).mean()
    base = overall if isinstance(overall, float) else 0.0
    known = pl.DataFrame({"key": past_key, "found": past[label].cast(pl.Float64)}).drop_nulls()
    rates = known.group_by("key").agg(
        ((pl.col("found").sum() + smoothing * base) / (pl.len() + smoothing)).alias("rate")
    )
    joined = pl.DataFrame({"key": key}).join(rates, on="key", how="left", maintain_order="left")
    return joined["rate"].fill_null(base).to_numpy()
