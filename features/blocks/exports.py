"""Exports: declared above or below what such goods are exported for, and the VAT that rests on it.

An export is declared too dear for a refund of VAT that nobody paid, and too cheap to hide income.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from configs.reference.facts import ReferenceDay
from features.block import block
from features.history.view import HistoryView

_MODES = {"9610": "retail", "9710": "to_business", "9810": "to_warehouse"}
_COLUMNS = (
    *_MODES.values(),
    *("goods_ratio", "heading_ratio", "heading_kg_ratio"),
    *("above_cny", "below_cny", "vat_rate", "vat_above_cny"),
)


@block()
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """What an export declares beside other exports; all of it is null for an import.

    - `retail`, `to_business`, `to_warehouse`: whether it goes by 9610, 9710, 9810;
    - `goods_ratio`, `heading_ratio`, `heading_kg_ratio`: unit price over the median of exports of the same
      goods (barcode, model, name) and of the same heading, and price per kg over that of the heading;
    - `above_cny`, `below_cny`: the value declared above and below the first of these medians that is known;
    - `vat_rate` of the heading, and `vat_above_cny`, the VAT on `above_cny`: no refund is more than that.
    """
    is_export = lines["_is_export"]
    values = np.full((len(_COLUMNS), lines.height), np.nan)
    if is_export.any():
        of_exports = _of_exports(history.of(is_export), reference)
        values[:, is_export.to_numpy()] = of_exports.cast(pl.Float64).to_numpy().T
    return pl.DataFrame(
        [
            pl.Series(f"exports__{name}", column, nan_to_null=True)
            for name, column in zip(_COLUMNS, values, strict=True)
        ]
    )


def _of_exports(exports: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    lines = exports.lines
    by_unit, by_kg = lines["_log_unit_price_cny"], lines["_log_cny_per_kg"]
    ratios = pl.DataFrame(
        {
            "goods": by_unit - exports.peers("unit", goods=True)["median"],
            "heading": by_unit - exports.peers("unit")["median"],
            "heading_kg": by_kg - exports.peers("kg")["median"],
        }
    )
    # 1 - usual / declared is the share of the value above the usual one, negative where it is short of it.
    above = lines["_total_cny"] * (1.0 - (-ratios.select(pl.coalesce(pl.all())).to_series()).exp())
    vat_rate = reference.vat_rate(lines["hs_code"])
    return pl.DataFrame(
        {
            **{name: (lines["trade_mode"] == mode).fill_null(False) for mode, name in _MODES.items()},
            **{f"{name}_ratio": ratios[name].exp() for name in ratios.columns},
            "above_cny": above.clip(lower_bound=0.0),
            "below_cny": (-above).clip(lower_bound=0.0),
            "vat_rate": vat_rate,
            "vat_above_cny": above.clip(lower_bound=0.0) * vat_rate,
        }
    ).select(_COLUMNS)
