"""Fits a goods model on lines of all kinds, without any label.

A ring of sellers would set its own norms if every line counted alike: the lines of a seller count together
no more than `_LINES_OF_SELLER` do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from features.arrays.hashing import text_hashes
from features.arrays.types import FloatArray, IntArray
from features.contract.declarations import LINE_KEY
from models.goods.goods_model import REST, GoodsModel
from models.goods.headings import WIDTH, fit_headings
from models.goods.kernel import NUMBERS
from models.goods.lines import CATEGORY_VALUE, MEASURES, PARTS, PLACES, GoodsLines, learned_by
from models.goods.norms import MAD_OF_NORMAL, fit_norms
from models.trees.columns import number_column

LEAST_LINES = 2_000
_LINES_OF_PART = 200
_LINES_OF_SELLER = 20.0
_LINES_OF_PLACE = 3
_LINES_OF_HEADING = 20
_MOST_HEADINGS = 511
# So many lines of a heading are needed before its spread counts as much as that of all.
_PRIOR_LINES = 50.0
_NARROWEST = 0.1
_MOST_STEPS = 32_000.0


def fit_goods_model(sample: pl.DataFrame, seed: int) -> GoodsModel | None:
    """The model of a sample of all lines; None with fewer than `LEAST_LINES` that have a name, and where
    these have so few names or sellers that a part has hardly any others to learn from.

    `sample` has the columns that `GoodsLines` reads, `LINE_KEY`, and `tax_rate`. Its order does not matter.
    """
    sample = sample.sort(LINE_KEY)
    lines = GoodsLines.of(sample)
    learned = [learned_by(lines.parts, part) for part in range(PARTS)]
    if (lines.grams.counts > 0).sum() < LEAST_LINES or min(map(len, learned)) < _LINES_OF_PART:
        return None
    headings = _known_headings(lines.headings)
    matrix, places = _matrix(lines)
    blank = np.zeros((len(headings), len(MEASURES)))
    model = GoodsModel(
        places,
        np.zeros((PARTS, len(places), NUMBERS), dtype=np.int16),
        np.ones(NUMBERS),
        np.zeros((PARTS, len(MEASURES))),
        headings,
        np.zeros((PARTS, WIDTH, len(headings))),
        np.zeros((PARTS, len(headings))),
        np.zeros((PARTS, *blank.shape)),
        blank + 1.0,
        np.zeros(len(headings)),
    )
    declared, weights = model.numbers(lines.headings), _weights(sample)
    model.rates[:] = _rates(sample, declared, len(headings))
    table = np.empty(model.words.shape)
    table[:, :, : len(MEASURES)] = _fit_measures(model, matrix, lines, declared, weights)
    for part in range(PARTS):
        fitted = fit_headings(matrix, declared, len(headings), weights, learned[part], seed + part)
        table[part, :, len(MEASURES) :] = fitted.words
        model.weights[part], model.intercepts[part] = fitted.headings, fitted.intercepts
    model.steps[:] = np.maximum(np.abs(table).max(axis=(0, 1)), 1e-9) / _MOST_STEPS
    model.words[:] = np.rint(table / model.steps).astype(np.int16)
    model.spreads[:] = _spreads(model, sample)
    return model


def _known_headings(declared: pl.Series) -> np.typing.NDArray[np.str_]:
    counts = declared.drop_nulls().value_counts().filter(pl.col("count") >= _LINES_OF_HEADING)
    name = counts.columns[0]
    kept = counts.sort(["count", name], descending=[True, False]).head(_MOST_HEADINGS)
    return np.array([*sorted(kept[name].to_list()), REST], dtype="U6")


def _matrix(lines: GoodsLines) -> tuple[Any, IntArray]:
    """The lines as scipy CSR (lines, rows of the model), and the places that enough lines have."""
    from scipy import sparse

    texts = lines.grams
    counts = np.diff(texts.rows)
    values = np.repeat(1.0 / np.sqrt(np.maximum(counts, 1)), counts)
    grams = sparse.csr_matrix((values, texts.columns, texts.rows), shape=(len(counts), PLACES))[texts.texts]
    rows, numbers = np.nonzero(lines.categories >= 0)
    of_line = lines.categories[rows, numbers]
    categories = sparse.csr_matrix(
        (np.full(len(rows), CATEGORY_VALUE), (rows, of_line)), shape=(len(lines), PLACES)
    )
    matrix = (grams + categories).tocsr()
    matrix.sum_duplicates()
    places = np.flatnonzero(np.bincount(matrix.indices, minlength=PLACES) >= _LINES_OF_PLACE)
    return matrix[:, places].tocsr(), places


def _weights(sample: pl.DataFrame) -> FloatArray:
    sellers = text_hashes(sample["seller_id"])
    _, groups, counts = np.unique(sellers, return_inverse=True, return_counts=True)
    return np.where(sellers == 0, 1.0, np.minimum(1.0, _LINES_OF_SELLER / counts[groups]))


def _rates(sample: pl.DataFrame, declared: IntArray, count: int) -> FloatArray:
    """The mean rate of each heading's lines, that of all lines where none is known."""
    rates = number_column(sample, "tax_rate")
    known = np.isfinite(rates)
    lines = np.bincount(declared[known], minlength=count)
    sums = np.bincount(declared[known], weights=rates[known], minlength=count)
    usual = float(rates[known].mean()) if known.any() else 0.0
    return np.where(lines > 0, sums / np.maximum(lines, 1), usual)


def _fit_measures(
    model: GoodsModel, matrix: Any, lines: GoodsLines, declared: IntArray, weights: FloatArray
) -> FloatArray:
    """Fits intercepts and effects of headings into the model; what words add (parts, rows, measures)."""
    from scipy import sparse

    own = sparse.csr_matrix(
        (np.ones(len(lines)), (np.arange(len(lines)), declared)), shape=(len(lines), len(model.headings))
    )
    wide, words = sparse.hstack([matrix, own]).tocsr(), matrix.shape[1]
    table = np.empty((PARTS, words, len(MEASURES)))
    for measure in range(len(MEASURES)):
        coefficients, middles = fit_norms(wide, lines.declared[:, measure], weights, lines.parts)
        table[:, :, measure] = coefficients[:, :words]
        model.effects[:, :, measure] = coefficients[:, words:]
        model.middles[:, measure] = middles
    return table


def _spreads(model: GoodsModel, sample: pl.DataFrame) -> FloatArray:
    """Robust standard deviations of the surprises (headings, measures), drawn to that of all lines."""
    scores = model.score(sample)
    spreads = np.full(model.spreads.shape, np.nan)
    for measure in range(len(MEASURES)):
        away = np.abs(scores.surprise[:, measure])
        known = np.isfinite(away)
        every = float(np.median(away[known])) if known.any() else 1.0
        table = pl.DataFrame({"heading": scores.top[known, 0], "away": away[known]})
        of = table.group_by("heading").agg(pl.len().alias("lines"), pl.col("away").median()).sort("heading")
        spreads[:, measure] = every
        lines, median = of["lines"].to_numpy(), of["away"].to_numpy()
        shrunk = (lines * median + _PRIOR_LINES * every) / (lines + _PRIOR_LINES)
        spreads[of["heading"].to_numpy(), measure] = shrunk
    return np.maximum(spreads * MAD_OF_NORMAL, _NARROWEST)
