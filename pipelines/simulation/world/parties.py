"""Sellers with their assortment and habits, buyers and addresses, platforms, agents and carriers.

Sellers are a table; buyers and addresses are functions of a number, so that any world fits in memory.
"""

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.world.goods import Catalogue
from pipelines.simulation.world.parameters import WorldParameters
from pipelines.simulation.world.places import (
    B2C,
    COUNTRIES,
    COUNTRY,
    EXPRESS,
    HOME_CURRENCY,
    MAIL,
    MODE_IS_ARTICLE,
    MODE_IS_EXPORT,
    MODE_SHARE,
    Offices,
)
from pipelines.simulation.world.randomness import (
    Flags,
    Floats,
    Ints,
    Keys,
    mix,
    normal,
    pick,
    salt,
    uniform,
    weighted,
)

PERSONAL_COUNTRIES = (
    "JP", "US", "DE", "KR", "GB", "TW", "HK", "AU", "FR", "TH", "CA", "IT", "MY", "ID", "ES", "PE",
    "ZA", "NL",
)  # fmt: skip
_PERSONAL_WEIGHTS = np.array([8, 7, 4, 4, 3, 3, 4, 3, 2, 2.5, 2, 1.5, 1.2, 1.2, 0.8, 0.5, 0.5, 1])


@dataclass(frozen=True)
class Sellers:
    """One row a seller's place in the market; who holds the place changes over time (`incarnation`).

    The last `personal` places are not firms: each stands for the private senders of one country.
    """

    weight: Floats
    rank: Floats
    mode: Ints
    office: Ints
    platform: Ints
    agent: Ints
    carrier: Ints
    country: Ints
    currency: Ints
    group: Ints
    price_level: Floats
    english: Floats
    vague: Floats
    bargains: Floats
    lifetime_days: Floats
    phase_days: Floats
    first_article: Ints
    articles: Ints
    assortment: Ints
    personal: int

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def is_personal(self) -> Flags:
        """Return whether a place stands for private senders."""
        return np.arange(len(self)) >= len(self) - self.personal

    def incarnation(self, ordinal: int, replaced: Flags) -> Ints:
        """Return which holder each place has on a day; `replaced` places get one more."""
        return (np.floor((ordinal + self.phase_days) / self.lifetime_days) * 2).astype(np.int64) + replaced


def make_sellers(
    rng: np.random.Generator, catalogue: Catalogue, offices: Offices, parameters: WorldParameters
) -> Sellers:
    """Draw the sellers of a world."""
    firms, personal = parameters.sellers, len(PERSONAL_COUNTRIES)
    count = firms + 2 * personal
    is_personal = np.arange(count) >= firms
    mode = np.concatenate(
        [pick(np.sqrt(MODE_SHARE), rng.random(firms)), np.repeat([MAIL, EXPRESS], personal)]
    ).astype(np.int64)
    export = MODE_IS_EXPORT[mode]
    exported = pick(catalogue.numbers("exports"), rng.random(count))
    family = np.where(export, exported, pick(catalogue.numbers("imports"), rng.random(count)))
    group = catalogue.family_group[family]
    first, sizes, assortment = _assortments(rng, catalogue, group, export, is_personal)
    country = catalogue.article_origin[assortment[first]]
    country[firms:] = [COUNTRY[code] for code in PERSONAL_COUNTRIES * 2]
    country = np.where(export, COUNTRY["CN"], country)
    # Parcels of 9610 come by way of a few hubs, whatever the maker's country.
    hub = pick(weighted("HK:5;JP:3;KR:3;US:3;DE:1;AU:1;GB:0.7;FR:0.7", COUNTRIES), rng.random(count))
    country = np.where((mode == B2C) & (rng.random(count) < 0.6), hub, country)
    assortment = _from_home(rng, catalogue, assortment, sizes, country, is_personal)
    weight, rank = _weights(rng, mode, is_personal, parameters)
    home = HOME_CURRENCY[country]
    foreign = np.where(rng.random(count) < 0.6, home, 1)
    pays_cny = rng.random(count) < np.where(MODE_IS_ARTICLE[mode], 0.12, np.where(export, 0.35, 0.96))
    office = np.array(
        [pick(offices.weights[m], u[None])[0] for m, u in zip(mode, rng.random(count), strict=True)]
    )
    return Sellers(
        weight=weight,
        rank=rank,
        mode=mode,
        office=office,
        platform=(parameters.platforms * rng.random(count) ** 2).astype(np.int64),
        agent=(parameters.agents * rng.random(count) ** 1.6).astype(np.int64),
        carrier=(parameters.carriers * rng.random(count) ** 1.8).astype(np.int64),
        country=country,
        currency=np.where(pays_cny, 0, np.where(export, 1, foreign)),
        group=group,
        price_level=np.exp(rng.normal(size=count) * parameters.seller_price_spread),
        english=np.clip(rng.beta(0.7, 0.9, count) + np.where(MODE_IS_ARTICLE[mode], 0.25, -0.1), 0.02, 0.97),
        vague=np.clip(parameters.vague_share * np.exp(rng.normal(size=count) * 0.9), 0, 0.85)
        * np.where(is_personal, 2.2, np.where(MODE_IS_ARTICLE[mode], 1.4, 0.6)),
        bargains=np.where(rng.random(count) < 0.05, 0.5, parameters.bargain_share),
        # Big sellers stay, small ones come and go.
        lifetime_days=parameters.seller_lifetime_days
        * np.exp(rng.normal(size=count) * 0.6)
        * (1.6 - 1.2 * rank),
        phase_days=rng.random(count) * 4000,
        first_article=first,
        articles=sizes,
        assortment=assortment,
        personal=2 * personal,
    )


def _assortments(
    rng: np.random.Generator, catalogue: Catalogue, group: Ints, export: Flags, is_personal: Flags
) -> tuple[Ints, Ints, Ints]:
    sizes = np.clip(np.exp(2.6 + 0.9 * rng.normal(size=len(group))), 1, 180).astype(np.int64)
    sizes[is_personal] = 700
    first = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(group)), sizes)
    total = len(owner)
    imports, exports = catalogue.numbers("imports"), catalogue.numbers("exports")
    family = np.where(export[owner], pick(exports, rng.random(total)), pick(imports, rng.random(total)))
    # Private senders send toys, books, presents and food, not what a shop would sell best.
    of_group = catalogue.families["group"].to_numpy()
    gifts = np.where(np.isin(of_group, _GIFT_GROUPS), 2.5, 0.25 * imports)
    gifts = np.where(np.isin(of_group, _PRESENTS), 7.0, gifts)
    family = np.where(is_personal[owner], pick(gifts, rng.random(total)), family)
    focused = (rng.random(total) < 0.72) & ~is_personal[owner]
    for number in range(catalogue.groups.height):
        rows = np.flatnonzero(focused & (group[owner] == number))
        members = np.flatnonzero(catalogue.family_group == number)
        family[rows] = members[pick(imports[members] + exports[members], rng.random(len(rows)))]
    model = (catalogue.models * rng.random(total) ** 1.8).astype(np.int64)
    return first, sizes, family * catalogue.models + model


_PRESENTS = ("toys", "models", "books", "ornaments", "accessories", "samples")
_GIFT_GROUPS = ("food", "stationery", "pet supplies", "household", "clothing", "hardware")


def _from_home(
    rng: np.random.Generator,
    catalogue: Catalogue,
    assortment: Ints,
    sizes: Ints,
    country: Ints,
    is_personal: Flags,
) -> Ints:
    """Replace most of what is not made in the seller's country by a model of the same family that is."""
    owner = np.repeat(np.arange(len(sizes)), sizes)
    result = assortment.copy()
    for _ in range(4):
        foreign = catalogue.article_origin[result] != country[owner]
        foreign &= rng.random(len(result)) < np.where(is_personal[owner], 0.75, 0.45)
        family = catalogue.article_family[result[foreign]]
        result[foreign] = family * catalogue.models + rng.integers(0, catalogue.models, int(foreign.sum()))
    return result


def _weights(
    rng: np.random.Generator, mode: Ints, is_personal: Flags, parameters: WorldParameters
) -> tuple[Floats, Floats]:
    """Return each seller's share of the parcels and its rank within its mode (1 for the biggest, to 0)."""
    weight, rank = np.zeros(len(mode)), np.zeros(len(mode))
    for number, share in enumerate(MODE_SHARE):
        members = np.flatnonzero((mode == number) & ~is_personal)
        private = np.flatnonzero((mode == number) & is_personal)
        private_share = 0.0
        if len(private):
            private_share = parameters.personal_sender_share * (1.0 if number == MAIL else 0.35)
            weight[private] = share * private_share * _PERSONAL_WEIGHTS / _PERSONAL_WEIGHTS.sum()
        if len(members):
            order = rng.permutation(len(members))
            zipf = (order + 3.0) ** -parameters.seller_tail * np.exp(0.3 * rng.normal(size=len(members)))
            weight[members] = share * (1.0 - private_share) * zipf / zipf.sum()
            rank[members] = 1.0 - order / len(members)
    return weight / weight.sum(), rank


@dataclass(frozen=True)
class People:
    """Buyers and delivery addresses as functions of a buyer's number."""

    seed: int
    buyers: int
    forwarders: int

    def draw(self, rng: np.random.Generator, count: int, ordinal: int) -> Ints:
        """Return buyer numbers: a heavy-tailed core, and newcomers of the last weeks."""
        core = (self.buyers * rng.random(count) ** 2.4).astype(np.int64)
        arrivals = max(self.buyers // 600, 1)
        recent = self.buyers + arrivals * ordinal - (30 * arrivals * rng.random(count) ** 2).astype(np.int64)
        return np.where(rng.random(count) < 0.16, recent, core)

    def buyer_key(self, number: Ints) -> Keys:
        """Return the buyer's pseudonym as a number."""
        return mix(salt(self.seed, "buyer"), number)

    def address_key(self, number: Ints, elsewhere: Flags | bool = False) -> Keys:
        """Return the address of each buyer: a home, at times shared, an office (`elsewhere`), a forwarder."""
        kind = uniform(salt(self.seed, "address kind"), number)
        household = np.where(kind < 0.3, number // 2, number)
        home = mix(salt(self.seed, "home"), household)
        chosen = self.forwarders * uniform(salt(self.seed, "forwarder of"), number) ** 2
        forwarder = mix(salt(self.seed, "forwarder"), chosen.astype(np.int64))
        office = mix(salt(self.seed, "workplace"), number // 7)
        return np.where(kind > 0.985, forwarder, np.where(elsewhere, office, home))

    def appetite(self, number: Ints) -> Floats:
        """Return how much likelier than others a buyer is to get under-invoiced goods (resellers are)."""
        is_reseller = uniform(salt(self.seed, "reseller"), number) < 0.012
        return np.where(is_reseller, 5.0, np.exp(0.35 * normal(salt(self.seed, "appetite"), number)))


def hobby_address(seed: int, number: Ints) -> Keys:
    """Return the address key of a hobbyist who gets models, books and pet supplies, and at times animals."""
    return mix(salt(seed, "hobby address"), number)


def hobby_buyer(seed: int, number: Ints, person: Ints) -> Keys:
    """Return the buyer key of one of the people who have parcels sent to a hobbyist's address."""
    return mix(salt(seed, "hobby buyer"), number, person)
