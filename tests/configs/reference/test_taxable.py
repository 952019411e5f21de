"""What a parcel is worth in fen, said of each line and of each parcel."""

from __future__ import annotations

import polars as pl

from configs.reference.taxable import COSTS_FEN, GOODS_FEN, parcel_fen, with_parcel_fen

LINES = pl.DataFrame(
    {
        "parcel": ["A", "B", "A", "C", "C", "D"],
        "total_price": [1.005, 10.0, 2.0, 5.0, 6.0, None],
        "cny_rate": [1.0, 7.0, 1.0, 1.0, None, 1.0],
        "freight": [3.0, None, 4.0, 1.0, 1.0, 2.0],
        "insurance": [None, None, 0.5, None, None, None],
    }
)
WORTH = {"A": (300, 450), "B": (7000, 0), "C": (None, 100), "D": (None, 200)}
"""Goods and costs: a parcel with a line of unknown value has no value, freight that nobody states is none."""


def test_each_line_has_what_its_parcel_is_worth() -> None:
    lines = with_parcel_fen(LINES.lazy(), ("parcel",)).collect()
    assert lines.columns == [*LINES.columns, GOODS_FEN, COSTS_FEN]
    rows = lines.select("parcel", GOODS_FEN, COSTS_FEN).rows()
    assert rows == [(parcel, *WORTH[parcel]) for parcel in LINES["parcel"]]


def test_a_parcel_has_what_its_lines_say() -> None:
    further = pl.col("total_price").max()
    parcels = parcel_fen(LINES.lazy(), ("parcel",), further).collect().sort("parcel")
    assert parcels.select("parcel", GOODS_FEN, COSTS_FEN).rows() == [
        (name, *of) for name, of in WORTH.items()
    ]
    assert parcels["total_price"].to_list() == [2.0, 10.0, 6.0, None]
