"""What the declared text alone says about a risk: a linear model over hashed n-grams, one dense feature.

LightGBM on hashed sparse text trains badly; the score of a linear model does not, as long as the lines that
a tree is trained on got it from a model that has not seen their text (Wolpert 1992, "Stacked
Generalization").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.hashing import hash_text
from features.arrays.types import BoolArray, FloatArray, IntArray
from models.text.declared import DeclaredTexts
from models.text.grams import BUCKETS, clean_text, gram_matrix, linear_score
from models.text.telling_words import telling_words

_OUT_OF_FOLD = 4
_MIN_LINES_OF_GRAM = 2


@dataclass(frozen=True)
class TextScore:
    """Weights (BUCKETS,) float32 and intercept of the linear model, whose score is a log-odds."""

    weights: npt.NDArray[np.float32]
    intercept: float

    def score(self, frame: pl.DataFrame) -> FloatArray:
        """Score a line (lines,), NaN where name and model are both missing."""
        return text_scores([self], DeclaredTexts(frame))[0]

    def telling_words(self, frame: pl.DataFrame) -> tuple[pl.Series, FloatArray]:
        """The word of each line that raises the score most, and how many times it makes the odds what they
        would be without it (lines,); null and NaN where none does. See `models.text.telling_words`.
        """
        return telling_words(frame, self.weights, self.intercept)

    def save(self, path: Path) -> None:
        """Write the weights that are not zero to an `.npz` file."""
        used = np.flatnonzero(self.weights).astype(np.int32)
        intercept = np.array([self.intercept], dtype=np.float64)
        with path.open("wb") as file:
            np.savez_compressed(file, buckets=used, weights=self.weights[used], intercept=intercept)

    @classmethod
    def load(cls, path: Path) -> TextScore:
        """Read what `save` wrote; arrays only, nothing is unpickled."""
        with np.load(path, allow_pickle=False) as stored:
            weights = np.zeros(BUCKETS, dtype=np.float32)
            weights[stored["buckets"]] = stored["weights"]
            return cls(weights, float(stored["intercept"][0]))


def text_scores(models: Sequence[TextScore], texts: DeclaredTexts) -> list[FloatArray]:
    """`TextScore.score` of several models, which read each distinct text once for all of them."""
    if not models:
        return []
    weights = np.stack([model.weights for model in models], axis=1)
    scores = texts.grams.linear_scores(weights, np.array([model.intercept for model in models]))
    return [scores[:, place] for place in range(len(models))]


def fit_text_score(frame: pl.DataFrame, target: FloatArray) -> tuple[TextScore, FloatArray] | None:
    """The model on all lines that have text, and each line's score from models that have not seen its text.

    `target` (lines,) is 1 for a finding, else 0. Lines with the same text are in the same of four folds.
    Returns None where there is too little text to learn from: fewer than 20 lines, or no finding, or nothing
    but findings.
    """
    text = clean_text(frame)
    usable = text.is_not_null().to_numpy() & np.isfinite(target)
    if usable.sum() < 20 or np.ptp(target[usable]) == 0.0:
        return None
    folds = (hash_text(text).fill_null(0).to_numpy() % np.uint64(_OUT_OF_FOLD)).astype(np.int64)
    matrix = gram_matrix(text)
    lines_of_gram = np.bincount(matrix[usable].indices, minlength=BUCKETS)
    kept = np.flatnonzero(lines_of_gram >= _MIN_LINES_OF_GRAM)
    if len(kept) == 0:
        return None
    matrix = matrix[:, kept]
    out_of_fold = np.full(len(text), np.nan)
    for fold in range(_OUT_OF_FOLD):
        model = _on_kept(matrix, target, usable & (folds != fold), kept)
        mine = folds == fold
        out_of_fold[mine] = linear_score(text.filter(pl.Series(mine)), model.weights, model.intercept)
    return _on_kept(matrix, target, usable, kept), out_of_fold


def _on_kept(matrix: Any, target: FloatArray, rows: BoolArray, kept: IntArray) -> TextScore:
    from sklearn.linear_model import LogisticRegression

    weights = np.zeros(BUCKETS, dtype=np.float32)
    if not rows.any() or np.ptp(target[rows]) == 0.0:
        return TextScore(weights, 0.0)
    # liblinear works in the space of the lines, which is small; lbfgs would carry dense vectors of all grams.
    model = LogisticRegression(C=1.0, solver="liblinear", dual=True, max_iter=2000, random_state=0, tol=1e-3)
    model.fit(matrix[rows], target[rows] > 0.5)
    weights[kept] = model.coef_[0]
    return TextScore(weights, float(model.intercept_[0]))
