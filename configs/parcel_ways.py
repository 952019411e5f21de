"""How a parcel travels, and what its parties and its papers are called then."""

from __future__ import annotations

from typing import Literal, get_args

ParcelWay = Literal["retail", "mail", "freight", "several"]
PARCEL_WAYS: tuple[ParcelWay, ...] = get_args(ParcelWay)
WAY_WORDS: dict[ParcelWay, dict[str, str]] = {
    "retail": {
        "buyer": "buyer", "seller": "seller", "declared": "inventory number", "counted": "declaration",
    },
    "mail": {
        "buyer": "addressee", "seller": "sender", "declared": "declaration number", "counted": "mail item",
    },
    "freight": {
        "buyer": "consignee", "seller": "consignor", "declared": "inventory number", "counted": "declaration",
    },
    # A list of parcels that travel in several of them.
    "several": {
        "buyer": "buyer or addressee", "seller": "seller or sender",
        "declared": "number of the inventory or declaration", "counted": "declaration",
    },
}  # fmt: skip
"""Words of a message that depend on the way, by the placeholder that stands for them: the parties, the number
that a parcel goes by, and what is counted where parcels are.
"""
WAY_PLACEHOLDERS = frozenset(WAY_WORDS["retail"])
ORDER_LIMIT = "order_limit"
MORE_PLACEHOLDERS = WAY_PLACEHOLDERS | {ORDER_LIMIT}
"""What a translation may say where English does not: words of the way, the day's limit of an order in CNY."""
_BY_MAIL = ("mail", "express")
_TRADED = ("9710", "9810", "other")


def way_of(direction: str | None, trade_mode: str | None) -> ParcelWay:
    """The way of a parcel; one of which nothing is known was bought by somebody.

    >>> way_of("import", "9610"), way_of("export", "9610"), way_of("export", "mail"), way_of(None, None)
    ('retail', 'freight', 'mail', 'retail')
    """
    if trade_mode in _BY_MAIL:
        return "mail"
    return "freight" if direction == "export" or trade_mode in _TRADED else "retail"
