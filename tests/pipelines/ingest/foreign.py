"""A mapping of a small foreign table."""

from __future__ import annotations

from typing import Any

MAPPING: dict[str, Any] = {
    "constants": {"line_no": 1, "currency": "USD"},
    "rename": {
        "declaration_id": "id", "declared_at": "date", "hs_code": "hs", "origin_country": "origin",
        "total_price": "value",
    },
}  # fmt: skip
