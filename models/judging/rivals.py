"""LightGBM and CatBoost as they come: no parameter set, text as their own categories, on given columns.

They stand for what anybody gets in an afternoon from the same rows, so nothing is tuned here; what is set
only makes a second run agree with the first. CatBoost is an extra (`pip install 'parcel-risk[bench]'`).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from features.arrays.types import BoolArray, FloatArray

if TYPE_CHECKING:
    import pandas as pd


def lightgbm_as_it_comes(
    past: pl.DataFrame, found: BoolArray, later: pl.DataFrame, *, seed: int, threads: int = 1
) -> FloatArray:
    """Probability of each `later` line (lines,) from an LGBMClassifier that learned from `past` lines.

    Both frames have the same columns, all of which are used: String is a category, everything else a number.
    """
    import lightgbm
    import pandas as pd

    x, z = _numbered(past), _numbered(later)
    for name in _texts(past):
        kind = pd.CategoricalDtype(sorted(x[name].dropna().unique()))
        x[name] = x[name].astype(kind)
        z[name] = z[name].where(z[name].isin(kind.categories)).astype(kind)
    model = lightgbm.LGBMClassifier(
        random_state=seed, n_jobs=threads, verbosity=-1, deterministic=True, force_col_wise=True
    )
    return _second(model.fit(x, found).predict_proba(z))


def catboost_as_it_comes(
    past: pl.DataFrame, found: BoolArray, later: pl.DataFrame, *, seed: int, threads: int = 1
) -> FloatArray | None:
    """The same from a CatBoostClassifier; None where CatBoost is not installed."""
    if find_spec("catboost") is None:
        return None
    from catboost import CatBoostClassifier

    x, z, texts = _numbered(past), _numbered(later), _texts(past)
    for frame in (x, z):
        frame[texts] = frame[texts].fillna("")
    model = CatBoostClassifier(
        random_seed=seed, cat_features=texts, thread_count=threads, allow_writing_files=False, verbose=False
    )
    return _second(model.fit(x, found).predict_proba(z))


def _numbered(frame: pl.DataFrame) -> pd.DataFrame:
    """The columns, with their places for names: LightGBM takes no sign of JSON in one."""
    columns = [
        (frame[name] if dtype == pl.String else frame[name].cast(pl.Float64)).alias(str(place))
        for place, (name, dtype) in enumerate(frame.schema.items())
    ]
    return pl.DataFrame(columns).to_pandas()


def _texts(frame: pl.DataFrame) -> list[str]:
    return [str(place) for place, dtype in enumerate(frame.dtypes) if dtype == pl.String]


def _second(probabilities: Any) -> FloatArray:
    return np.asarray(probabilities, dtype=np.float64)[:, 1]
