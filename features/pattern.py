"""What is known of patterns of a day: who sends goods back, and who shares accounts, telephones and baskets.

Rows are made when a day is checked, from what was known at its close; the blocks `returns` and `rings` read
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

RETURN_KEYS: Final = {"seller": "seller_id", "buyer": "buyer_id", "address": "address_id", "goods": "hs6"}
"""By the name that features have: the column of those whose returns are counted."""
_KEY_COLUMNS: Final[dict[str, pl.DataType]] = {column: pl.String() for column in RETURN_KEYS.values()}
APPLIED_COLUMNS: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "applied_on": pl.Date(),
    **_KEY_COLUMNS,
    "value_fen": pl.Int64(),
    "days": pl.Int32(),
    "near_limit": pl.Boolean(),
    "differs": pl.Boolean(),
}
"""A line for which a return was applied for on a day, with what it was declared as.

`value_fen` is what was declared of the quantity that goes back, in fen; `days` passed from release (else
declaration) to application; `near_limit`: in the last fifth of the period in which that is allowed;
`differs`: another heading, or another statutory quantity a unit, goes back. Null where that is not known.
"""
RETURNED_COLUMNS: Final[dict[str, pl.DataType]] = _KEY_COLUMNS | {
    "lines": pl.Int64(),
    "value_fen": pl.Int64(),
    "days": pl.Float64(),
    "near_limit": pl.Float64(),
    "differs": pl.Float64(),
}
"""What goes back of one key of `RETURN_KEYS`, the others are null: lines and their value; days on average;
shares of those near the limit and of those that differ, of the lines of which it is known.
"""
RING_COLUMNS: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "payer_buyers": pl.Int64(),
    "telephone_buyers": pl.Int64(),
    "basket_parcels": pl.Int64(),
    "basket_buyers": pl.Int64(),
}
"""A parcel that shares something: other buyers for whom its payer paid, buyers with the telephone of its
order, parcels with the same goods to its address and their buyers, its own included. Documents of the past
days count, and for baskets the declarations of few days.
"""
RING_DEFAULTS: Final = {
    "payer_buyers": 0,
    "telephone_buyers": 1,
    "basket_parcels": 1,
    "basket_buyers": 1,
}
"""What a parcel without such a row has."""


def returned_column(key: str, fact: str) -> str:
    """Return the column of a day's lines with a fact of `RETURNED_COLUMNS` about a key.

    >>> returned_column("seller", "lines")
    '_returned_seller_lines'
    """
    return f"_returned_{key}_{fact}"


def ring_column(fact: str) -> str:
    """Return the column of a day's lines with a fact of `RING_COLUMNS`."""
    return f"_ring_{fact}"


@dataclass(frozen=True)
class Shared:
    """With whom the parcels of a day share something, at the close of the day.

    Attributes:
        payers: `payer_id` and `buyer_id` of orders that those paid who pay for other persons on the day;
            each pair once.
        telephones: `telephone_id` and `buyer_id` of orders with a telephone of the day's; each pair once.
        baskets: `declaration_id`, `address_id`, `buyer_id` and `basket` (equal for equal goods) of the
            parcels of the last days to an address of the day's.
    """

    payers: pl.DataFrame
    telephones: pl.DataFrame
    baskets: pl.DataFrame
