"""The goods of a world: families with a customs heading, and the articles (brand and model) within them.

One law of price and weight belongs to each article, so that heading, unit, weight and price go together.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO

import numpy as np
import polars as pl

from pipelines.simulation.world.parameters import WorldParameters
from pipelines.simulation.world.places import COUNTRIES
from pipelines.simulation.world.randomness import Flags, Floats, Ints, pick, weighted

BRANDS_PER_GROUP = 14
CHEAPER_CHOICES = 3
# Goods pass as goods of these groups: what a cheaper heading has to look like from outside.
_RELATED = {
    "leather": ("bags", "accessories"),
    "perfume": ("personal care", "household"),
    "cosmetics": ("personal care", "cosmetics"),
    "watches": ("accessories", "jewellery", "watches"),
    "jewellery": ("accessories", "jewellery"),
    "phones": ("electronics", "phones"),
    "alcohol": ("drinks", "alcohol"),
    "dairy": ("food", "baby food"),
    "supplement": ("food", "supplement"),
    "appliances": ("household", "appliances"),
    "models": ("toys",),
    "sports": ("sports", "household"),
    "medical": ("household", "medical"),
    "clothing": ("clothing", "home textile"),
}


@dataclass(frozen=True)
class Catalogue:
    """Families (one row each in `families`) and articles (arrays of one length).

    `article_price_cny` is for one unit, `article_weight_kg` the net weight of one unit, `article_origin`
    an index into COUNTRIES. `family_cheaper` holds for each family up to three that it can pass as
    (-1: none), `family_confused` one that honest declarants mistake it for.
    """

    families: pl.DataFrame
    groups: pl.DataFrame
    family_group: Ints
    family_food: Flags
    family_cheaper: Ints
    family_confused: Ints
    article_family: Ints
    article_brand: Ints
    article_price_cny: Floats
    article_weight_kg: Floats
    article_origin: Ints
    models: int

    @property
    def articles(self) -> int:
        """Return the number of articles."""
        return len(self.article_family)

    def family(self, name: str) -> int:
        """Return the index of a family by its name."""
        return int((self.families["family"] == name).arg_max() or 0)

    def numbers(self, column: str) -> Floats:
        """Return a numeric column of the families, those of their groups included."""
        return np.asarray(self.families[column].to_numpy(), dtype=np.float64)


@cache
def _table(name: str) -> pl.DataFrame:
    data = resources.files("pipelines.simulation.world").joinpath(name).read_bytes()
    texts = {"hs_code": pl.String, "unit": pl.String, "legal_unit": pl.String}
    return pl.read_csv(BytesIO(data), schema_overrides=texts)


def families() -> pl.DataFrame:
    """Return the catalogue of goods families with the columns of their group; numbers are Float64 or Int64.

    >>> families().height >= 150
    True
    """
    return _table("catalogue.csv").join(groups(), on="group", how="left", maintain_order="left")


def groups() -> pl.DataFrame:
    """Return the groups of goods: taxes, origins, season and vague names."""
    return _table("groups.csv")


def make_catalogue(rng: np.random.Generator, parameters: WorldParameters) -> Catalogue:
    """Draw the articles of a world."""
    family_table, group_table = families(), groups()
    models = parameters.models_per_family
    count = family_table.height
    places = {name: place for place, name in enumerate(group_table["group"])}
    family_group = np.array([places[name] for name in family_table["group"]])
    spread = group_table["brand_spread"].to_numpy()
    shape = (group_table.height, BRANDS_PER_GROUP)
    brand_level = np.exp(rng.normal(size=shape) * spread[:, None] * 0.8)
    brand_origin = np.stack(
        [pick(weighted(text, COUNTRIES), rng.random(BRANDS_PER_GROUP)) for text in group_table["origins"]]
    )
    family = np.repeat(np.arange(count), models)
    group = family_group[family]
    # A few brands have most models of a family.
    brand = (BRANDS_PER_GROUP * rng.random(count * models) ** 1.6).astype(np.int64)
    size = rng.normal(size=count * models)
    price = family_table["price_cny"].to_numpy()[family] * brand_level[group, brand]
    # A bigger pack costs more, though less than in proportion.
    spread = family_table["price_spread"].to_numpy()[family]
    own = np.exp(spread * (0.6 * rng.normal(size=len(size)) + 0.5 * size))
    weight = family_table["weight_kg"].to_numpy()[family]
    weight = weight * np.exp(family_table["weight_spread"].to_numpy()[family] * size)
    elsewhere = rng.random(len(size)) < 0.12
    anywhere = brand_origin[group, rng.integers(0, BRANDS_PER_GROUP, len(size))]
    return Catalogue(
        families=family_table,
        groups=group_table,
        family_group=family_group,
        family_food=family_table["food"].to_numpy(),
        family_cheaper=_cheaper(family_table),
        family_confused=_confused(rng, family_group),
        article_family=family,
        article_brand=group * BRANDS_PER_GROUP + brand,
        article_price_cny=np.maximum(price * own, 0.5),
        article_weight_kg=np.maximum(weight, 0.001),
        article_origin=np.where(elsewhere, anywhere, brand_origin[group, brand]),
        models=models,
    )


def _cheaper(table: pl.DataFrame) -> Ints:
    """Return for each family the families that it can pass as: related, cheaper, and of about its weight."""
    price, weight = table["price_cny"].to_numpy(), table["weight_kg"].to_numpy()
    taxes = (table["duty"] + table["vat"] + table["consumption"]).to_numpy()
    group = table["group"].to_list()
    result = np.full((table.height, CHEAPER_CHOICES), -1, dtype=np.int64)
    for own in range(table.height):
        related = (group[own], *_RELATED.get(group[own], ()))
        ratio = weight / weight[own]
        fits = np.isin(group, related) & (ratio > 0.2) & (ratio < 5.0) & (taxes <= taxes[own])
        fits &= (price < 0.65 * price[own]) & (price > 0.02 * price[own])
        # The nearest in weight are the least conspicuous.
        order = np.argsort(np.abs(np.log(ratio[fits])), kind="stable")
        chosen = np.flatnonzero(fits)[order][:CHEAPER_CHOICES]
        result[own, : len(chosen)] = chosen
    return result


def _confused(rng: np.random.Generator, family_group: Ints) -> Ints:
    result = np.arange(len(family_group))
    for group in np.unique(family_group):
        members = np.flatnonzero(family_group == group)
        result[members] = np.roll(members, 1) if len(members) > 1 else rng.integers(0, len(family_group), 1)
    return result
