"""The model as MLflow serves it: code, not a pickle, around the directory that `RiskModel` reads.

MLflow keeps a copy of this file with the model and runs it when the model is loaded, so it must stand on
its own but for the installed packages. Its input is the feature frame of `features.assemble` as pandas
(strings and float64), its answer the probabilities of the nightly job, to the last bit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import polars.selectors as cs
from mlflow.models import ModelSignature, set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types import ColSpec, Schema, TensorSpec

from features.assemble import CARRIED_COLUMNS, KEY_COLUMNS
from models.risk_model import RiskModel

ARTIFACT = "risk_model"
_NUMBERS = frozenset({"line_no", "unit_price", "total_price"})


class RiskPyfunc(PythonModel):
    """`predict` gives one probability a row."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model's directory."""
        self.model = RiskModel.load(Path(context.artifacts[ARTIFACT]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> npt.NDArray[np.float64]:
        """Probability a row (rows,) in [0, 1], in the order of the rows; the index plays no part."""
        return self.model.predict(to_polars(model_input))


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


def signature_of(model: RiskModel) -> ModelSignature:
    """Strings and doubles by name: the required columns, and those that a frame may bring besides."""
    carried = {name: name not in _NUMBERS for name in (*KEY_COLUMNS, *CARRIED_COLUMNS)}
    required = frozenset(model.required_columns)
    columns = {
        **model.input_columns,
        **{name: text for name, text in carried.items() if name not in model.input_columns},
    }
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec("string" if text else "double", name, required=name in required)
        for name, text in columns.items()
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema([ColSpec("double")]))


set_model(RiskPyfunc())
