"""Allowances of other people: rings that order under borrowed identities, and shops whose sales come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.simulation.schemes.made_parcels import MadeParcels, fill_lines, send_from
from pipelines.simulation.schemes.undervaluation import ORDER_LIMIT_CNY
from pipelines.simulation.world.parcels import Lines, Parcels, honest_price
from pipelines.simulation.world.places import BONDED, MODE_IS_EXPORT, MODE_IS_RETAIL
from pipelines.simulation.world.randomness import Floats, Ints, mix, pick, uniform
from pipelines.simulation.world.state import Today

BORROWED, REFUND = 6, 7
"""Codes of `Lines.valuation`."""
_PARCELS_OF_RING: Final = 4.0
_BURST_DAYS, _BURST_SHARE = 3, 0.4
_GOODS_DAYS, _PLACE_DAYS, _IDENTITY_DAYS = 9, 45, 6
_PLACES, _IDENTITIES = 2, 5
_VALUE_CNY: Final = (2_400.0, 4_800.0)
_RETURNED_SHARE: Final = 0.7
# A circle needs a shop that nobody looks at.
_BIGGEST: Final = 0.8


@dataclass(frozen=True, kw_only=True)
class Borrowed(MadeParcels):
    """The parcels of rings, and the `ring` that sends each."""

    ring: Ints


def borrowed_today(today: Today, parcels: float) -> int:
    """Return how many parcels of a day rings send."""
    share = today.world.parameters.borrowed_share
    return int(today.world.generator(today, 31).poisson(share * parcels)) if share else 0


def plan_rings(today: Today, parcels: Parcels, rows: Ints) -> Borrowed:
    """Turn the parcels in `rows` into those of rings, in place; `fill` fills them.

    A ring sends in bursts of three days, the same goods for nine, to one of two places where they are picked
    up. An identity is used for six days, for about all of its allowance, and never again.
    """
    world, rng, count = today.world, today.world.generator(today, 32), len(rows)
    rings = np.arange(
        max(int(world.parameters.volume * world.parameters.borrowed_share / _PARCELS_OF_RING), 2)
    )
    bursts = uniform(world.salt("ring burst"), rings, today.ordinal // _BURST_DAYS) < _BURST_SHARE
    active = rings[bursts] if bursts.any() else rings[:1]
    ring = active[rng.integers(0, len(active), count)]
    slot, article, price = _goods(today, ring)
    period = today.ordinal // _IDENTITY_DAYS
    person, place = rng.integers(0, _IDENTITIES, count), rng.integers(0, _PLACES, count)
    send_from(today, parcels, rows, slot)
    parcels.buyer_number[rows] = -1
    parcels.buyer[rows] = mix(world.salt("borrowed identity"), ring, period, person)
    parcels.address[rows] = mix(world.salt("pick-up"), ring, today.ordinal // _PLACE_DAYS, place)
    value = _VALUE_CNY[0] + (_VALUE_CNY[1] - _VALUE_CNY[0]) * uniform(world.salt("ring value"), ring)
    quantity = np.maximum(np.floor(value / price), 1.0)
    return Borrowed(rows=rows, ring=ring, article=article, quantity=quantity, price_cny=price)


def fill(today: Today, parcels: Parcels, lines: Lines, borrowed: Borrowed) -> None:
    """Fill the parcels of rings; prices are true, the tax due without the allowance is what is lost."""
    if not len(borrowed.rows):
        return
    filled = fill_lines(today, today.world.generator(today, 33), parcels, lines, borrowed)
    lines.valuation[filled] = BORROWED


def mark_refunds(today: Today, parcels: Parcels, lines: Lines) -> None:
    """Mark the lines of most parcels of shops in whose name goods only seem to be sold: they come back."""
    world, parameters = today.world, today.world.parameters
    if not parameters.refund_share:
        return
    sellers = world.sellers
    chance = uniform(world.salt("refund circle"), np.arange(len(sellers)), today.incarnation)
    retail = MODE_IS_RETAIL[sellers.mode] & ~MODE_IS_EXPORT[sellers.mode]
    circle = (chance < parameters.refund_share) & retail & (sellers.rank < _BIGGEST)
    comes_back = world.generator(today, 34).random(len(parcels)) < _RETURNED_SHARE
    marked = (circle[parcels.slot] & comes_back)[lines.parcel]
    lines.valuation[marked & (lines.valuation == 0) & (lines.prohibited == 0)] = REFUND


def _goods(today: Today, ring: Ints) -> tuple[Ints, Ints, Floats]:
    """The shop, the article and the price of what each ring orders these days."""
    world, sellers = today.world, today.world.sellers
    period = today.ordinal // _GOODS_DAYS
    bonded = np.where(sellers.mode == BONDED, sellers.weight, 0.0)
    slot = pick(bonded, uniform(world.salt("ring shop"), ring, today.ordinal // _PLACE_DAYS))
    article, price = np.zeros(len(ring), dtype=np.int64), np.zeros(len(ring))
    for attempt in range(6):
        again = np.flatnonzero((price < 60.0) | (price > ORDER_LIMIT_CNY / 2))
        at = slot[again]
        draw = uniform(world.salt("ring article"), ring[again], period, attempt)
        article[again] = sellers.assortment[
            sellers.first_article[at] + (sellers.articles[at] * draw).astype(int)
        ]
        rng = world.generator(today, 35 + attempt)
        price[again] = honest_price(today, rng, at, article[again])
    return slot, article, price
