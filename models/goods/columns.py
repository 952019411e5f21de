"""What of a goods model's scores stands in the matrix of a risk, and in the words of its reasons."""

from __future__ import annotations

import numpy as np
import polars as pl

from features.arrays.types import FloatArray
from models.goods.goods_model import REST, GoodsModel, GoodsScores
from models.goods.kernel import LEAST_CHANCE
from models.trees.columns import exponential

GOODS_BLOCK = "goods_model"
GOODS_COLUMNS = (
    "model__goods_unit_price",
    "model__goods_price_per_kg",
    "model__goods_unit_weight",
    "model__goods_heading_price",
    "model__goods_heading_chance",
    "model__goods_heading_ratio",
    "model__goods_rate_gap",
)
"""Log of the declared over the expected unit price, price per kg and weight per unit; how much more goods of
such words cost than the declared heading would have it; log of the chance of the declared four digits; log of
how many times the likeliest heading is likelier than the declared one; how much higher its tax rate is."""

_UNIT_PRICE, _PER_KG, _WEIGHT = range(3)
# Headings that are told differ from the declared one, and are no guess among many.
_LIKELY, _TOLD = 0.25, 0.05


def goods_columns(scores: GoodsScores) -> list[FloatArray]:
    """The values (lines,) of `GOODS_COLUMNS`."""
    ratio = _log(scores.top_chances[:, 0]) - _log(scores.chances[:, 0])
    return [
        *scores.surprise.T,
        scores.by_heading[:, _UNIT_PRICE],
        _log(scores.chances[:, 1]),
        ratio,
        scores.chances[:, 2],
    ]


def with_goods_columns(frame: pl.DataFrame, model: GoodsModel | None) -> pl.DataFrame:
    """The frame with `GOODS_COLUMNS`, as it is without a model."""
    if model is None:
        return frame
    values = goods_columns(model.score(frame))
    return frame.with_columns(
        pl.Series(name, column) for name, column in zip(GOODS_COLUMNS, values, strict=True)
    )


def goods_words(model: GoodsModel | None, scores: GoodsScores | None, lines: int) -> dict[str, pl.Series]:
    """What the words of reasons may name, a value a line, null where it is not known or there is no model.

    `model__goods_usual_unit_price_cny`, `model__goods_usual_cny_per_kg` and `model__goods_usual_kg_per_unit`;
    `model__goods_unit_price_sigmas`, `model__goods_price_per_kg_sigmas` and `model__goods_unit_weight_sigmas`
    (how far the declared value is from it, in standard deviations of such goods); `model__goods_heading_1` to
    `_3` (String, the likeliest headings) and `model__goods_heading_1_chance` to `_3_chance`; and
    `model__goods_declared_chance`, that of the declared four digits.
    """
    measures = ("unit_price", "price_per_kg", "unit_weight")
    usual = ("unit_price_cny", "cny_per_kg", "kg_per_unit")
    numbers: dict[str, FloatArray | None] = {}
    for place, name in enumerate(usual):
        numbers[f"usual_{name}"] = None if scores is None else exponential(scores.usual[:, place])
    for place, name in enumerate(measures):
        numbers[f"{name}_sigmas"] = None if scores is None else scores.sigmas[:, place]
    numbers["declared_chance"] = None if scores is None else scores.chances[:, 1]
    words: dict[str, pl.Series] = {}
    for place in range(3):
        numbers[f"heading_{place + 1}_chance"] = None if scores is None else scores.top_chances[:, place]
        known = None if model is None or scores is None else model.headings[scores.top[:, place]].tolist()
        column = pl.Series([None] * lines if known is None else known, dtype=pl.String)
        # No text has no heading; REST has no name.
        likely = None if scores is None else pl.Series(scores.top[:, place] < 0)
        column = column if likely is None else column.set(likely, None)
        words[f"model__goods_heading_{place + 1}"] = column.set(column == "", None)
    unknown = np.full(lines, np.nan)
    return {
        **{
            f"model__goods_{name}": pl.Series(unknown if given is None else given).fill_nan(None)
            for name, given in numbers.items()
        },
        **words,
    }


def headings_told(model: GoodsModel, scores: GoodsScores, declared: pl.Series) -> pl.Series:
    """Under which headings goods of a line's words usually go, as "640399 62%, 640411 21%" (lines,).

    The likeliest three, without those that are hardly likely; null where none is likely, and where the
    likeliest agrees with the `declared` heading in its four digits.
    """
    names, chances = model.headings[scores.top], scores.top_chances
    told: list[str | None] = []
    for own, of_line, likely in zip(declared, names, chances, strict=True):
        differs = of_line[0] != REST and not (own or "").startswith(of_line[0][:4])
        pairs = zip(of_line, likely, strict=True) if differs and likely[0] >= _LIKELY else ()
        parts = [f"{name} {chance:.0%}" for name, chance in pairs if name != REST and chance >= _TOLD]
        told.append(", ".join(parts) or None)
    return pl.Series(told, dtype=pl.String)


def _log(values: FloatArray) -> FloatArray:
    # One by one: numpy's vector code need not agree with itself at the end of a batch.
    return pl.Series(np.maximum(values, LEAST_CHANCE)).log().to_numpy()
