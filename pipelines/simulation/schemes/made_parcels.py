"""Parcels that a scheme makes: sent by shops, of one line each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.world.parcels import Lines, Parcels
from pipelines.simulation.world.places import COUNTRY
from pipelines.simulation.world.randomness import Floats, Ints, mix
from pipelines.simulation.world.state import Today
from pipelines.simulation.world.wording import texts


@dataclass(frozen=True, kw_only=True)
class MadeParcels:
    """The `rows` of some of the day's parcels, and what the one line of each holds at its true price."""

    rows: Ints
    article: Ints
    quantity: Floats
    price_cny: Floats


def send_from(today: Today, parcels: Parcels, rows: Ints, slot: Ints) -> None:
    """Make the parcels in `rows` ordinary imports from the shops in `slot`, in place; nobody has them yet."""
    world, sellers = today.world, today.world.sellers
    parcels.slot[rows], parcels.mode[rows] = slot, sellers.mode[slot]
    parcels.sender[rows] = mix(world.salt("seller"), slot, today.incarnation[slot])
    parcels.dispatch[rows], parcels.currency[rows] = sellers.country[slot], sellers.currency[slot]
    parcels.destination[rows], parcels.office[rows] = COUNTRY["CN"], sellers.office[slot]
    for field in ("platform", "agent", "carrier"):
        getattr(parcels, field)[rows] = getattr(sellers, field)[slot]
    parcels.line_count[rows] = 1


def fill_lines(
    today: Today, rng: np.random.Generator, parcels: Parcels, lines: Lines, made: MadeParcels
) -> Ints:
    """Fill the lines of some parcels in place, as true as they are declared; return which lines they are."""
    catalogue, article = today.world.catalogue, made.article
    filled = np.searchsorted(lines.parcel, made.rows)
    lines.article[filled], lines.family[filled] = article, catalogue.article_family[article]
    lines.text[filled] = texts(today, rng, parcels.slot[made.rows], article)
    lines.quantity[filled] = lines.declared_quantity[filled] = made.quantity
    lines.price_cny[filled] = lines.declared_price_cny[filled] = made.price_cny
    noise = np.exp(today.world.parameters.weight_noise * rng.normal(size=len(filled)))
    weight = catalogue.article_weight_kg[article] * made.quantity * noise
    lines.weight_kg[filled] = lines.declared_weight_kg[filled] = weight
    lines.in_kg[filled] = False
    return filled
