"""A world: goods, names, sellers, people and offices that persist, and the traits that schemes hang on."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from pipelines.simulation.world.goods import Catalogue, make_catalogue
from pipelines.simulation.world.names import Names, make_names
from pipelines.simulation.world.parameters import WorldParameters
from pipelines.simulation.world.parties import People, Sellers, make_sellers
from pipelines.simulation.world.places import Offices, offices
from pipelines.simulation.world.randomness import Floats, Ints, normal, salt, uniform


@dataclass(frozen=True, eq=False)
class World:
    """Everything about a world that does not depend on the day.

    >>> world = World.make(7, WorldParameters.for_volume(200))
    >>> len(world.catalogue.families) >= 150
    True
    """

    seed: int
    parameters: WorldParameters
    catalogue: Catalogue
    names: Names
    sellers: Sellers
    people: People
    offices: Offices

    @classmethod
    def make(cls, seed: int, parameters: WorldParameters | None = None) -> "World":
        """Return the world of a seed; the same seed and parameters give the same world."""
        chosen = parameters or WorldParameters()
        rng = np.random.default_rng([seed, 0])
        catalogue = make_catalogue(rng, chosen)
        names = make_names(rng, catalogue)
        places = offices()
        return cls(
            seed=seed,
            parameters=chosen,
            catalogue=catalogue,
            names=names,
            sellers=make_sellers(rng, catalogue, places, chosen),
            people=People(seed=seed, buyers=chosen.buyers, forwarders=max(chosen.volume // 120, 8)),
            offices=places,
        )

    def salt(self, name: str) -> np.uint64:
        """Return the start value of a trait of this world."""
        return salt(self.seed, name)

    def generator(self, today: "Today", purpose: int) -> np.random.Generator:
        """Return the generator of a purpose on a day: days and purposes do not disturb each other."""
        return np.random.default_rng([self.seed, 1 + purpose, today.ordinal])


@dataclass(frozen=True, eq=False)
class Today:
    """A day of a simulation: its date, and how far the world has drifted."""

    world: World
    day: date
    drifting: bool = False

    @property
    def ordinal(self) -> int:
        """Return the day's number."""
        return self.day.toordinal()

    @cached_property
    def incarnation(self) -> Ints:
        """Return who holds each seller's place today."""
        world, sellers = self.world, self.world.sellers
        slots = np.arange(len(sellers))
        replaced = np.zeros(len(sellers), dtype=bool)
        if self.drifting:
            chance = uniform(world.salt("drift seller"), slots)
            replaced = (chance < world.parameters.drift_seller_share) & ~sellers.is_personal
        holder = sellers.incarnation(self.ordinal, replaced)
        return np.where(sellers.is_personal, 0, holder)

    @cached_property
    def seller_weight(self) -> Floats:
        """Return how likely a parcel is from each seller: size, season of its goods, promotions."""
        world, sellers = self.world, self.world.sellers
        slots = np.arange(len(sellers))
        table = world.catalogue.groups
        season = table["season"].to_numpy()[sellers.group]
        peak = table["peak_day"].to_numpy()[sellers.group]
        angle = 2.0 * np.pi * (self.day.timetuple().tm_yday - peak) / 365.0
        bursts = np.exp(0.45 * normal(world.salt("burst"), slots, self.ordinal // 3))
        return np.asarray(sellers.weight * (1.0 + season * np.cos(angle)) * bursts, dtype=np.float64)

    @cached_property
    def price_shift(self) -> Floats:
        """Return for each family the factor on its prices today."""
        count = self.world.catalogue.families.height
        if not self.drifting:
            return np.ones(count)
        parameters = self.world.parameters
        spread = parameters.drift_price_spread * normal(self.world.salt("price shift"), np.arange(count))
        return np.asarray(np.exp(np.log1p(parameters.drift_price_shift) + spread), dtype=np.float64)
