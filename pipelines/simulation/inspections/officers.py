"""Which parcels are opened: a random share, tips, and those that the officers of this world choose."""

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.days.day import SimulatedDay
from pipelines.simulation.inspections.channels import RANDOM, REFERRAL, RISK
from pipelines.simulation.inspections.choosers import OwnChoice, choose_by_habit
from pipelines.simulation.inspections.memory import Memory
from pipelines.simulation.inspections.programmes import risk_chances
from pipelines.simulation.world.places import MODE_IS_ARTICLE, MODES
from pipelines.simulation.world.randomness import Flags, Floats, Ints, uniform


@dataclass(frozen=True)
class OpenedParcels:
    """Inspected parcels of a day: their places, why, and the chance where it is known (NaN where not).

    `examined` (parcels × 3) says which risks were looked at; None stands for all of them.
    """

    parcel: Ints
    selection: Ints
    probability: Floats
    examined: Flags | None = None


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
    free = selection < 0
    if parameters.officers == "programmes":
        own = _by_programme(day, memory, rng, share)
    else:
        own = choose_by_habit(day, memory, rng, free, share)
    taken = free & (own.channel >= 0)
    selection[taken], probability[taken] = own.channel[taken], own.chance[taken]
    rows = np.flatnonzero(selection >= 0)
    return OpenedParcels(rows, selection[rows], probability[rows], _examined(day, selection, own.risk)[rows])


def _by_programme(day: SimulatedDay, memory: Memory, rng: np.random.Generator, share: float) -> OwnChoice:
    world = day.today.world
    chance = risk_chances(day, memory, rng, share)
    taken = rng.random(len(chance)) < chance
    # Some offices record the chance with which their programmes chose.
    keeps_records = (
        uniform(world.salt("records"), day.parcels.office) < world.parameters.known_probability_share
    )
    return OwnChoice(
        np.where(taken, RISK, -1),
        np.where(keeps_records, chance, np.nan),
        np.zeros(len(chance), dtype=np.int64),
    )


def _examined(day: SimulatedDay, selection: Ints, risk: Ints) -> Flags:
    """Return which risks are looked at: all in a draw, else what a parcel was opened for and some others."""
    share = day.today.world.parameters.other_risks_share
    if share >= 1.0:
        return np.ones((len(selection), 3), dtype=bool)
    too = day.today.world.generator(day.today, 16).random((len(selection), 3)) < share
    own = (selection != REFERRAL)[:, None] & (np.arange(3) == risk[:, None])
    return np.asarray(too | own | (selection == RANDOM)[:, None], dtype=np.bool_)


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
    world = day.today.world
    share = world.parameters.referral_share
    hidden = np.bincount(lines.parcel, lines.prohibited > 0, minlength=len(parcels)) > 0
    undervalued = np.bincount(lines.parcel, lines.valuation > 0, minlength=len(parcels)) > 0
    screened = MODE_IS_ARTICLE[parcels.mode]
    # Where images have officers of their own, most tips are about prices.
    of_prices, of_goods = (3.0, 170.0) if world.parameters.officers == "programmes" else (40.0, 20.0)
    chance = np.where(screened, 2.0 * share, 0.15 * share)
    chance = np.where(undervalued, chance + of_prices * share, chance)
    return np.where(hidden & screened, min(of_goods * share, 0.5), chance)
