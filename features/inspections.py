"""The name under which the contract knows `features.contract.inspections`."""

from features.contract.inspections import (
    INSPECTION_COLUMNS,
    INSPECTION_KEY,
    INSPECTION_SCHEMA,
    validate_inspections,
)

__all__ = ["INSPECTION_COLUMNS", "INSPECTION_KEY", "INSPECTION_SCHEMA", "validate_inspections"]
