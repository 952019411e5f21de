"""What can be wrong about a parcel's documents, and what only looks so; and who gets which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from features.arrays.hashing import hash_text
from pipelines.simulation.world.randomness import Flags, Ints

FAILED: Final = "failed"
OPEN: Final = "open"


@dataclass(frozen=True)
class Kind:
    """One thing that is special about a parcel's documents.

    Attributes:
        name: what it is called; the truth's `mechanism`.
        checks: the checks that find it on the day of the declaration (of a return: of the application).
        outcome: what they say.
        needs: flags of `parcels.traded_parcels` that a parcel must have.
        is_paired: whether it takes two parcels.
        in_messages: whether only messages can tell it: inventories change there, and words have spellings.
    """

    name: str
    checks: tuple[str, ...] = ()
    outcome: str = FAILED
    needs: tuple[str, ...] = ("is_retail",)
    is_paired: bool = False
    in_messages: bool = False


def _missing(name: str, check: str, *needs: str) -> Kind:
    return Kind(name, (check,), OPEN, ("is_retail", *needs))


_EXPORT: Final = ("is_export",)
_MESSAGES: Final = (
    Kind("item_number", ("goods",), needs=("has_goods",), in_messages=True),
    Kind("waybill_reused", ("waybill_reused",), is_paired=True, in_messages=True),
    Kind("inventory_corrected_after_close", ("weight",), needs=("is_retail", "has_time"), in_messages=True),
    Kind("inventory_corrected_before_close", needs=("is_retail", "has_time"), in_messages=True),
    Kind("cancelled_before_close", needs=("is_retail", "has_time"), in_messages=True),
    Kind("cancelled", needs=(), in_messages=True),
    Kind("identity_in_small_letters", needs=("is_retail", "ends_in_x"), in_messages=True),
    Kind("item_number_in_small_letters", needs=("is_retail", "has_goods"), in_messages=True),
    Kind("order_address_width", in_messages=True),
    Kind("order_address_punctuation", in_messages=True),
    Kind("waybill_address_blanks", in_messages=True),
    Kind("return_rejected", needs=("has_goods",), in_messages=True),
)
KINDS: Final[tuple[Kind, ...]] = (
    *_MESSAGES,
    _missing("order_never", "order_missing"),
    _missing("order_after_close", "order_missing"),
    _missing("order_draft", "order_missing"),
    _missing("order_deleted", "order_missing", "has_time"),
    _missing("payment_never", "payment_missing"),
    _missing("payment_after_close", "payment_missing"),
    _missing("payment_draft", "payment_missing"),
    _missing("waybill_never", "waybill_missing"),
    _missing("waybill_after_close", "waybill_missing"),
    _missing("waybill_draft", "waybill_missing"),
    Kind("head_sum", ("amount",)),
    Kind("payment_amount", ("amount",)),
    Kind("further_order_line", ("amount",), needs=("has_goods",)),
    Kind("quantity", ("goods",), needs=("has_goods",)),
    Kind("price", ("goods",), needs=("has_goods",)),
    Kind("quantity_and_total", ("goods", "amount"), needs=("has_goods", "is_retail")),
    Kind("payer", ("buyer",), needs=("is_retail", "has_buyer")),
    Kind("order_buyer", ("buyer",), needs=("is_retail", "has_buyer")),
    Kind("order_address", ("consignee",), needs=("is_retail", "has_address")),
    Kind("waybill_address", ("consignee",), needs=("is_retail", "has_address")),
    Kind("weight", ("weight",), needs=("has_weight",)),
    Kind("payment_reused", ("payment_reused",), is_paired=True),
    Kind("paid_late", ("paid_late",), needs=("is_retail", "has_time")),
    Kind("corrected_after_close", ("amount",), needs=("is_retail", "has_time")),
    Kind("spoiled_before_close", ("amount",), needs=("is_retail", "has_time")),
    Kind("return_unknown", ("return_unknown",), needs=("has_goods",)),
    Kind("return_unknown_line", ("return_unknown",), needs=("has_goods",)),
    Kind("return_exceeds", ("return_exceeds",), needs=("has_goods",)),
    Kind("return_exceeds_together", ("return_exceeds",), needs=("has_goods",)),
    Kind("return_late", ("return_late",), needs=("is_retail", "has_goods")),
    Kind("export_return_late", ("return_late",), needs=(*_EXPORT, "has_goods")),
    # From here on nothing is wrong.
    Kind("corrected_before_close", needs=("is_retail", "has_time")),
    Kind("spoiled_after_close", needs=("is_retail", "has_time")),
    Kind("order_deleted_after_close", needs=("is_retail", "has_time")),
    Kind("draft_beside_order", needs=("is_retail", "has_time")),
    Kind("payment_off_by_cents"),
    Kind("order_off_by_cents"),
    Kind("two_payments"),
    Kind("weight_rounded", needs=("has_weight",)),
    Kind("weight_of_light_parcel", needs=("has_weight", "is_light")),
    Kind("return_whole", needs=("has_goods",)),
    Kind("return_part", needs=("has_goods",)),
    Kind("return_twice", needs=("has_goods", "has_several")),
    Kind("return_draft", needs=("has_goods",)),
    Kind("export_return", needs=(*_EXPORT, "has_goods")),
)
"""Faults have checks, traps and what is usual have none. The order is that of the draw."""
SCHEME_KINDS: Final[tuple[Kind, ...]] = (
    Kind("borrowed_allowance", ("buyer",), needs=("is_retail", "has_buyer")),
    Kind("refund_circle", needs=("is_retail", "has_goods")),
)
"""Not drawn: parcels have them by their truth's `mechanism`."""
IN_STORE: Final[tuple[Kind, ...]] = tuple(kind for kind in KINDS if not kind.in_messages)


def _eligible(parcels: pl.DataFrame, kind: Kind) -> Flags:
    """Return which parcels a kind can happen to."""
    flags = [parcels[name].to_numpy() for name in kind.needs]
    able: Flags = np.logical_and.reduce([np.ones(parcels.height, dtype=np.bool_), *flags])
    return able


def spread_kinds(parcels: pl.DataFrame, each: int, rng: np.random.Generator) -> pl.Series:
    """Return the kind of each parcel: every one on `each` parcels (pairs, where it takes two), else null.

    Raises:
        ValueError: there are too few parcels that a kind can happen to.
    """
    given = np.full(parcels.height, -1)
    # Those that few parcels can have choose first.
    able = {place: _eligible(parcels, kind) for place, kind in enumerate(KINDS)}
    for place in sorted(able, key=lambda one: int(able[one].sum())):
        wanted = 2 * each if KINDS[place].is_paired else each
        free = np.flatnonzero(able[place] & (given < 0))
        if len(free) < wanted:
            raise ValueError(
                f"{KINDS[place].name}: expected {wanted} parcels for it, got {len(free)}: take more"
            )
        given[rng.choice(free, wanted, replace=False)] = place
    return _names(given)


def draw_kinds(parcels: pl.DataFrame, chance: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Return the kind of each parcel of a store, null where nothing is special; `chance` is each one's."""
    able = np.stack([_eligible(parcels, kind) for kind in IN_STORE], axis=1)
    ranks = np.where(able, rng.random(able.shape), -1.0)
    special = (rng.random(parcels.height) < chance.to_numpy()) & able.any(axis=1)
    chosen = np.array([KINDS.index(kind) for kind in IN_STORE])[ranks.argmax(axis=1)]
    return _names(np.where(special, chosen, -1))


def with_scheme_kinds(parcels: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Return parcels with a `kind` of which some have the kind of the scheme that they belong to.

    `truth` is that of their day. Who runs a ring has his own telephone in its orders; at one address in four
    honest buyers share theirs as well: families, colleagues, and whoever has parcels forwarded.
    """
    at_home = pl.Series(hash_text(parcels["address_id"].fill_null("")).to_numpy() % 4 == 0)
    shares = at_home & parcels["address_id"].is_not_null()
    for kind in SCHEME_KINDS:
        members = truth.filter(pl.col("mechanism").str.contains(kind.name, literal=True))["declaration_id"]
        is_member = pl.col("declaration_id").is_in(members.unique().implode())
        able = pl.Series(_eligible(parcels, kind))
        parcels = parcels.with_columns(
            kind=pl.when(is_member & able).then(pl.lit(kind.name)).otherwise("kind")
        )
    borrowed = (pl.col("kind") == "borrowed_allowance").fill_null(value=False)
    return parcels.with_columns(
        telephone_id=pl.when(borrowed | shares).then("ring_telephone").otherwise("telephone_id")
    )


def _names(given: Ints) -> pl.Series:
    names = pl.Series("kind", [*(kind.name for kind in KINDS), None], dtype=pl.String)
    return names[np.where(given < 0, len(KINDS), given)]
