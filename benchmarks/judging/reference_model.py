"""What a good data scientist writes in an afternoon, to compare with: LightGBM on plain columns.

Native categories, log price, price per kg, price over the heading's median, hashed text, hit rates of seller
and address. It learns from the same inspected lines, up to the same day, as the models of this program, and
on a later day it knows the results that were reported before that day, as they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from benchmarks.judging.reference_features import (
    CATEGORIES,
    NUMBERS,
    hit_rate_columns,
    hit_rates,
    over_medians,
    with_columns_of,
)
from features.arrays.types import BoolArray, FloatArray
from features.contract.declarations import LINE_KEY
from features.history.results import known_labels

# Small steps and leaves of 50 lines: beside 0.05 and 20 they took average precision of undervaluation in a
# world of development (seed 11) from 0.200 to 0.210.
_TREES: dict[str, Any] = {
    "n_estimators": 300,
    "num_leaves": 31,
    "learning_rate": 0.03,
    "min_child_samples": 50,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.8,
}
_RARE = 30
# What most goods are taxed at in cross-border retail: 70% of a VAT of 13%.
_TAX = 0.091


@dataclass(frozen=True)
class ReferenceScores:
    """Of each later line (lines,): probability of a finding, and the expected tax found in CNY."""

    probability: FloatArray
    expected_tax_cny: FloatArray


def reference_scores(
    plain: pl.DataFrame,
    inspections: pl.DataFrame,
    later: pl.DataFrame,
    *,
    label: str,
    until: date,
    seed: int,
    threads: int = 1,
) -> ReferenceScores:
    """Learn on what was reported up to and including `until`, score later days.

    Args:
        plain: all declarations up to the last later day, those included, from `plain_columns`.
        inspections: all results; each counts on the days after its report, and is learned from up to `until`.
        later: key (`declaration_id`, `line_no`) of the lines to score; the scores come in its order.
        label: column of the finding.
        until: last day of report that the model learns from.
        seed: of the trees and of the folds of the text.
        threads: of LightGBM.
    """
    newest = inspections["reported_on"].max()
    assert isinstance(newest, date)
    reported = with_columns_of(_known(inspections, label, newest), plain)
    targets = _known(inspections, label, until).select(*LINE_KEY, "found")
    past = plain.join(targets, on=LINE_KEY, how="inner").sort(*LINE_KEY)
    future = later.select(LINE_KEY).join(
        plain, on=LINE_KEY, how="left", validate="1:1", maintain_order="left"
    )
    train, test = (
        hit_rates(over_medians(plain, rows.with_row_index("place")), reported).sort("place")
        for rows in (past, future)
    )
    found = train["found"].to_numpy()
    learned, asked = _text_scores(train, test, found, seed)
    x, z = _frames(train, test)
    model = lightgbm.LGBMClassifier(
        **_TREES, random_state=seed, n_jobs=threads, deterministic=True, verbosity=-1
    )
    model.fit(x.assign(text_score=learned), found)
    probability = np.asarray(model.predict_proba(z.assign(text_score=asked)))[:, 1]
    # A laboratory tests food, not toys: what is never examined has no such finding.
    examined = test["hs2"].is_in(train["hs2"].unique().to_list()).to_numpy()
    probability = np.where(examined, probability, 0.0)
    return ReferenceScores(probability, probability * _tax(test))


def _known(inspections: pl.DataFrame, label: str, until: date) -> pl.DataFrame:
    """Inspected lines with a result for the label by the close of `until`: `found` and `known_on`."""
    return (
        known_labels(inspections, until)
        .filter(pl.col(label).is_not_null())
        .select(
            *LINE_KEY,
            pl.col(label).alias("found"),
            pl.col(f"reported_on__{label}").alias("known_on"),
        )
    )


def _text(frame: pl.DataFrame) -> list[str]:
    both = pl.concat_str(pl.col("item_name", "item_model").fill_null(""), separator=" ")
    return frame.select(both.str.to_lowercase()).to_series().to_list()


def _text_scores(
    train: pl.DataFrame, test: pl.DataFrame, found: BoolArray, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Log-odds of a linear model of character n-grams: out of fold by seller while learning, then of all."""
    hashed = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=2**18, alternate_sign=False)
    x, z = hashed.transform(_text(train)), hashed.transform(_text(test))
    linear = LogisticRegression(C=1.0, solver="liblinear", random_state=seed)
    sellers = train["seller_id"].fill_null(train["declaration_id"]).to_numpy()
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    out_of_fold = cross_val_predict(linear, x, found, cv=folds, groups=sellers, method="decision_function")
    return np.asarray(out_of_fold), np.asarray(linear.fit(x, found).decision_function(z))


def _frames(train: pl.DataFrame, test: pl.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both as pandas with the same categories; values with fewer than 30 lines are missing."""
    columns = [*NUMBERS, *hit_rate_columns(), *CATEGORIES]
    x, z = train.select(columns).to_pandas(), test.select(columns).to_pandas()
    for name in CATEGORIES:
        counts = x[name].value_counts()
        kept = pd.CategoricalDtype(sorted(counts[counts >= _RARE].index))
        for frame in (x, z):
            frame[name] = frame[name].where(frame[name].isin(kept.categories)).astype(kept)
    for name in set(columns) - set(CATEGORIES):
        x[name], z[name] = x[name].astype("float64"), z[name].astype("float64")
    return x, z


def _tax(lines: pl.DataFrame) -> FloatArray:
    """Tax of the whole line in CNY; ranking by what the median lies above the declared price did worse."""
    return lines.select((_TAX * pl.col("total")).fill_null(0.0)).to_series().to_numpy()
