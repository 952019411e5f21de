"""The name under which the contract knows `features.contract.declarations`."""

from features.contract.declarations import (
    DECLARATION_COLUMNS,
    DECLARATION_SCHEMA,
    LINE_KEY,
    validate_declarations,
)

__all__ = ["DECLARATION_COLUMNS", "DECLARATION_SCHEMA", "LINE_KEY", "validate_declarations"]
