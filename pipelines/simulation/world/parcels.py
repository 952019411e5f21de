"""Honest parcels and their lines, as columns of numbers; the schemes change rows of them afterwards."""

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.world.names import REVEALING
from pipelines.simulation.world.parties import hobby_address, hobby_buyer
from pipelines.simulation.world.places import (
    COUNTRY,
    DESTINATIONS,
    MAIL,
    MODE_IS_ARTICLE,
    MODE_IS_EXPORT,
    MODE_IS_RETAIL,
)
from pipelines.simulation.world.randomness import Flags, Floats, Ints, Keys, mix, normal, pick, uniform
from pipelines.simulation.world.seasons import seconds_of_day
from pipelines.simulation.world.state import Today
from pipelines.simulation.world.wording import texts

MAX_LINES = 8
_HOBBY_GROUPS = ("models", "toys", "pet supplies", "books", "samples")


@dataclass
class Parcels:
    """Columns of parcels; keys are 64-bit numbers that become pseudonyms, the rest indices and numbers."""

    slot: Ints
    sender: Keys
    mode: Ints
    office: Ints
    buyer_number: Ints
    buyer: Keys
    address: Keys
    dispatch: Ints
    destination: Ints
    currency: Ints
    platform: Ints
    agent: Ints
    carrier: Ints
    seconds: Ints
    line_count: Ints
    freight_factor: Floats

    def __len__(self) -> int:
        return len(self.slot)


@dataclass
class Lines:
    """Columns of lines. `price_cny` is the true price of one of `quantity` units, `declared_*` what is said.

    `family` is the family declared (its heading), `article` the goods; `in_kg` lines are declared by weight.
    Mechanisms are codes into `declarations.MECHANISMS`: 0 is none.
    """

    parcel: Ints
    article: Ints
    family: Ints
    text: Ints
    quantity: Floats
    price_cny: Floats
    weight_kg: Floats
    declared_quantity: Floats
    declared_price_cny: Floats
    declared_weight_kg: Floats
    in_kg: Flags
    valuation: Ints
    prohibited: Ints
    food: Ints

    def __len__(self) -> int:
        return len(self.parcel)


def sender_keys(today: Today, slot: Ints, draw: Floats) -> Keys:
    """Return the key of who sends: the holder of a firm's place, or one of many private senders."""
    world, sellers = today.world, today.world.sellers
    firm = mix(world.salt("seller"), slot, today.incarnation[slot])
    # Half of the private senders are seen once; the others come back now and then.
    crowd = max(world.parameters.volume * 3, 100)
    known = mix(world.salt("sender"), slot, (crowd * (2 * draw) ** 2).astype(np.int64))
    once = mix(world.salt("once"), slot, today.ordinal, (draw * 2**52).astype(np.int64))
    return np.where(sellers.is_personal[slot], np.where(draw < 0.5, known, once), firm)


def draw_parcels(today: Today, count: int) -> Parcels:
    """Draw `count` honest parcels of a day."""
    world = today.world
    sellers, parameters = world.sellers, world.parameters
    rng = world.generator(today, 0)
    slot = pick(today.seller_weight, rng.random(count))
    mode = sellers.mode[slot]
    buyer_number = world.people.draw(rng, count, today.ordinal)
    _repeat_buyers(rng, slot, mode, buyer_number, parameters.honest_repeat_share)
    elsewhere = rng.random(count) < 0.06
    dispatch = sellers.country[slot].copy()
    dispatch[MODE_IS_EXPORT[mode]] = COUNTRY["CN"]
    parcels = Parcels(
        slot=slot,
        sender=sender_keys(today, slot, rng.random(count)),
        mode=mode,
        office=sellers.office[slot].copy(),
        buyer_number=buyer_number,
        buyer=world.people.buyer_key(buyer_number),
        address=world.people.address_key(buyer_number, elsewhere),
        dispatch=dispatch,
        destination=np.where(MODE_IS_EXPORT[mode], pick(DESTINATIONS, rng.random(count)), COUNTRY["CN"]),
        currency=sellers.currency[slot].copy(),
        platform=sellers.platform[slot].copy(),
        agent=sellers.agent[slot].copy(),
        carrier=np.where(
            rng.random(count) < 0.7,
            sellers.carrier[slot],
            (parameters.carriers * rng.random(count) ** 1.8).astype(np.int64),
        ),
        seconds=seconds_of_day(rng, count),
        line_count=np.minimum(rng.geometric(1.0 / parameters.lines_per_parcel, count), MAX_LINES),
        freight_factor=np.exp(0.35 * rng.normal(size=count)),
    )
    route_offices(today, rng, parcels)
    return parcels


def route_offices(today: Today, rng: np.random.Generator, parcels: Parcels) -> None:
    """Send mail to the office of the address, and one in ten other parcels past another office than usual."""
    world = today.world
    strays = rng.random(len(parcels)) < 0.1
    where = uniform(world.salt("postal office"), parcels.address)
    chance = rng.random(len(parcels))
    for mode in np.unique(parcels.mode):
        rows = parcels.mode == mode
        if mode == MAIL:
            parcels.office[rows] = pick(world.offices.weights[mode], where[rows])
        else:
            rows &= strays
            parcels.office[rows] = pick(world.offices.weights[mode], chance[rows])


def _repeat_buyers(
    rng: np.random.Generator, slot: Ints, mode: Ints, buyer_number: Ints, share: float
) -> None:
    """Let honest buyers order several times a day, at times from the same shop."""
    count = len(slot)
    rows = np.flatnonzero(rng.random(count) < share)
    if not len(rows):
        return
    source = rng.integers(0, count, len(rows))
    buyer_number[rows] = buyer_number[source]
    same = rng.random(len(rows)) < 0.4
    slot[rows[same]] = slot[source[same]]
    mode[rows[same]] = mode[source[same]]


def draw_lines(today: Today, parcels: Parcels) -> Lines:
    """Draw honest lines for parcels: article, text, quantity, price and weight."""
    world = today.world
    catalogue, sellers = world.catalogue, world.sellers
    rng = world.generator(today, 1)
    parcel = np.repeat(np.arange(len(parcels)), parcels.line_count)
    slot = parcels.slot[parcel]
    count = len(parcel)
    position = (sellers.articles[slot] * rng.random(count) ** 1.7).astype(np.int64)
    article = sellers.assortment[sellers.first_article[slot] + position]
    family = catalogue.article_family[article]
    further = np.maximum(catalogue.numbers("quantity")[family] - 1.0, 0.08)
    quantity = 1.0 + np.floor(rng.exponential(1.0, count) * further)
    price = honest_price(today, rng, slot, article)
    _keep_to_limit(parcels, parcel, price, quantity)
    weight = catalogue.article_weight_kg[article] * quantity
    # Private parcels hold wrapping, and things that their senders did not think worth a line.
    noise = np.where(sellers.is_personal[slot], world.parameters.private_noise, world.parameters.weight_noise)
    weight *= np.exp(noise * rng.normal(size=count))
    in_kg = (catalogue.families["legal_unit"] == "035").to_numpy()[family] & (rng.random(count) < 0.03)
    none = np.zeros(count, dtype=np.int64)
    lines = Lines(
        parcel=parcel,
        article=article,
        family=family.copy(),
        text=texts(today, rng, slot, article),
        quantity=quantity,
        price_cny=price,
        weight_kg=weight,
        declared_quantity=quantity.copy(),
        declared_price_cny=price.copy(),
        declared_weight_kg=weight.copy(),
        in_kg=in_kg,
        valuation=none,
        prohibited=none.copy(),
        food=none.copy(),
    )
    mistaken = np.flatnonzero(rng.random(count) < world.parameters.wrong_heading_share)
    lines.family[mistaken] = catalogue.family_confused[family[mistaken]]
    _send_to_hobbyists(today, rng, parcels, lines)
    return lines


def honest_price(today: Today, rng: np.random.Generator, slot: Ints, article: Ints) -> Floats:
    """Return the price of one unit in CNY: article, shop, noise, bargains and promotions."""
    world = today.world
    sellers, parameters, count = world.sellers, world.parameters, len(slot)
    shift = today.price_shift[world.catalogue.article_family[article]]
    price = world.catalogue.article_price_cny[article] * shift * sellers.price_level[slot]
    # A shop prices an article once for a while; the rest is coupons and exchange rates.
    tag = normal(world.salt("price tag"), slot * 100_003 + article, today.ordinal // 14)
    price = price * np.exp(parameters.price_noise * (0.8 * tag + 0.6 * rng.normal(size=count)))
    bargain = rng.random(count) < sellers.bargains[slot]
    price = np.where(bargain, price * rng.uniform(0.35, 0.9, count), price)
    if today.day.month == 11 and today.day.day <= 11:
        price = np.where(rng.random(count) < 0.3, price * rng.uniform(0.7, 0.95, count), price)
    # Private senders send worn things and guess what a present is worth.
    guessed = sellers.is_personal[slot] & (rng.random(count) < 0.5)
    price = np.where(guessed, price * np.exp(-0.5 + parameters.private_noise * rng.normal(size=count)), price)
    return np.maximum(price, 0.3)


def _keep_to_limit(parcels: Parcels, parcel: Ints, price: Floats, quantity: Floats) -> None:
    """Retail orders over CNY 5,000 are refused by the platforms: buyers take fewer."""
    value = np.bincount(parcel, price * quantity, minlength=len(parcels))
    over = (MODE_IS_RETAIL[parcels.mode] & (value > 5000.0))[parcel]
    quantity[over] = 1.0


def _send_to_hobbyists(today: Today, rng: np.random.Generator, parcels: Parcels, lines: Lines) -> None:
    """Send some models, toys and books that come by mail to hobbyists, and name some after animals."""
    world = today.world
    catalogue = world.catalogue
    groups = catalogue.groups["group"].to_list()
    wanted = np.isin(catalogue.family_group, [groups.index(name) for name in _HOBBY_GROUPS])
    fitting = wanted[lines.family] & MODE_IS_ARTICLE[parcels.mode[lines.parcel]]
    draw = rng.random(len(lines))
    rows = np.flatnonzero(fitting & (draw < 0.09))
    to = lines.parcel[rows]
    number = (world.parameters.hobby_addresses * rng.random(len(rows)) ** 1.3).astype(np.int64)
    parcels.address[to] = hobby_address(world.seed, number)
    parcels.buyer[to] = hobby_buyer(world.seed, number, rng.integers(0, 4, len(rows)))
    named = np.flatnonzero(fitting & (draw > 0.965))
    lines.text[named] = world.names.revealing_start + rng.integers(0, len(REVEALING), len(named))
