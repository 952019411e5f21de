"""What a registered model takes and gives, as MLflow checks it before every call."""

from __future__ import annotations

from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec

from features.assemble import CARRIED_COLUMNS, COMPARED_COLUMNS, KEY_COLUMNS
from models.risk.risk_model import RiskModel

_NUMBERS = frozenset({"line_no", "unit_price", "total_price", "unit_price_cny", "cny_per_kg", "kg_per_unit"})


def signature_of(model: RiskModel) -> ModelSignature:
    """Strings and doubles by name: the required columns, and those that a frame may bring besides."""
    carried = {name: name not in _NUMBERS for name in (*KEY_COLUMNS, *CARRIED_COLUMNS, *COMPARED_COLUMNS)}
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
