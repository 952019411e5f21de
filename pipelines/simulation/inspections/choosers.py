"""Officers who choose by watch list, price, X-ray image or lists handed down, and mixtures of them.

What they open depends on what they look at, not on a model's score, and mostly nobody knows with what chance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.simulation.days.day import SimulatedDay
from pipelines.simulation.inspections.chances import capped_chances
from pipelines.simulation.inspections.channels import OFFICER, RULE
from pipelines.simulation.inspections.memory import Memory
from pipelines.simulation.inspections.programmes import programme_scores
from pipelines.simulation.schemes.prohibited import KINDS_OF_ANIMALS
from pipelines.simulation.world.parties import hobby_address
from pipelines.simulation.world.places import MODE_IS_ARTICLE, MODE_IS_EXPORT
from pipelines.simulation.world.randomness import Flags, Floats, Ints, mix, normal, uniform

_PRICES, _GOODS, _FOOD = range(3)
# A list lives about so long, and an image is taken of so many parcels of mail and express, and of others.
_LIST_DAYS, _SCREENED, _SCREENED_ELSEWHERE = 120, 0.6, 0.12
_IMAGE_OF_ANIMALS, _IMAGE_OF_GOODS = 2.0, 1.2
_LOOK_ALIKE: Final = {"food": 0.7, "toys": 0.3, "electronics": 0.4, "pet food": 0.8, "ornaments": 0.3}
_LIST_IS_RULE: Final = 0.7
_RATES: Final = np.array([1.0, 0.5, 0.3, 0.2, 0.1, 0.05])


@dataclass(frozen=True)
class Wish:
    """How much officers of one kind want to open each parcel (-inf: not at all), and for which risk."""

    score: Floats
    risk: Ints


@dataclass(frozen=True)
class OwnChoice:
    """What officers open of a day's parcels: channel (-1: not), chance (NaN: not recorded), which risk."""

    channel: Ints
    chance: Floats
    risk: Ints

    def take(self, taken: Flags, risk: Ints, channel: Ints | int, chance: Floats | float) -> None:
        """Open some parcels more, for these risks, under this channel."""
        self.risk[taken] = risk[taken]
        self.channel[taken] = np.broadcast_to(channel, taken.shape)[taken]
        self.chance[taken] = np.broadcast_to(chance, taken.shape)[taken]


def choose_by_habit(
    day: SimulatedDay, memory: Memory, rng: np.random.Generator, free: Flags, share: float
) -> OwnChoice:
    """Choose a share of a day's parcels, of those that are free, as the officers of this world do."""
    world, count = day.today.world, len(day.parcels)
    own = world.parameters.officers
    kinds = _MIXED if own == "mixed" else (own,)
    # Food is sampled by a plan everywhere, and every office has some images.
    everywhere = {_FOOD_PLAN: _FOOD_PART, **({} if "xray" in kinds else {"xray": _IMAGE_PART})}
    rest = (1.0 - sum(everywhere.values())) / len(kinds)
    parts = {**everywhere, **dict.fromkeys(kinds, rest)}
    chosen = OwnChoice(np.full(count, -1), np.full(count, np.nan), np.zeros(count, dtype=np.int64))
    # Who has nobody on his list goes by taste: the rest of each part falls to that.
    left = 0.0
    for kind, part in parts.items():
        wish = _KINDS[kind](day, memory, rng)
        open_to = free & (chosen.channel < 0) & _uses(day, kind, alone=len(kinds) == 1 or kind in everywhere)
        score = np.where(open_to, wish.score, -np.inf)
        wanted = part * share * count
        if kind in _LISTS:
            taken, chance = _listed(rng, score, wanted)
            chosen.take(taken, wish.risk, *_list_records(day, rng, chance))
        else:
            taken = _ranked(rng, score, wanted)
            chosen.take(taken, wish.risk, OFFICER, np.nan)
        left += wanted - int(taken.sum())
    taste = np.where(
        free & (chosen.channel < 0) & ~MODE_IS_EXPORT[day.parcels.mode], rng.random(count), -np.inf
    )
    chosen.take(_ranked(rng, taste, max(left, 0.0)), rng.integers(0, 3, count), OFFICER, np.nan)
    return chosen


def _list_records(day: SimulatedDay, rng: np.random.Generator, chance: Floats) -> tuple[Ints, Floats]:
    """Return the channel and the chance that an office writes down for parcels of a list."""
    world = day.today.world
    # Some offices call a list a rule, others what their people do; a rule may have a chance on record.
    is_rule = uniform(world.salt("calls it a rule"), day.parcels.office) < _LIST_IS_RULE
    recorded = is_rule & (rng.random(len(chance)) < world.parameters.known_probability_share)
    kept = np.round(np.maximum(chance, 0.001), 3)
    return np.where(is_rule, RULE, OFFICER), np.where(recorded, kept, np.nan)


def _uses(day: SimulatedDay, kind: str, *, alone: bool) -> Flags:
    """Return which parcels come to an office that works in this way."""
    office = day.parcels.office
    if alone:
        return np.ones(len(office), dtype=bool)
    return np.asarray(uniform(day.today.world.salt(f"works by {kind}"), office) < 0.65)


def _listed(rng: np.random.Generator, score: Floats, wanted: float) -> tuple[Flags, Floats]:
    """Draw each parcel of a list by itself, likelier the more speaks against it."""
    chance = capped_chances(np.where(np.isfinite(score), np.exp(score), 0.0), wanted)
    return np.asarray(rng.random(len(score)) < chance), chance


def _ranked(rng: np.random.Generator, score: Floats, wanted: float) -> Flags:
    """Take the highest, as many as there is time for; nobody knows a chance."""
    taken = np.zeros(len(score), dtype=bool)
    number = min(int(wanted + rng.random()), int(np.isfinite(score).sum()))
    if number:
        taken[np.argpartition(-score, number - 1)[:number]] = True
    return taken


def _watch_list(day: SimulatedDay, memory: Memory, rng: np.random.Generator) -> Wish:
    """Known senders, addresses and goods: by findings, from old lists, partly right, and by hearsay."""
    world, parcels, count = day.today.world, day.parcels, len(day.parcels)
    period = day.today.ordinal // _LIST_DAYS
    firm = ~world.sellers.is_personal[parcels.slot]
    character = normal(world.salt("honesty"), parcels.slot, day.today.incarnation[parcels.slot])
    old = uniform(world.salt("old list"), parcels.sender) < 0.005 * np.exp(1.1 * character) * firm
    hobbyists = np.arange(world.parameters.hobby_addresses)
    noted = uniform(world.salt("noted address"), hobbyists, period) < 0.12
    suspect = np.isin(parcels.address, hobby_address(world.seed, hobbyists[noted]))
    suspect |= uniform(world.salt("rumour"), parcels.address, period) < 0.002
    catalogue, lines = world.catalogue, day.lines
    goods = uniform(world.salt("watched goods"), lines.family, parcels.dispatch[lines.parcel], period) < 0.012
    food = goods & catalogue.family_food[lines.family]
    scores = np.stack(
        [
            1.2 * np.log1p(memory.findings(risk, parcels.sender))
            + 0.9 * np.log1p(memory.findings(risk, parcels.address))
            for risk in range(3)
        ]
    )
    scores[_PRICES] += 1.3 * old + 0.3 * _any(day, goods & ~food)
    scores[_GOODS] += 1.0 * suspect
    scores[_FOOD] += 0.5 * _any(day, food)
    best = scores.max(axis=0)
    wanted = (best > 0.0) & ~MODE_IS_EXPORT[parcels.mode]
    view = 2.0 * best + 0.5 * rng.normal(size=count)
    return Wish(np.where(wanted, view, -np.inf), scores.argmax(axis=0))


def _price(day: SimulatedDay, memory: Memory, rng: np.random.Generator) -> Wish:
    """Far below what officers of an office think such goods cost; a parcel of little value is let go."""
    world, parcels, lines, count = day.today.world, day.parcels, day.lines, len(day.parcels)
    usual = world.catalogue.numbers("price_cny")[lines.family]
    idea = np.exp(0.35 * normal(world.salt("idea of a price"), parcels.office[lines.parcel], lines.family))
    below = np.log(usual * idea / lines.declared_price_cny)
    lost = np.log1p(usual * lines.declared_quantity / 150.0)
    score = _most(day, below + 0.5 * lost) + 0.6 * rng.normal(size=count)
    return Wish(np.where(MODE_IS_EXPORT[parcels.mode], -np.inf, score), np.full(count, _PRICES))


def _xray(day: SimulatedDay, memory: Memory, rng: np.random.Generator) -> Wish:
    """Shape and density on an image: animals and hidden goods show, prices do not; some goods look alike."""
    world, parcels, lines, count = day.today.world, day.parcels, day.lines, len(day.parcels)
    catalogue = world.catalogue
    names = catalogue.groups["group"].to_list()
    alike = np.zeros(len(names))
    for name, look in _LOOK_ALIKE.items():
        alike[names.index(name)] = look
    kind = (lines.prohibited - 1) // 2
    shows = np.where(kind < KINDS_OF_ANIMALS, _IMAGE_OF_ANIMALS, _IMAGE_OF_GOODS)
    usual_weight = catalogue.numbers("weight_kg")[lines.family] * lines.declared_quantity
    odd = np.minimum(np.abs(np.log(lines.weight_kg / usual_weight)), 2.0)
    image = (
        alike[catalogue.family_group[catalogue.article_family[lines.article]]]
        + 0.3 * odd
        + np.where(lines.prohibited > 0, shows, 0.0)
    )
    screened = rng.random(count) < np.where(MODE_IS_ARTICLE[parcels.mode], _SCREENED, _SCREENED_ELSEWHERE)
    # Heavy tails: the oddest images are mostly of odd, honest things.
    score = _most(day, image) + rng.standard_t(4, size=count)
    return Wish(np.where(screened & ~MODE_IS_EXPORT[parcels.mode], score, -np.inf), np.full(count, _GOODS))


def _default_list(day: SimulatedDay, memory: Memory, rng: np.random.Generator) -> Wish:
    """A list of headings and countries handed down, each with its rate, whatever is in the parcels."""
    world, parcels, lines = day.today.world, day.parcels, day.lines
    period = day.today.ordinal // (2 * _LIST_DAYS)
    key = mix(world.salt("default list"), lines.family, parcels.dispatch[lines.parcel], period)
    draw = (key >> np.uint64(11)).astype(np.float64) * 2.0**-53
    on_list = draw < 0.06
    rate = _RATES[np.minimum((draw / 0.06 * len(_RATES)).astype(np.int64), len(_RATES) - 1)]
    score = _most(day, np.where(on_list, np.log(rate), -np.inf))
    food = _any(day, on_list & world.catalogue.family_food[lines.family])
    risk = np.where(food, _FOOD, np.where(MODE_IS_ARTICLE[parcels.mode], _GOODS, _PRICES))
    return Wish(np.where(MODE_IS_EXPORT[parcels.mode], -np.inf, score), risk)


def _food_plan(day: SimulatedDay, memory: Memory, rng: np.random.Generator) -> Wish:
    """A sampling plan for food: by kind, region and past findings of the sender."""
    score = programme_scores(day, memory)[_FOOD]
    return Wish(1.5 * score, np.full(len(score), _FOOD))


_FOOD_PLAN: Final = "food_plan"
_FOOD_PART, _IMAGE_PART = 0.25, 0.10
_MIXED: Final = ("watch_list", "default_list", "xray", "price")
_KINDS: Final[dict[str, Callable[[SimulatedDay, Memory, np.random.Generator], Wish]]] = {
    _FOOD_PLAN: _food_plan,
    "watch_list": _watch_list,
    "default_list": _default_list,
    "xray": _xray,
    "price": _price,
}
_LISTS: Final = (_FOOD_PLAN, "watch_list", "default_list")


def _most(day: SimulatedDay, values: Floats) -> Floats:
    """Return the largest value of each parcel's lines."""
    result = np.full(len(day.parcels), -np.inf)
    np.maximum.at(result, day.lines.parcel, values)
    return result


def _any(day: SimulatedDay, values: Flags) -> Flags:
    """Return which parcels have a line with the flag."""
    return np.bincount(day.lines.parcel, values, minlength=len(day.parcels)) > 0
