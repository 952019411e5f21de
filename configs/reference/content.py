"""How much is in a line, in kilograms or litres and in sheets: some taxes begin at a price of these."""

from __future__ import annotations

from typing import Final

import polars as pl

from configs.reference.taxable import PARCEL_LINES

CONTENT: Final = ("content_kg", "content_sheets")
"""How many kilograms or litres, and how many sheets, are in a line."""
_TEXTS: Final = ("item_name", "item_model")
_SHEET_UNITS: Final = ("010", "020")
_LITRES: Final = {"063": 1000.0, "095": 1.0, "096": 0.001}
# Kilograms or litres in one of what a name states: for these taxes a millilitre is as good as a gram.
_STATED: Final = {
    **dict.fromkeys(("ml", "毫升", "cc", "g", "克", "公克"), 0.001),
    **dict.fromkeys(("l", "升", "kg", "千克", "公斤"), 1.0),
    **dict.fromkeys(("cl", "厘升"), 0.01),
    **dict.fromkeys(("mg", "毫克"), 0.000001),
    **dict.fromkeys(("floz", "oz", "盎司"), 0.0284),
}
_UNIT: Final = "|".join(sorted(_STATED, key=len, reverse=True))
_AMOUNT: Final = (
    r"(?:(?:^|[^a-z0-9.])([0-9]{1,2})[ ]*[x×*][ ]*)?"
    rf"([0-9]+(?:\.[0-9]+)?)[ ]*({_UNIT})"
    r"(?:[ ]*[x×*][ ]*([0-9]{1,2})(?:[^0-9.]|$)|[^a-z]|$)"
)
_SHEETS: Final = r"([0-9]+)[ ]*(?:片|张|枚|(?:sheets?|pcs|pieces?)(?:[^a-z]|$))"


def with_content(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return lines with `content_kg` and `content_sheets`, null where the line does not tell.

    The declared unit decides where it is a weight, a volume or a sheet. Else it is what name or model state
    ("50ml", "25ml*5", "5 sheets") of each piece; else the statutory quantity; else the net weight of a parcel
    of one line.

    Args:
        frame: needs item_name, item_model, quantity, unit, legal_quantity, net_weight_kg, `kg_factor`,
            `legal_kg_factor`, `pieces_factor` and `_parcel_lines`.
    """
    lines = frame
    for name in _TEXTS:
        lines = lines.join(_stated(frame, name), on=name, how="left", maintain_order="left")
    amounts, sheets = ([f"_{what}_of_{name}" for name in _TEXTS] for what in ("amount", "sheets"))
    pieces = pl.col("quantity") * pl.col("pieces_factor")
    litres = pl.col("unit").replace_strict(_LITRES, default=None, return_dtype=pl.Float64)
    is_sheet = pl.col("unit").is_in(_SHEET_UNITS)
    told = lines.with_columns(
        content_kg=pl.coalesce(
            pl.col("quantity") * pl.coalesce("kg_factor", litres),
            pl.coalesce(amounts) * pieces,
            pl.col("legal_quantity") * pl.col("legal_kg_factor"),
            pl.when(pl.col(PARCEL_LINES) == 1).then("net_weight_kg"),
        ),
        content_sheets=pl.when(is_sheet).then("quantity").otherwise(pl.coalesce(sheets) * pieces),
    )
    return told.drop(*amounts, *sheets)


def _stated(frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """What each text of a column states: the same names come again and again."""
    text = _plain(pl.col(name))
    return (
        frame.select(name)
        .unique()
        .with_columns(_amount(text).alias(f"_amount_of_{name}"), _sheets(text).alias(f"_sheets_of_{name}"))
    )


def _plain(text: pl.Expr) -> pl.Expr:
    """Small letters in their usual width."""
    return text.str.normalize("NFKC").str.to_lowercase().str.replace(r"fl\.?[ ]*oz", "floz")


def _amount(text: pl.Expr) -> pl.Expr:
    """Kilograms or litres in what a text states first."""
    groups = text.str.extract_groups(_AMOUNT).struct
    factor = groups.field("3").replace_strict(_STATED, default=None, return_dtype=pl.Float64)
    times = [groups.field(name).cast(pl.Float64, strict=False).fill_null(1.0) for name in ("1", "4")]
    amount = groups.field("2").cast(pl.Float64, strict=False) * factor * times[0] * times[1]
    return pl.when(amount > 0).then(amount)


def _sheets(text: pl.Expr) -> pl.Expr:
    sheets = text.str.extract(_SHEETS, 1).cast(pl.Float64, strict=False)
    return pl.when(sheets > 0).then(sheets)
