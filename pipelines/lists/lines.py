"""The lines of a listed parcel: a listed line is one of several, and an inspector opens them all."""

from __future__ import annotations

import polars as pl

LINES = "lines"
"""The column with a parcel's lines."""
SHOWN_OF_LINES: dict[str, pl.DataType] = {
    "line_no": pl.Int32(),
    "item_name": pl.String(),
    "item_model": pl.String(),
    "hs_code": pl.String(),
    "quantity": pl.Float64(),
    "unit": pl.String(),
    "total_price_cny": pl.Float64(),
}
"""What is shown of each; a unit's name in another language is a further field."""
LINES_TYPE: pl.DataType = pl.List(pl.Struct(SHOWN_OF_LINES))
