"""Exchanges pseudonyms in columns of a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

_ALONE: Final = "^[0-9a-f]{32}$"


def renew_pseudonyms(
    rows: pl.DataFrame, columns: Sequence[str], renewed: Callable[[str], str | None]
) -> pl.DataFrame:
    """Return rows with another pseudonym for each in some columns, of those that are there and hold text.

    >>> rows = pl.DataFrame({"buyer_id": ["0123456789abcdef" * 2, "B7"], "item_name": "0123456789abcdef" * 2})
    >>> renew_pseudonyms(rows, ["buyer_id", "address_id"], lambda old: old[:4])["buyer_id"].to_list()
    ['0123', 'B7']
    """
    exchanged = {}
    for name in columns:
        if rows.schema.get(name) == pl.String:
            old = rows[name].filter(rows[name].str.contains(_ALONE).fill_null(False)).unique()
            if len(old):
                new = pl.Series([renewed(each) for each in old], dtype=pl.String)
                exchanged[name] = rows[name].replace(old, new)
    return rows.with_columns(**exchanged) if exchanged else rows
