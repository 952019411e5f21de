"""What models of goods read of a line, as numbers: places of its words and categories, its part, and what it
declares.

Each line is scored by the part of a model that has seen neither its name nor its seller. So names and sellers
fall into groups by their hashes, and a part learns from the lines that are in other groups in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from features.arrays.hashing import mixed, text_hashes
from features.arrays.types import FloatArray, IntArray, UInt64Array
from models.text.declared import DeclaredTexts
from models.text.grams import BUCKETS, Grams
from models.trees.columns import number_column

GROUPS = 2
PARTS = GROUPS * GROUPS
# Categories have a range of places behind those of the grams.
CATEGORY_PLACES = 1 << 14
PLACES = BUCKETS + CATEGORY_PLACES
# What a category counts beside the grams of a line, whose squares add up to one.
CATEGORY_VALUE = 0.5
MEASURES = ("unit_price_cny", "cny_per_kg", "kg_per_unit")
_CATEGORIES = ("unit", "origin_country", "trade_mode", "barcode")
_READ = ("item_name", "item_model", "seller_id", "hs_code", *_CATEGORIES)
READ_OF_GOODS = {**dict.fromkeys(_READ, True), **dict.fromkeys(MEASURES, False)}
"""The columns of a frame that are read, whether it is text or not."""
_COMPANY_DIGITS = 7
_FARTHEST = 30.0


@dataclass(frozen=True)
class GoodsLines:
    """Some lines as models of goods read them.

    Attributes:
        grams: those of the names and models, whose buckets are their places.
        categories: the place of each category (lines, categories), -1 where it is not known.
        parts: which part of a model has seen neither name nor seller of the line (lines,).
        declared: natural logarithms of `MEASURES` (lines, measures), NaN where unknown.
        headings: the first six digits of the declared code (String).
    """

    grams: Grams
    categories: IntArray
    parts: IntArray
    declared: FloatArray
    headings: pl.Series

    @classmethod
    def of(cls, frame: pl.DataFrame, texts: DeclaredTexts | None = None) -> GoodsLines:
        """Those of a feature frame; a column that it lacks is unknown. `texts` are its own, where somebody
        has them already.
        """
        absent = [pl.lit(None, dtype=pl.String).alias(name) for name in _READ if name not in frame.columns]
        given = frame.with_columns(absent).select(
            pl.col(_READ).cast(pl.String), *(name for name in MEASURES if name in frame.columns)
        )
        company = given["barcode"].str.slice(0, _COMPANY_DIGITS)
        known = (*(given[name] for name in _CATEGORIES[:-1]), company)
        texts = texts or DeclaredTexts(given)
        named, sold = texts.names, text_hashes(given["seller_id"])
        # Sellers that nobody names are told apart by what they sell.
        names, sellers = _groups(named), _groups(np.where(sold == 0, mixed(named ^ np.uint64(1)), sold))
        return cls(
            texts.grams,
            np.stack([_places(column, number) for number, column in enumerate(known)], axis=1),
            names * GROUPS + sellers,
            np.stack([_log(given, name) for name in MEASURES], axis=1),
            given["hs_code"].str.slice(0, 6),
        )

    def __len__(self) -> int:
        return len(self.parts)


def learned_by(parts: IntArray, part: int) -> IntArray:
    """The lines that a part learns from: in other groups than its own by both name and seller."""
    names, sellers = parts // GROUPS, parts % GROUPS
    return np.flatnonzero((names != part // GROUPS) & (sellers != part % GROUPS))


def _groups(hashes: UInt64Array) -> IntArray:
    # Other bits than those that buckets of a day and samples are made by.
    return ((hashes >> np.uint64(20)) % np.uint64(GROUPS)).astype(np.int64)


def _places(column: pl.Series, number: int) -> IntArray:
    hashes = text_hashes(column)
    places = BUCKETS + (mixed(hashes ^ np.uint64(number)) % np.uint64(CATEGORY_PLACES)).astype(np.int64)
    return np.where(hashes == 0, -1, places)


def _log(frame: pl.DataFrame, name: str) -> FloatArray:
    values = pl.Series(number_column(frame, name))
    # Polars takes logarithms one by one; numpy's vector code need not agree with itself at the end of a
    # batch.
    logs = np.where((values > 0.0).to_numpy(), values.log().to_numpy(), np.nan)
    return np.where(np.abs(logs) < _FARTHEST, logs, np.nan)
