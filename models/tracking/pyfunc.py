"""The model as MLflow serves it: code, not a pickle, around the directory that `RiskModel` reads.

MLflow keeps a copy of this file with the model and runs it when the model is loaded; what it imports from
this program travels beside it in `code/`. Its input is the feature frame of `features.assemble` as pandas
(strings and float64), its answer the probabilities of the nightly job, to the last bit.
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import polars.selectors as cs
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

ARTIFACT = "risk_model"
_DISTRIBUTION = "parcel-risk"


class RiskPyfunc(PythonModel):
    """`predict` gives one probability a row."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model's directory."""
        _prefer_installed_code()
        from models.risk.risk_model import RiskModel

        self.model = RiskModel.load(Path(context.artifacts[ARTIFACT]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> npt.NDArray[np.float64]:
        """Probability a row (rows,) in [0, 1], in the order of the rows; the index plays no part."""
        return self.model.predict(to_polars(model_input))


def _prefer_installed_code() -> None:
    """Take the model's own code from the path, where MLflow put it first, if this program is installed.

    Its modules would otherwise hide those of the program, which are more and may be newer.
    """
    code = str(Path(__file__).with_name("code"))
    if code in sys.path and any(metadata.distributions(name=_DISTRIBUTION)):
        sys.path.remove(code)


def to_polars(frame: pd.DataFrame) -> pl.DataFrame:
    """A pandas frame in the types of the scoring path: text as String, None and NaN as null, no index.

    >>> to_polars(pd.DataFrame({"a": ["x", None], "b": [1.0, float("nan")]}, index=[7, 7]))
    shape: (2, 2)
    ┌──────┬──────┐
    │ a    ┆ b    │
    │ ---  ┆ ---  │
    │ str  ┆ f64  │
    ╞══════╪══════╡
    │ x    ┆ 1.0  │
    │ null ┆ null │
    └──────┴──────┘
    """
    converted = pl.from_pandas(frame, nan_to_null=True, include_index=False)
    return converted.with_columns(cs.by_dtype(pl.Categorical, pl.Enum).cast(pl.String))


set_model(RiskPyfunc())
