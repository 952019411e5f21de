"""Whom officers stop: rules of thumb about price, country and goods, memory of past findings, and taste."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from pipelines.simulation.days.day import SimulatedDay
from pipelines.simulation.world.places import COUNTRIES, EXPRESS, MAIL, MODE_IS_ARTICLE, MODE_IS_EXPORT, MODES
from pipelines.simulation.world.randomness import Flags, Floats, Ints, Keys, normal, uniform, weighted

RANDOM, RISK, REFERRAL = 0, 1, 2
CHANNELS: Final = ("random", "risk", "referral")
_MAX_CHANCE: Final = 0.9
# Shares of the officers' own choices: valuation, contraband, food sampling plan.
_PROGRAMMES: Final = (0.38, 0.26, 0.36)
_SUSPECT_GROUPS: Final = ("toys", "models", "samples", "books", "ornaments", "accessories")
_SUSPECT_COUNTRIES: Final = weighted("TH:0.7;ID:0.7;PE:0.6;DE:0.3;TW:0.3;JP:0.2;ZA:0.6;MY:0.3", COUNTRIES)
_FOOD_WATCH: Final = {"dairy": 0.5, "supplement": 0.6, "seafood": 0.5, "baby food": 0.6}


@dataclass(frozen=True)
class OpenedParcels:
    """Inspected parcels of a day: their places, why, and the chance where it is known (NaN where not)."""

    parcel: Ints
    selection: Ints
    probability: Floats


@dataclass
class Memory:
    """What officers remember: findings by sender and risk, as reported."""

    senders: list[Keys] = field(default_factory=lambda: [np.array([], dtype=np.uint64)] * 3)
    counts: list[Floats] = field(default_factory=lambda: [np.array([])] * 3)

    def learn(self, risk: int, sender: Keys) -> None:
        """Add findings that were reported."""
        keys, places = np.unique(np.concatenate([self.senders[risk], sender]), return_inverse=True)
        old = np.concatenate([self.counts[risk], np.ones(len(sender))])
        self.senders[risk], self.counts[risk] = keys, np.bincount(places, old).astype(np.float64)

    def findings(self, risk: int, sender: Keys) -> Floats:
        """Return the findings remembered of each sender."""
        keys, counts = self.senders[risk], self.counts[risk]
        if not len(keys):
            return np.zeros(len(sender))
        places = np.minimum(np.searchsorted(keys, sender), len(keys) - 1)
        return np.where(keys[places] == sender, counts[places], 0.0)


def choose_parcels(day: SimulatedDay, memory: Memory) -> OpenedParcels:
    """Return the parcels of a day that are opened: a random share of every stratum first, then the rest."""
    world, count = day.today.world, len(day.parcels)
    rng = world.generator(day.today, 12)
    parameters = world.parameters
    selection = np.full(count, -1)
    probability = np.full(count, np.nan)
    stratum, size = strata(day, parameters.random_share)
    drawn, chance = _random_share(rng, stratum, size, parameters.random_share)
    selection[drawn], probability[drawn] = RANDOM, chance[drawn]
    hint = (selection < 0) & (rng.random(count) < _hints(day, rng))
    selection[hint] = REFERRAL
    share = max(parameters.inspection_share - parameters.random_share - parameters.referral_share, 0.0)
    risk_chance = _officers(day, memory, rng, share)
    taken = (selection < 0) & (rng.random(count) < risk_chance)
    selection[taken] = RISK
    # Some offices record the chance with which their programmes chose.
    keeps_records = uniform(world.salt("records"), day.parcels.office) < parameters.known_probability_share
    known = keeps_records & taken
    probability[known] = risk_chance[known]
    rows = np.flatnonzero(selection >= 0)
    return OpenedParcels(rows, selection[rows], probability[rows])


def strata(day: SimulatedDay, share: float) -> tuple[Ints, Ints]:
    """Return each parcel's stratum (office × trade mode) and the size of every stratum.

    Strata too small for one parcel at this share are pooled into a last one, so that a chance is always
    n/N with n at least 1 and no parcel is out of reach.
    """
    trade_mode = np.array([MODES.index(mode) for mode in MODES])
    stratum = day.parcels.office * len(MODES) + trade_mode[day.parcels.mode]
    pooled = len(MODES) * len(day.today.world.offices.code)
    size = np.bincount(stratum, minlength=pooled + 1)
    stratum = np.where((size * share < 1.0)[stratum], pooled, stratum)
    return stratum, np.bincount(stratum, minlength=pooled + 1)


def _random_share(rng: np.random.Generator, stratum: Ints, size: Ints, share: float) -> tuple[Flags, Floats]:
    # Rounded up or down at random, so that the expected number is the share of the stratum.
    wanted = np.minimum(np.maximum(np.floor(size * share + rng.random(len(size))), 1.0), size)
    order = np.lexsort((rng.random(len(stratum)), stratum))
    start = np.cumsum(size) - size
    place = np.empty(len(stratum), dtype=np.int64)
    place[order] = np.arange(len(stratum)) - start[stratum[order]]
    drawn = place < wanted[stratum]
    if share == 0.0:
        drawn = np.zeros(len(stratum), dtype=bool)
    return drawn, (wanted / np.maximum(size, 1))[stratum]


def _hints(day: SimulatedDay, rng: np.random.Generator) -> Floats:
    """Return the chance of a tip or an odd X-ray image: animals show, so do some harmless things."""
    lines, parcels = day.lines, day.parcels
    share = day.today.world.parameters.referral_share
    hidden = np.bincount(lines.parcel, lines.prohibited > 0, minlength=len(parcels)) > 0
    undervalued = np.bincount(lines.parcel, lines.valuation > 0, minlength=len(parcels)) > 0
    screened = MODE_IS_ARTICLE[parcels.mode]
    chance = np.where(screened, 2.0 * share, 0.15 * share)
    chance = np.where(undervalued, chance + 3.0 * share, chance)
    return np.where(hidden & screened, min(170.0 * share, 0.5), chance)


def _officers(day: SimulatedDay, memory: Memory, rng: np.random.Generator, share: float) -> Floats:
    """Return the chance with which the officers of any programme open each parcel."""
    parcels, world = day.parcels, day.today.world
    count, noise = len(parcels), world.parameters.officer_noise
    # The officers on duty differ from office to office and from week to week.
    keenness = 0.35 * normal(world.salt("keenness"), parcels.office, day.today.ordinal // 7)
    missed = np.ones(count)
    for part, score in zip(_PROGRAMMES, _scores(day, memory), strict=True):
        own_view = noise * rng.normal(size=count) + keenness
        odds = np.where(np.isfinite(score), np.exp(np.clip(score + own_view, -8.0, 8.0)), 0.0)
        chance = np.minimum(_solve(odds, part * share * count) * odds, _MAX_CHANCE)
        missed *= 1.0 - chance
    return 1.0 - missed


def _scores(day: SimulatedDay, memory: Memory) -> tuple[Floats, Floats, Floats]:
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


def _solve(odds: Floats, wanted: float) -> float:
    """Return the factor at which the chances add up to `wanted` (by fixed-point steps)."""
    total = float(odds.sum())
    if total <= 0.0 or wanted <= 0.0:
        return 0.0
    factor = wanted / total
    for _ in range(6):
        reached = float(np.minimum(factor * odds, _MAX_CHANCE).sum())
        factor *= wanted / max(reached, 1e-9)
    return factor
