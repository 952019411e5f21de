"""A mapping of a small foreign table, and the lines that a store holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipelines.store.store import Store

MAPPING: dict[str, Any] = {
    "constants": {"line_no": 1, "currency": "USD"},
    "rename": {
        "declaration_id": "id", "declared_at": "date", "hs_code": "hs", "origin_country": "origin",
        "total_price": "value",
    },
}  # fmt: skip


def lines_of(store: Path) -> pl.DataFrame:
    """All declarations of a store, by number."""
    return Store.open(store).scan_declarations().collect().sort("declaration_id")
