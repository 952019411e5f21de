"""The data contract of inspections: one row an inspected line and report."""

from __future__ import annotations

import polars as pl

INSPECTION_KEY = ("declaration_id", "line_no", "reported_on")

INSPECTION_COLUMNS: dict[str, pl.DataType] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "inspected_on": pl.Date(),
    "reported_on": pl.Date(),
    "selection": pl.String(),
    "inspection_probability": pl.Float64(),
    "undervaluation": pl.Boolean(),
    "prohibited_item": pl.Boolean(),
    "food_safety": pl.Boolean(),
    "assessed_unit_price": pl.Float64(),
    "recovered_tax_cny": pl.Float64(),
}
