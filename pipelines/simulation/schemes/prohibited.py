"""Prohibited goods in the post: rings and lone senders hide animals, seeds, weapon parts as something dull.

The covers are those that seizure reports name: toys, plastic models, books and paper craft, picture frames,
samples, snacks, copper ornaments, face masks, building blocks, hardware, clothing, shoes, daily necessities.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.simulation.world.names import ENGLISH_SHORT, REVEALING, SEEDY, STYLES
from pipelines.simulation.world.parcels import Lines, Parcels, sender_keys
from pipelines.simulation.world.parties import hobby_address, hobby_buyer
from pipelines.simulation.world.places import COUNTRIES, COUNTRY, EXPRESS, MAIL
from pipelines.simulation.world.randomness import (
    Flags,
    Floats,
    Ints,
    Keys,
    mix,
    normal,
    pick,
    uniform,
    weighted,
)
from pipelines.simulation.world.seasons import seconds_of_day
from pipelines.simulation.world.state import Today, World
from pipelines.simulation.world.wording import texts, vague_texts

_PETS = (
    "plastic toy", "animal figure", "plush toy", "building blocks", "photo frame", "wood frame", "books",
    "art print", "origami paper", "plastic samples", "teaching models", "biscuits", "snack mix", "candy",
    "t-shirt", "canvas shoes", "hair accessory", "daily goods", "plastic ornament", "metal ornament",
)  # fmt: skip
_LATER = (
    "notebook", "coffee beans", "pet snack", "facial cleanser", "car part", "earphones", "vacuum flask",
    "lamp", "keyring", "storage box", "decorative candle", "towel",
)  # fmt: skip


@dataclass(frozen=True)
class Contraband:
    """A kind of hidden goods: how common, how heavy with its box, where from, and what it passes as."""

    name: str
    share: float
    weight_kg: float
    origins: str
    covers: tuple[str, ...]


_SEEDS = ("building blocks", "books", "greeting cards", "candy", "stickers")
_WILDLIFE = ("metal ornament", "wooden craft", "resin craft", "imitation jewellery")
_WEAPONS = ("hardware parts", "metal fittings", "bicycle part", "hand tool")
CONTRABAND: Final = (
    Contraband("ants", 0.20, 0.07, "DE:4;ES:1;TH:1;US:1;AU:0.6;FR:1;GB:1;TW:1", _PETS),
    Contraband("beetles", 0.19, 0.20, "JP:5;TW:3;TH:2;ID:2;PE:0.8", _PETS),
    Contraband("spiders", 0.11, 0.09, "DE:2;PE:1;TH:2;US:2;GB:1", _PETS),
    Contraband("reptiles", 0.13, 0.38, "TH:3;ID:3;US:2;DE:1;HK:2;JP:1;MY:2", _PETS),
    Contraband("other insects", 0.09, 0.13, "JP:2;TW:2;MY:2;DE:1;ZA:0.5", _PETS),
    Contraband("seeds", 0.11, 0.06, "NL:3;TH:1;US:2;CA:2;ES:1;JP:1", _SEEDS),
    Contraband("wildlife products", 0.08, 0.35, "TH:2;ZA:1;JP:2;ID:2;HK:1;FR:0.5", _WILDLIFE),
    Contraband("biological products", 0.05, 0.14, "KR:4;JP:3;TH:1", ("face mask", "serum", "skin cream")),
    Contraband("weapon parts", 0.04, 0.40, "US:3;HK:2;TW:2;DE:1", _WEAPONS),
)
KINDS_OF_ANIMALS: Final = 5
_RING_PARCELS_PER_DAY = 0.22


@dataclass(frozen=True)
class Shipments:
    """The hidden parcels of a day: `rows` of the day's parcels and what is in them."""

    rows: Ints
    kind: Ints
    ring: Ints
    cover: Ints
    careful: Flags
    buyer: Keys
    address: Keys


def shipments_today(today: Today, expected_lines: float) -> int:
    """Return how many parcels with hidden goods are sent on a day with `expected_lines` lines."""
    mean = today.world.parameters.prohibited_rate * expected_lines
    return int(today.world.generator(today, 2).poisson(mean))


def plan_shipments(today: Today, parcels: Parcels, rows: Ints) -> Shipments:
    """Turn the parcels in `rows` into shipments of rings and lone senders; their lines follow in `hide`."""
    world = today.world
    rng = world.generator(today, 3)
    count = len(rows)
    by_ring = rng.random(count) < world.parameters.ring_share
    ring = np.where(by_ring, _rings(today, rng, count), -1)
    life = _life(world, np.maximum(ring, 0), today.ordinal)
    shares = np.array([item.share for item in CONTRABAND])
    kind = pick(shares, np.where(by_ring, uniform(world.salt("ring kind"), ring), rng.random(count)))
    where = np.where(by_ring, uniform(world.salt("ring country"), ring, life), rng.random(count))
    origins = np.stack([weighted(item.origins, COUNTRIES) for item in CONTRABAND])
    country = np.array([pick(origins[k], where[i : i + 1])[0] for i, k in enumerate(kind)], dtype=np.int64)
    buyer, address = _recipients(today, rng, ring, life, by_ring)
    _send(today, rng, parcels, rows, ring, country)
    careful_ring = uniform(world.salt("ring care"), ring, life)
    careful = np.where(by_ring, careful_ring, rng.random(count)) < world.parameters.careful_smuggler_share
    return Shipments(
        rows=rows,
        kind=kind,
        ring=ring,
        cover=_covers(today, rng, kind, ring, life),
        careful=careful,
        buyer=buyer,
        address=address,
    )


def hide(today: Today, parcels: Parcels, lines: Lines, shipments: Shipments) -> None:
    """Make the first line of each shipment the cover of hidden goods: text, price, weight as he dares."""
    if not len(shipments.rows):
        return
    world, rng = today.world, today.world.generator(today, 4)
    catalogue = world.catalogue
    parcels.buyer[shipments.rows], parcels.address[shipments.rows] = shipments.buyer, shipments.address
    first = np.searchsorted(lines.parcel, shipments.rows)
    count, slot = len(first), parcels.slot[shipments.rows]
    true_weight = np.array([item.weight_kg for item in CONTRABAND])[shipments.kind]
    true_weight = true_weight * np.exp(0.45 * rng.normal(size=count))
    # Of a few models of the cover the one that weighs about right.
    candidates = shipments.cover[:, None] * catalogue.models + rng.integers(0, catalogue.models, (count, 5))
    off = np.abs(np.log(catalogue.article_weight_kg[candidates] / true_weight[:, None]))
    article = candidates[np.arange(count), np.where(shipments.careful, off.argmin(axis=1), 0)]
    law_price = catalogue.article_price_cny[article] * np.exp(0.25 * rng.normal(size=count))
    low_price = 42.0 * np.exp(0.7 * rng.normal(size=count))
    anyhow = np.where(rng.random(count) < 0.6, 1.0, rng.integers(2, 6, count))
    fitting = np.clip(np.round(true_weight / catalogue.article_weight_kg[article]), 1.0, 12.0)
    quantity = np.where(shipments.careful, fitting, anyhow)
    lines.article[first], lines.family[first] = article, catalogue.article_family[article]
    lines.quantity[first] = lines.declared_quantity[first] = quantity
    price = np.where(shipments.careful, law_price, low_price)
    lines.price_cny[first] = lines.declared_price_cny[first] = np.maximum(price, 0.5)
    lines.weight_kg[first] = lines.declared_weight_kg[first] = true_weight
    lines.in_kg[first] = False
    lines.text[first] = _cover_texts(today, rng, slot, article, shipments)
    lines.prohibited[first] = 1 + 2 * shipments.kind + (shipments.ring < 0)


def _cover_texts(
    today: Today, rng: np.random.Generator, slot: Ints, article: Ints, shipments: Shipments
) -> Ints:
    names, count = today.world.names, len(article)
    draw, english = rng.random(count), rng.random(count) < 0.6
    plain = names.article(article, np.where(english, ENGLISH_SHORT, ENGLISH_SHORT - 1) % STYLES)
    vague = vague_texts(today, article, english, rng.random(count))
    usual = texts(today, rng, slot, article)
    text = np.where(
        shipments.careful, usual, np.where(draw < 0.55, vague, np.where(draw < 0.9, plain, usual))
    )
    revealing = rng.random(count) < today.world.parameters.revealing_text_share
    animal = names.revealing_start + rng.integers(0, len(REVEALING), count)
    lifeless = names.seedy_start + rng.integers(0, len(SEEDY), count)
    hint = np.where(shipments.kind < KINDS_OF_ANIMALS, animal, lifeless)
    return np.where(revealing, hint, text)


def _rings(today: Today, rng: np.random.Generator, count: int) -> Ints:
    """Draw the rings of today's shipments; each works in bursts of weeks."""
    parameters = today.world.parameters
    lines_per_day = parameters.prohibited_rate * parameters.volume * parameters.lines_per_parcel
    per_day = lines_per_day * parameters.ring_share
    rings = max(round(per_day / _RING_PARCELS_PER_DAY), 3)
    weight = np.exp(1.0 * normal(today.world.salt("ring burst"), np.arange(rings), today.ordinal // 9))
    return pick(weight, rng.random(count))


def _life(world: World, ring: Ints, ordinal: int) -> Ints:
    """Return the phase of a ring's life: it changes country, covers and senders, not its addresses."""
    length = 40.0 + 80.0 * uniform(world.salt("ring length"), ring)
    return np.floor((ordinal + 400.0 * uniform(world.salt("ring phase"), ring)) / length).astype(np.int64)


def _recipients(
    today: Today, rng: np.random.Generator, ring: Ints, life: Ints, by_ring: Flags
) -> tuple[Keys, Keys]:
    world, count = today.world, len(ring)
    hobbyists = world.parameters.hobby_addresses
    # A ring has three to eight addresses; two thirds belong to hobbyists who also get harmless parcels, the
    # others to people like all others. Half of them change with the ring's life.
    many = 3.0 + 5.0 * uniform(world.salt("ring addresses"), ring)
    number = np.floor(many * rng.random(count)).astype(np.int64)
    era = np.where(number % 2 == 0, 0, life)
    at_hobbyist = uniform(world.salt("ring address kind"), ring, number, era) < 0.65
    place = uniform(world.salt("ring address"), ring, number, era)
    hobbyist = (hobbyists * place).astype(np.int64)
    neighbour = (world.people.buyers * place**2.4).astype(np.int64)
    ring_address = np.where(
        at_hobbyist, hobby_address(world.seed, hobbyist), world.people.address_key(neighbour)
    )
    person = rng.integers(0, 4, count)
    own_buyer = mix(world.salt("ring buyer"), ring, number, person)
    ring_buyer = np.where(person < 2, world.people.buyer_key(neighbour), own_buyer)
    ring_buyer = np.where(at_hobbyist, hobby_buyer(world.seed, hobbyist, person), ring_buyer)
    lone_hobbyist = (hobbyists * rng.random(count) ** 1.3).astype(np.int64)
    stranger = world.people.draw(rng, count, today.ordinal)
    hobby = rng.random(count) < 0.35
    lone_address = np.where(
        hobby, hobby_address(world.seed, lone_hobbyist), world.people.address_key(stranger)
    )
    hobby_person = hobby_buyer(world.seed, lone_hobbyist, rng.integers(0, 3, count))
    lone_buyer = np.where(hobby, hobby_person, world.people.buyer_key(stranger))
    return np.where(by_ring, ring_buyer, lone_buyer), np.where(by_ring, ring_address, lone_address)


def _send(
    today: Today, rng: np.random.Generator, parcels: Parcels, rows: Ints, ring: Ints, country: Ints
) -> None:
    """Post the parcels as the private senders of a country do, rings under names that they change."""
    world, count = today.world, len(rows)
    sellers = world.sellers
    mode = np.where(rng.random(count) < 0.74, MAIL, EXPRESS)
    slot = np.empty(count, dtype=np.int64)
    private = np.flatnonzero(sellers.is_personal)
    for i in range(count):
        at_home = private[(sellers.country[private] == country[i]) & (sellers.mode[private] == mode[i])]
        slot[i] = at_home[0] if len(at_home) else private[rng.integers(0, len(private))]
    lone = sender_keys(today, slot, rng.random(count))
    span = 4.0 + 8.0 * uniform(world.salt("ring names"), ring)
    period = np.floor((today.ordinal + 30.0 * uniform(world.salt("ring names phase"), ring)) / span).astype(
        np.int64
    )
    name = mix(world.salt("ring sender"), ring, period, rng.integers(0, 3, count))
    parcels.slot[rows], parcels.mode[rows] = slot, mode
    parcels.sender[rows] = np.where(ring >= 0, name, lone)
    parcels.dispatch[rows], parcels.destination[rows] = country, COUNTRY["CN"]
    parcels.currency[rows] = sellers.currency[slot]
    parcels.seconds[rows] = seconds_of_day(rng, count)
    for field in ("platform", "agent", "carrier"):
        usual = rng.random(count) < (0.7 if field == "carrier" else 1.0)
        getattr(parcels, field)[rows[usual]] = getattr(sellers, field)[slot[usual]]
    parcels.line_count[rows] = np.where(rng.random(count) < 0.78, 1, 2)
    # Live animals travel fast.
    parcels.freight_factor[rows] *= np.exp(0.3 + 0.3 * rng.normal(size=count))
    where = uniform(world.salt("postal office"), parcels.address[rows])
    chance = np.where(mode == MAIL, where, rng.random(count))
    weights = world.offices.weights
    parcels.office[rows] = [pick(weights[m], u[None])[0] for m, u in zip(mode, chance, strict=True)]


def _covers(today: Today, rng: np.random.Generator, kind: Ints, ring: Ints, life: Ints) -> Ints:
    """Return the family each shipment passes as: a ring prefers four of them, until the world drifts."""
    world = today.world
    draw: Floats = rng.random(len(kind))
    habit = uniform(world.salt("ring cover"), ring, life, rng.integers(0, 4, len(kind)))
    choice = np.where((ring >= 0) & (draw < 0.7), habit, rng.random(len(kind)))
    later = today.drifting & (rng.random(len(kind)) < world.parameters.drift_concealment_share)
    result = np.empty(len(kind), dtype=np.int64)
    for i, item in enumerate(kind):
        covers = _LATER if later[i] else CONTRABAND[item].covers
        result[i] = world.catalogue.family(covers[int(choice[i] * len(covers))])
    return result
