"""Whose a declaration's number is: two sellers who write the same number do not speak of one parcel."""

from __future__ import annotations

from typing import Final

import polars as pl

from features.arrays.hashing import hash_text

OWNER_COLUMNS: Final[dict[str, pl.DataType]] = {"seller": pl.UInt64(), "own_number": pl.UInt64()}
"""Of the message that first used a number: hashes of its seller and its own number, null without one."""
OF_OWNER: Final = "_owner_"


def with_owners(rows: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """The rows with the `OWNER_COLUMNS` of their number, named from `OF_OWNER` on, and with `_is_strange`.

    Strange is a message that names another seller, or another number of its own, than the owner of its number
    does. The owner is who stands in the ledger, else who sent the earliest message, whatever the order of
    files. A table's rows are never strange.

    Args:
        rows: valid rows with `declaration_id`, `_action`, `_message_at`, `_seller` and `_own_number`.
        ledger: the messages that decided so far, with `declaration_id`, `message_at` and `OWNER_COLUMNS`.
    """
    named = rows.with_columns(_hashed(rows["_seller"]), _hashed(rows["_own_number"]))
    messages = named.filter(pl.col("_action").is_not_null())
    known = ledger.filter(pl.any_horizontal(pl.col(*OWNER_COLUMNS).is_not_null())).sort("message_at")
    first = messages.sort("_message_at", "_seller", "_own_number", nulls_last=True).select(
        "declaration_id", seller="_seller", own_number="_own_number"
    )
    owners = pl.concat([known.select(first.columns).reverse(), first])
    owners = owners.unique("declaration_id", keep="first", maintain_order=True)
    owners = owners.rename({name: OF_OWNER + name for name in OWNER_COLUMNS})
    joined = named.join(owners, on="declaration_id", how="left", maintain_order="left")
    unlike = [
        (pl.col(f"_{name}") != pl.col(OF_OWNER + name)).fill_null(False) & pl.col("_action").is_not_null()
        for name in OWNER_COLUMNS
    ]
    return joined.with_columns(pl.any_horizontal(unlike).alias("_is_strange"))


def _hashed(text: pl.Series) -> pl.Series:
    return hash_text(text).set(text.is_null(), None).alias(text.name)
