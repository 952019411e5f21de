"""The catalogue: real headings, and articles whose price and weight follow their family."""

import csv
from pathlib import Path

import numpy as np
import pytest

from pipelines.simulation.world.goods import families, groups, make_catalogue
from pipelines.simulation.world.parameters import WorldParameters
from pipelines.simulation.world.places import COUNTRIES
from pipelines.simulation.world.randomness import weighted


def test_families_are_many_and_their_headings_unique() -> None:
    table = families()
    assert table.height >= 150
    assert table["hs_code"].str.contains(r"^[0-9]{10}$").all()
    assert table["hs_code"].n_unique() == table.height
    assert table["unit"].str.contains(r"^[0-9]{3}$").all()
    assert table.null_count().sum_horizontal().item() == 0


def test_headings_and_units_exist(shared: Path) -> None:
    with (shared / "reference" / "hs2022_en.csv").open(encoding="utf-8") as file:
        known = {row["hscode"] for row in csv.DictReader(file)}
    with (shared / "ceb" / "customs_unit_codes.csv").open(encoding="utf-8") as file:
        units = {row["code"] for row in csv.DictReader(file)}
    table = families()
    assert set(table["hs_code"].str.slice(0, 6)) <= known
    assert set(table["unit"]) | set(table["legal_unit"]) <= units


@pytest.mark.parametrize("origins", groups()["origins"].to_list())
def test_origins_are_countries_of_the_simulator(origins: str) -> None:
    assert {part.split(":")[0] for part in origins.split(";")} <= set(COUNTRIES)
    assert weighted(origins, COUNTRIES).sum() > 0


def test_articles_follow_the_law_of_their_family() -> None:
    catalogue = make_catalogue(np.random.default_rng(5), WorldParameters())
    table = catalogue.families
    shape = (table.height, catalogue.models)
    price = np.log(catalogue.article_price_cny).reshape(shape).mean(axis=1)
    weight = np.log(catalogue.article_weight_kg).reshape(shape).mean(axis=1)
    assert np.abs(price - np.log(table["price_cny"].to_numpy())).max() < 1.5
    assert np.abs(weight - np.log(table["weight_kg"].to_numpy())).max() < 0.6
    assert np.corrcoef(price, np.log(table["price_cny"].to_numpy()))[0, 1] > 0.95


def test_a_cheaper_heading_is_cheaper_and_taxed_no_higher() -> None:
    catalogue = make_catalogue(np.random.default_rng(5), WorldParameters())
    price = catalogue.numbers("price_cny")
    taxes = sum(catalogue.numbers(name) for name in ("duty", "vat", "consumption"))
    own, choice = np.nonzero(catalogue.family_cheaper >= 0)
    other = catalogue.family_cheaper[own, choice]
    assert len(np.unique(own)) > 60
    assert (price[other] < price[own]).all()
    assert (np.asarray(taxes)[other] <= np.asarray(taxes)[own]).all()
