"""Officers with three programmes of rules of thumb, memory and taste: prices, contraband, food sampling."""

from typing import Final

import numpy as np

from pipelines.simulation.days.day import SimulatedDay
from pipelines.simulation.inspections.chances import capped_chances
from pipelines.simulation.inspections.memory import Memory
from pipelines.simulation.world.places import COUNTRIES, EXPRESS, MAIL, MODE_IS_EXPORT
from pipelines.simulation.world.randomness import Floats, normal, weighted

# Shares of the officers' own choices: valuation, contraband, food sampling plan.
_PROGRAMMES: Final = (0.38, 0.26, 0.36)
_SUSPECT_GROUPS: Final = ("toys", "models", "samples", "books", "ornaments", "accessories")
_SUSPECT_COUNTRIES: Final = weighted("TH:0.7;ID:0.7;PE:0.6;DE:0.3;TW:0.3;JP:0.2;ZA:0.6;MY:0.3", COUNTRIES)
_FOOD_WATCH: Final = {"dairy": 0.5, "supplement": 0.6, "seafood": 0.5, "baby food": 0.6}


def risk_chances(day: SimulatedDay, memory: Memory, rng: np.random.Generator, share: float) -> Floats:
    """Return the chance with which the officers of any programme open each parcel."""
    parcels, world = day.parcels, day.today.world
    count, noise = len(parcels), world.parameters.officer_noise
    # The officers on duty differ from office to office and from week to week.
    keenness = 0.35 * normal(world.salt("keenness"), parcels.office, day.today.ordinal // 7)
    missed = np.ones(count)
    for part, score in zip(_PROGRAMMES, programme_scores(day, memory), strict=True):
        own_view = noise * rng.normal(size=count) + keenness
        odds = np.where(np.isfinite(score), np.exp(np.clip(score + own_view, -8.0, 8.0)), 0.0)
        missed *= 1.0 - capped_chances(odds, part * share * count)
    return 1.0 - missed


def programme_scores(day: SimulatedDay, memory: Memory) -> tuple[Floats, Floats, Floats]:
    """Return for each programme what the officers think of each parcel, -inf where it is none of theirs."""
    parcels, lines, world = day.parcels, day.lines, day.today.world
    catalogue, count = world.catalogue, len(parcels)
    names = catalogue.groups["group"].to_list()
    group = catalogue.family_group[lines.family]
    export = MODE_IS_EXPORT[parcels.mode]

    def most(values: Floats) -> Floats:
        result = np.full(count, -np.inf)
        np.maximum.at(result, lines.parcel, values)
        return result

    value = np.bincount(lines.parcel, lines.declared_price_cny * lines.declared_quantity, minlength=count)
    prejudice = 0.6 * normal(world.salt("prejudice"), parcels.office, parcels.dispatch)
    # What an officer has in mind is one price for a kind of goods, not one for a brand.
    expected = catalogue.numbers("price_cny")[lines.family]
    cheap = np.clip(np.log(expected / lines.declared_price_cny) * 1.4, -1.5, 3.0)
    tempting = 0.4 * np.log(catalogue.numbers("temptation")[lines.family])
    valuation = most(cheap + tempting) + 0.35 * np.log1p(value / 200.0) + prejudice
    valuation += 1.1 * np.log1p(memory.findings(0, parcels.sender)) - np.where(export, 1.2, 0.0)

    suspects = np.zeros(len(names))
    suspects[[names.index(name) for name in _SUSPECT_GROUPS]] = 0.7
    weight = np.bincount(lines.parcel, lines.weight_kg, minlength=count)
    small = 0.5 * (weight < 0.6) + 0.3 * (value < 200.0)
    contraband = most(suspects[group]) + _SUSPECT_COUNTRIES[parcels.dispatch] + small + 0.5 * prejudice
    contraband += np.where(parcels.mode == MAIL, 1.3, np.where(parcels.mode == EXPRESS, 0.7, -2.0))
    contraband += 1.6 * np.log1p(memory.findings(1, parcels.sender))
    contraband = np.where(export, -np.inf, contraband)

    watched = np.zeros(len(names))
    watched[[names.index(name) for name in _FOOD_WATCH]] = list(_FOOD_WATCH.values())
    edible = catalogue.family_food[lines.family]
    region = 0.5 * normal(world.salt("food prejudice"), catalogue.article_origin[lines.article])
    food = most(np.where(edible, watched[group] + region, -np.inf))
    food += 1.2 * np.log1p(memory.findings(2, parcels.sender))
    return valuation, contraband, np.where(export, -np.inf, food)
