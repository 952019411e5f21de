"""Undervaluation: low invoices, flat prices, a cheaper heading, fewer pieces, split orders."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.simulation.schemes.made_parcels import MadeParcels, fill_lines, send_from
from pipelines.simulation.world.names import ENGLISH_SHORT
from pipelines.simulation.world.parcels import Lines, Parcels, honest_price
from pipelines.simulation.world.places import MODE_IS_EXPORT, MODE_IS_RETAIL
from pipelines.simulation.world.randomness import (
    Flags,
    Floats,
    Ints,
    Keys,
    mix,
    normal,
    pick,
    uniform,
)
from pipelines.simulation.world.state import Today, World
from pipelines.simulation.world.wording import vague_texts

ORDER_LIMIT_CNY: Final = 5000.0
UNDER_INVOICING, FLAT_PRICE, CHEAPER_HEADING, QUANTITY, SPLITTING = 1, 2, 3, 4, 5
MAX_CHANCE: Final = 0.85
#                              9610 1210 mail exp. 1239 oth. 9610 9710 9810
_MODE_TEMPTATION = np.array([1.1, 0.55, 1.3, 1.35, 0.6, 1.0, 0.35, 0.5, 0.4])


def tendency(today: Today, parcels: Parcels, lines: Lines) -> Floats:
    """Return for each line how tempted its parties are to undervalue it, before scaling."""
    world = today.world
    sellers, catalogue = world.sellers, world.catalogue
    slots, holder = np.arange(len(sellers)), today.incarnation
    character = normal(world.salt("honesty"), slots, holder) * world.parameters.undervaluation_concentration
    campaign = 0.8 * normal(world.salt("campaign"), slots, holder, today.ordinal // 12)
    # The biggest shops have most to lose.
    size = np.where(sellers.is_personal, 0.9, 1.5 - 1.35 * sellers.rank**4)
    seller = np.exp(np.minimum(character + campaign, 3.0)) * size
    agent = np.exp(0.8 * normal(world.salt("agent honesty"), np.arange(world.parameters.agents)))
    buyer = np.where(
        parcels.buyer_number >= 0, world.people.appetite(np.maximum(parcels.buyer_number, 0)), 1.0
    )
    parcel = seller[parcels.slot] * agent[parcels.agent] * buyer * _MODE_TEMPTATION[parcels.mode]
    article = catalogue.article_family[lines.article]
    # A trade that is watched here is free elsewhere: families tempt differently with each route.
    route = np.exp(0.6 * normal(world.salt("route"), article, parcels.dispatch[lines.parcel]))
    return np.asarray(
        parcel[lines.parcel] * catalogue.numbers("temptation")[article] * route, dtype=np.float64
    )


def undervalue(today: Today, parcels: Parcels, lines: Lines, scale: float) -> None:
    """Undervalue lines in place; `scale` turns tendencies into chances."""
    world = today.world
    rng = world.generator(today, 5)
    chance = np.minimum(scale * tendency(today, parcels, lines), MAX_CHANCE)
    # Who undervalues a parcel undervalues most of it.
    whole = rng.random(len(parcels))[lines.parcel]
    draw = np.where(rng.random(len(lines)) < 0.8, whole, rng.random(len(lines)))
    free = (lines.prohibited == 0) & (lines.valuation == 0) & ~lines.in_kg
    rows = np.flatnonzero(free & (draw < chance))
    kind = _kinds(today, rng, parcels.slot[lines.parcel[rows]], len(rows))
    kind[(kind == QUANTITY) & (lines.quantity[rows] < 2)] = UNDER_INVOICING
    cheaper = world.catalogue.family_cheaper[world.catalogue.article_family[lines.article[rows]]]
    kind[(kind == CHEAPER_HEADING) & (cheaper[:, 0] < 0)] = UNDER_INVOICING
    lines.valuation[rows] = kind
    _under_invoice(today, rng, parcels, lines, rows[kind == UNDER_INVOICING])
    _other_heading(today, rng, lines, rows[kind == CHEAPER_HEADING], cheaper[kind == CHEAPER_HEADING])
    _fewer_pieces(rng, lines, rows[kind == QUANTITY])


def _kinds(today: Today, rng: np.random.Generator, slot: Ints, count: int) -> Ints:
    """Return the method of each line: a seller has a favourite, which the drift replaces."""
    world = today.world
    mixed = np.array(world.parameters.undervaluation_mix)
    if today.drifting:
        mixed = mixed * np.array([0.7, 1.6, 1.6])
    favourite = uniform(world.salt("method"), slot, today.incarnation[slot])
    choice = np.where(rng.random(count) < 0.75, favourite, rng.random(count))
    return np.array([UNDER_INVOICING, CHEAPER_HEADING, QUANTITY])[pick(mixed, choice)]


def _under_invoice(
    today: Today, rng: np.random.Generator, parcels: Parcels, lines: Lines, rows: Ints
) -> None:
    world, parameters = today.world, today.world.parameters
    slot = parcels.slot[lines.parcel[rows]]
    holder = today.incarnation[slot]
    usual = parameters.declared_share_of_value + parameters.declared_share_spread * normal(
        world.salt("declared share"), slot, holder
    )
    share = np.clip(usual * np.exp(0.14 * rng.normal(size=len(rows))), 0.12, 0.88)
    declared = lines.price_cny[rows] * share
    # Some shops invoice everything at one price.
    flat_price = 45.0 * np.exp(0.6 * normal(world.salt("flat price"), slot, holder))
    flat = (uniform(world.salt("flat"), slot, holder) < 0.2) & (flat_price < 0.8 * lines.price_cny[rows])
    flat &= flat_price > 0.05 * lines.price_cny[rows]
    lines.declared_price_cny[rows] = np.where(flat, flat_price, declared)
    lines.valuation[rows[flat]] = FLAT_PRICE
    blurred = rows[rng.random(len(rows)) < 0.12]
    lines.text[blurred] = vague_texts(
        today, lines.article[blurred], rng.random(len(blurred)) < 0.5, rng.random(len(blurred))
    )


def _other_heading(today: Today, rng: np.random.Generator, lines: Lines, rows: Ints, cheaper: Ints) -> None:
    """Declare goods as something like them that is cheaper and taxed no higher; weights stay as they are."""
    world = today.world
    catalogue, count = world.catalogue, len(rows)
    options = (cheaper >= 0).sum(axis=1)
    family = cheaper[np.arange(count), (options * rng.random(count)).astype(np.int64)]
    article = family * catalogue.models + rng.integers(0, catalogue.models, count)
    price = catalogue.article_price_cny[article] * np.exp(0.2 * rng.normal(size=count))
    lines.declared_price_cny[rows] = np.clip(
        price, 0.15 * lines.price_cny[rows], 0.85 * lines.price_cny[rows]
    )
    lines.family[rows] = family
    renamed = rng.random(count)
    style = np.where(rng.random(count) < 0.5, ENGLISH_SHORT, ENGLISH_SHORT - 1)
    lines.text[rows] = np.where(renamed < 0.55, world.names.article(article, style), lines.text[rows])
    blurred = renamed > 0.85
    lines.text[rows[blurred]] = vague_texts(
        today, article[blurred], rng.random(int(blurred.sum())) < 0.5, rng.random(int(blurred.sum()))
    )


def _fewer_pieces(rng: np.random.Generator, lines: Lines, rows: Ints) -> None:
    """Declare a part of the pieces; in four of ten cases the net weight goes down with them."""
    share = rng.uniform(0.2, 0.7, len(rows))
    declared = np.maximum(np.minimum(np.round(lines.quantity[rows] * share), lines.quantity[rows] - 1), 1.0)
    adjusted = rng.random(len(rows)) < 0.4
    part = declared / lines.quantity[rows]
    lines.declared_weight_kg[rows] = lines.weight_kg[rows] * np.where(adjusted, part, 1.0)
    lines.declared_quantity[rows] = declared


@dataclass(frozen=True, kw_only=True)
class Splits(MadeParcels):
    """The parcels of orders to split, and whether each hides something."""

    is_split: Flags


def split_parcels_today(today: Today, parcels: float) -> Ints:
    """Return the number of parcels of each split order of a day."""
    rng = today.world.generator(today, 6)
    orders = rng.poisson(today.world.parameters.split_parcel_share * parcels / 2.6)
    return rng.choice(np.array([2, 3, 4]), size=orders, p=[0.55, 0.3, 0.15])


def plan_splits(today: Today, parcels: Parcels, rows: Ints, sizes: Ints) -> Splits:
    """Turn the parcels in `rows` into orders over the limit, each sent as `sizes` parcels under it."""
    world, rng = today.world, today.world.generator(today, 7)
    sellers, orders = world.sellers, len(sizes)
    order = np.repeat(np.arange(orders), sizes)
    eligible = MODE_IS_RETAIL[sellers.mode] & ~MODE_IS_EXPORT[sellers.mode]
    habit = np.exp(normal(world.salt("splitter"), np.arange(len(sellers)), today.incarnation))
    weight = today.seller_weight * eligible * habit
    slot = pick(weight, rng.random(orders))
    article, price = _dear_article(today, rng, slot)
    target = rng.uniform(2300.0, 4950.0, orders)[order] * rng.uniform(0.85, 1.0, len(order))
    quantity = np.maximum(np.floor(target / price[order]), 1.0)
    value = quantity * price[order]
    total = np.bincount(order, value, minlength=orders)
    _address(today, rng, parcels, rows, slot, order)
    return Splits(
        rows=rows,
        article=article[order],
        quantity=quantity,
        price_cny=price[order],
        # An order that stays under the limit after all, or a piece over it, hides nothing.
        is_split=(total > ORDER_LIMIT_CNY)[order]
        & (np.bincount(order, value > 4999.0, minlength=orders) == 0)[order],
    )


def _dear_article(today: Today, rng: np.random.Generator, slot: Ints) -> tuple[Ints, Floats]:
    sellers = today.world.sellers
    article = np.zeros(len(slot), dtype=np.int64)
    price = np.zeros(len(slot))
    for _ in range(6):
        again = np.flatnonzero((price < 150.0) | (price > 4900.0))
        position = (sellers.articles[slot[again]] * rng.random(len(again))).astype(np.int64)
        article[again] = sellers.assortment[sellers.first_article[slot[again]] + position]
        price[again] = honest_price(today, rng, slot[again], article[again])
    return article, price


def _address(
    today: Today, rng: np.random.Generator, parcels: Parcels, rows: Ints, slot: Ints, order: Ints
) -> None:
    world, orders = today.world, len(slot)
    number = world.people.draw(rng, orders, today.ordinal)
    address = world.people.address_key(number)
    own: Keys = world.people.buyer_key(number)
    relative = mix(world.salt("relative"), number[order], rng.integers(0, 3, len(order)))
    family_order = (rng.random(orders) < 0.35)[order]
    at = slot[order]
    send_from(today, parcels, rows, at)
    parcels.buyer_number[rows] = number[order]
    parcels.buyer[rows] = np.where(family_order, relative, own[order])
    parcels.address[rows] = address[order]
    start = parcels.seconds[rows[np.cumsum(np.bincount(order, minlength=orders)) - 1]] if orders else rows
    parcels.seconds[rows] = np.minimum(start[order] + rng.integers(0, 5400, len(order)), 86_399)


def split(today: Today, parcels: Parcels, lines: Lines, splits: Splits) -> None:
    """Fill the parcels of split orders; prices are true, the tax due on the whole order is what is lost."""
    filled = fill_lines(today, today.world.generator(today, 8), parcels, lines, splits)
    lines.valuation[filled] = np.where(splits.is_split, SPLITTING, 0)


def splitting_share(world: World) -> float:
    """Return the expected share of lines that belong to split orders."""
    return 0.75 * world.parameters.split_parcel_share / world.parameters.lines_per_parcel
