"""From a feature frame to the numbers of a risk's trees, with all that was learned on the way.

The feature columns come first, then the scores of the smaller models: what the text says, and how far the
declared price is from the expected one, and what models of goods make of it. While fitting, a line gets these
from models that have not seen it; those of the goods model, which is fitted before, then stand in the frame.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from configs.schema.risk import RiskConfig
from features.arrays.types import BoolArray, FloatArray
from models.goods.columns import GOODS_BLOCK, GOODS_COLUMNS, goods_columns
from models.goods.goods_model import GoodsModel, GoodsScores
from models.risk.fair_value import FairValue, LogPrices, declared_log_price, fit_fair_value
from models.text.score import TextScore, fit_text_score
from models.trees.categories import CategoryMaps
from models.trees.columns import FeatureColumns, block_of, feature_columns, narrow, number_column
from models.trees.matrix import Columns, Matrix
from models.trees.number_columns import ColumnBuffer, FrameNumbers, column_slices

TEXT_SCORE = "model__text_score"
LOG_PRICE_RATIO = "model__log_price_ratio"
PRICE_POSITION = "model__price_position"
_GOODS_FILE = "goods_model.npz"
_OWN_BLOCKS = {TEXT_SCORE: "text_score", LOG_PRICE_RATIO: "fair_value", PRICE_POSITION: "fair_value"}
_OWN_BLOCKS |= dict.fromkeys(GOODS_COLUMNS, GOODS_BLOCK)


@dataclass(frozen=True)
class Learned:
    """Scores of the smaller models a line (lines,), NaN where unknown; None where there is no such model."""

    text_score: FloatArray | None
    log_prices: LogPrices | None
    goods: GoodsScores | None = None


@dataclass(frozen=True)
class Encoder:
    """Fitted columns, text score, fair price and goods model of one risk.

    `uses_goods` says whether the columns of a goods model are part of the matrix; while `goods` is None they
    are read from the frame.
    """

    columns: FeatureColumns
    text: TextScore | None
    fair_value: FairValue | None
    goods: GoodsModel | None = None
    uses_goods: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the matrix: the frame's, then those of the smaller models."""
        own = [
            (TEXT_SCORE, self.text),
            (LOG_PRICE_RATIO, self.fair_value),
            (PRICE_POSITION, self.fair_value),
        ]
        goods = GOODS_COLUMNS if self.uses_goods else ()
        return (*self.columns.names, *(name for name, model in own if model is not None), *goods)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The block of each matrix column; the smaller models are blocks of their own."""
        return tuple(_OWN_BLOCKS.get(name) or block_of(name) or name for name in self.names)

    def learned(
        self,
        frame: pl.DataFrame,
        *,
        threads: int = 1,
        numbers: FrameNumbers | None = None,
        text_score: FloatArray | None = None,
        goods: GoodsScores | None = None,
    ) -> Learned:
        """What the smaller models say about each line.

        `numbers` are those of the frame, `text_score` (lines,) is that of its text, and `goods` what the
        goods model says, where somebody has them already.
        """
        if self.goods is None:
            goods = None
        elif goods is None:
            goods = self.goods.score(frame)
        text = None if self.text is None else text_score
        if self.text is not None and text is None:
            text = self.text.score(frame)
        if self.fair_value is None:
            return Learned(text, None, goods)
        prices = self.fair_value.expected_log_prices(frame, threads=threads, numbers=numbers)
        return Learned(text, prices, goods)

    def matrix(self, frame: pl.DataFrame, learned: Learned) -> Matrix:
        """The numbers of all columns for each line, from the frame and what `learned` says about it."""
        given = self._of_smaller_models(frame, learned)
        values = self.columns.numbers(frame, spare=len(given))
        for place, own in enumerate(given, start=len(self.columns.names)):
            values[:, place] = narrow(own)
        return Matrix(values, self.names, self.columns.categorical)

    def slices(
        self, frame: pl.DataFrame, learned: Learned, places: Sequence[int], numbers: FrameNumbers
    ) -> Iterator[tuple[slice, Columns]]:
        """The columns of `matrix` at these places alone, a slice of lines after the other."""
        own = [ColumnBuffer(values) for values in self._of_smaller_models(frame, learned)]
        names = self.columns.names
        columns = [
            numbers.column(self.columns, names[place]) if place < len(names) else own[place - len(names)]
            for place in places
        ]
        return column_slices(columns, places, frame.height)

    def _of_smaller_models(self, frame: pl.DataFrame, learned: Learned) -> list[FloatArray]:
        extra = [learned.text_score]
        if self.fair_value is not None and learned.log_prices is not None:
            declared = declared_log_price(frame, self.fair_value.basis)
            extra += [declared - learned.log_prices.median, learned.log_prices.position(declared)]
        if self.uses_goods and learned.goods is not None:
            extra += goods_columns(learned.goods)
        elif self.uses_goods:
            extra += [number_column(frame, name) for name in GOODS_COLUMNS]
        return [values for values in extra if values is not None]

    def save(self, directory: Path) -> None:
        """Write `columns.json` and the files of the smaller models into the directory."""
        parts = {"text_score": self.text is not None, "fair_value": self.fair_value is not None}
        parts["goods_model"] = self.goods is not None
        stored = {**self.columns.as_dict(), "parts": parts}
        text = json.dumps(stored, ensure_ascii=False, indent=1, sort_keys=True)
        (directory / "columns.json").write_text(text + "\n", encoding="utf-8")
        if self.text is not None:
            self.text.save(directory / "text_score.npz")
        if self.fair_value is not None:
            self.fair_value.save(directory)
        if self.goods is not None:
            self.goods.save(directory / _GOODS_FILE)

    @classmethod
    def load(cls, directory: Path) -> Encoder:
        """Read what `save` wrote."""
        stored = json.loads((directory / "columns.json").read_text(encoding="utf-8"))
        columns = FeatureColumns(tuple(stored["names"]), CategoryMaps.from_dict(stored["categories"]))
        # Models of before know nothing of goods.
        has_goods = stored["parts"].get("goods_model", False)
        # The list of parts decides, not the files: a directory may hold those of an earlier model.
        return cls(
            columns,
            TextScore.load(directory / "text_score.npz") if stored["parts"]["text_score"] else None,
            FairValue.load(directory) if stored["parts"]["fair_value"] else None,
            GoodsModel.load(directory / _GOODS_FILE) if has_goods else None,
            uses_goods=has_goods,
        )


def fit_encoder(
    frame: pl.DataFrame, found: BoolArray, risk: RiskConfig, *, seed: int, threads: int
) -> tuple[Encoder, Learned]:
    """Fit on inspected lines; the second result is what models that have not seen a line say about it."""
    names = feature_columns(frame, risk)
    text = fit_text_score(frame, found.astype(np.float64)) if risk.text_score else None
    price = fit_fair_value(frame, names, found, seed=seed, threads=threads) if risk.fair_value else None
    encoder = Encoder(
        FeatureColumns.fit(frame, names),
        None if text is None else text[0],
        None if price is None else price[0],
        uses_goods=risk.goods_models and set(GOODS_COLUMNS) <= set(frame.columns),
    )
    return encoder, Learned(None if text is None else text[1], None if price is None else price[1])
