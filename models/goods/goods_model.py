"""What goods of such words usually cost and weigh, and under which heading they go: for every line its
surprise.

It is fitted on a sample of all lines without any label (`models.goods.fitting`), is one for all risks of a
training, and is kept as arrays in the directory of each.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.types import FloatArray, IntArray
from models.goods.kernel import NUMBERS, STORED, score_goods
from models.goods.lines import PLACES, GoodsLines
from models.text.declared import DeclaredTexts

REST = ""
"""The heading that stands for all those with too few lines to be known."""


@dataclass(frozen=True)
class GoodsScores:
    """What a goods model says of each line; NaN, or -1, where it has no text.

    Attributes:
        surprise: logarithms of the declared `MEASURES` less the expected ones (lines, measures).
        sigmas: the same in robust standard deviations of goods of the likeliest heading.
        usual: expected logarithms of the measures, whichever heading is declared (lines, measures).
        by_heading: how much higher these are than those expected under the declared heading.
        chances: probability of the declared six digits, of its four digits, and how much higher the tax rate
            of the likely headings is (lines, 3).
        top, top_chances: the likeliest headings by number, and their probabilities (lines, TOP).
        declared: the number of the declared heading (lines,).
    """

    surprise: FloatArray
    sigmas: FloatArray
    usual: FloatArray
    by_heading: FloatArray
    chances: FloatArray
    top: IntArray
    top_chances: FloatArray
    declared: IntArray

    def __getitem__(self, rows: npt.NDArray[np.generic]) -> GoodsScores:
        """Those of some lines."""
        return GoodsScores(*(getattr(self, each.name)[rows] for each in fields(self)))


@dataclass(frozen=True)
class GoodsModel:
    """The fitted tables; parts are those of `models.goods.lines`.

    Attributes:
        places: the places of words and categories that are known, ascending (rows,).
        words: what each adds to the measures and to the inside of the headings (parts, rows, NUMBERS), in
            whole steps: sums of them are exact.
        steps: how large a step of each of the numbers is (NUMBERS,).
        middles: intercepts of the measures (parts, measures).
        headings: six digits each, the last one is `REST` (headings,).
        weights, intercepts: of the headings (parts, WIDTH, headings) and (parts, headings).
        effects: what a declared heading adds to the measures (parts, headings, measures).
        spreads: robust standard deviations of the surprises by likeliest heading (headings, measures).
        rates: the usual tax rate of each heading (headings,).
    """

    places: IntArray
    words: npt.NDArray[np.int16]
    steps: FloatArray
    middles: FloatArray
    headings: npt.NDArray[np.str_]
    weights: FloatArray
    intercepts: FloatArray
    effects: FloatArray
    spreads: FloatArray
    rates: FloatArray

    @cached_property
    def fingerprint(self) -> str:
        """Names all numbers of the model: two with the same say the same."""
        digest = hashlib.sha256()
        for each in fields(self):
            digest.update(np.ascontiguousarray(getattr(self, each.name)).tobytes())
        return digest.hexdigest()

    @cached_property
    def _tables(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int16], FloatArray, FloatArray]:
        row_of = np.full(PLACES, -1, dtype=np.int32)
        row_of[self.places] = np.arange(len(self.places), dtype=np.int32)
        table = np.zeros((*self.words.shape[:2], STORED), dtype=np.int16)
        table[:, :, :NUMBERS] = self.words
        return row_of, table, self.steps, self.middles

    @cached_property
    def _four_digits(self) -> IntArray:
        return np.unique([heading[:4] for heading in self.headings], return_inverse=True)[1].astype(np.int64)

    def numbers(self, headings: pl.Series) -> IntArray:
        """The number of each declared heading (lines,), given by six digits; that of `REST` where unknown."""
        known = pl.DataFrame({"heading": self.headings[:-1].tolist()}, schema={"heading": pl.String})
        named = headings.alias("heading").to_frame()
        joined = named.join(known.with_row_index("number"), on="heading", how="left", maintain_order="left")
        return joined["number"].fill_null(len(self.headings) - 1).cast(pl.Int64).to_numpy()

    def score(self, frame: pl.DataFrame, texts: DeclaredTexts | None = None) -> GoodsScores:
        """What the model says of the lines of a feature frame; each line's numbers depend on it alone.

        `texts` are those of the frame, where somebody has them already.
        """
        lines = GoodsLines.of(frame, texts)
        declared = self.numbers(lines.headings)
        expected, chances, top, top_chances = score_goods(
            (lines.grams.texts, lines.categories, lines.parts, declared),
            (lines.grams.rows, lines.grams.columns),
            self._tables,
            (self.weights, self.intercepts, self.effects),
            (self._four_digits, self.rates),
        )
        surprise = lines.declared - expected[:, 0]
        return GoodsScores(
            surprise, surprise / self.spreads[top[:, 0]], expected[:, 1], expected[:, 1] - expected[:, 0],
            chances, top, top_chances, declared,
        )  # fmt: skip

    def save(self, path: Path) -> None:
        """Write all arrays to an `.npz` file."""
        with path.open("wb") as file:
            np.savez_compressed(file, **{each.name: getattr(self, each.name) for each in fields(self)})

    @classmethod
    def load(cls, path: Path) -> GoodsModel:
        """Read what `save` wrote; arrays only, nothing is unpickled."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(**{each.name: stored[each.name] for each in fields(cls)})
