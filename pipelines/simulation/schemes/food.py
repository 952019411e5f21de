"""Unsafe food: bad lots of an article for some weeks, makers and shops with poor hygiene, risky regions."""

from typing import Final

import numpy as np

from pipelines.simulation.world.parcels import Lines, Parcels
from pipelines.simulation.world.places import MODE_IS_EXPORT
from pipelines.simulation.world.randomness import Floats, Ints, normal, pick, uniform
from pipelines.simulation.world.state import Today

HYGIENE, LOT = 1, 2
MAX_FOOD_CHANCE: Final = 0.6


def hygiene(today: Today, parcels: Parcels, lines: Lines) -> Floats:
    """Return for each line how prone it is to fail in a laboratory, 0 if not food; before scaling."""
    world = today.world
    sellers, catalogue, spread = world.sellers, world.catalogue, world.parameters.food_seller_spread
    slots = np.arange(len(sellers))
    seller = np.exp(spread * normal(world.salt("hygiene"), slots, today.incarnation))
    family = catalogue.article_family[lines.article]
    makers = np.exp(1.0 * normal(world.salt("maker"), np.arange(int(catalogue.article_brand.max()) + 1)))
    kinds = np.exp(1.1 * normal(world.salt("kind of food"), np.arange(catalogue.families.height)))
    origin = catalogue.article_origin[lines.article]
    region = np.exp(1.1 * normal(world.salt("region"), family, origin, today.ordinal // 120))
    # A shop that stores badly sells for years; who supplies a region changes a few times a year.
    warm = 1.0 + 0.35 * np.cos(2.0 * np.pi * (today.day.timetuple().tm_yday - 200) / 365.0)
    chance = seller[parcels.slot[lines.parcel]] * makers[catalogue.article_brand[lines.article]]
    chance = chance * kinds[family] * region
    return np.where(is_food(today, parcels, lines), chance * warm, 0.0)


def is_food(today: Today, parcels: Parcels, lines: Lines) -> np.typing.NDArray[np.bool_]:
    """Return whether the goods of a line are food for this country's consumers."""
    catalogue = today.world.catalogue
    food = catalogue.family_food[catalogue.article_family[lines.article]] & (lines.prohibited == 0)
    return np.asarray(food & ~MODE_IS_EXPORT[parcels.mode[lines.parcel]], dtype=np.bool_)


def bad_lots(today: Today) -> tuple[Ints, Floats]:
    """Return the articles with a bad lot on the market today, and how bad each is, relative to 1.

    A lot is on sale for four to ten weeks, in most shops that sell the article; then another takes its place.
    """
    world = today.world
    catalogue, number = world.catalogue, np.arange(world.parameters.food_lots)
    length = 28.0 + 42.0 * uniform(world.salt("lot length"), number)
    phase = 100.0 * uniform(world.salt("lot phase"), number)
    life = np.floor((today.ordinal + phase) / length).astype(np.int64)
    articles = np.flatnonzero(catalogue.family_food[catalogue.article_family])
    # The first models of a family sell best, and lots of what nobody buys would not be noticed.
    model = articles % catalogue.models
    articles = articles[model < max(catalogue.models // 5, 1)]
    sales = catalogue.numbers("imports")[catalogue.article_family[articles]]
    chosen = articles[pick(sales, uniform(world.salt("lot article"), number, life))]
    badness = np.exp(0.5 * normal(world.salt("lot badness"), number, life))
    return chosen, badness


def lot_badness(today: Today, parcels: Parcels, lines: Lines) -> Floats:
    """Return for each line how bad the lot is that it comes from, 0 for most."""
    chosen, badness = bad_lots(today)
    table = np.zeros(today.world.catalogue.articles)
    np.maximum.at(table, chosen, badness)
    shop, month = parcels.slot[lines.parcel], today.ordinal // 30
    got_it = uniform(today.world.salt("lot shop"), shop, lines.article, month) < 0.85
    return np.where(is_food(today, parcels, lines) & got_it, table[lines.article], 0.0)


def spoil(today: Today, parcels: Parcels, lines: Lines, scale: float, lot_scale: float) -> None:
    """Mark the lines that a laboratory would fail."""
    rng = today.world.generator(today, 9)
    for kind, chance in (
        (HYGIENE, scale * hygiene(today, parcels, lines)),
        (LOT, lot_scale * lot_badness(today, parcels, lines)),
    ):
        lines.food[rng.random(len(lines)) < np.minimum(chance, MAX_FOOD_CHANCE)] = kind
