"""Tax by mode: what a line costs, and what its undervaluation leaves unpaid."""

import numpy as np
import pytest

from pipelines.simulation.days.taxes import line_tax
from pipelines.simulation.world.goods import make_catalogue
from pipelines.simulation.world.parameters import WorldParameters
from pipelines.simulation.world.parcels import Parcels
from pipelines.simulation.world.places import B2C, EXPORT, MAIL


def tax(mode: int, family: str, value: float, over_limit: bool = False) -> float:
    catalogue = make_catalogue(np.random.default_rng(1), WorldParameters())
    number, numbers = np.zeros(1, dtype=np.int64), np.zeros(1)
    keys = np.zeros(1, dtype=np.uint64)
    parcels = Parcels(
        slot=number, sender=keys, mode=np.array([mode]), office=number, buyer_number=number, buyer=keys,
        address=keys, dispatch=number, destination=number, currency=number, platform=number, agent=number,
        carrier=number, seconds=number, line_count=number + 1, freight_factor=numbers,
    )  # fmt: skip
    goods = np.array([catalogue.family(family)])
    return float(line_tax(catalogue, parcels, number, goods, np.array([value]), np.array([over_limit]))[0])


def test_retail_imports_pay_seven_tenths_up_to_the_limit() -> None:
    assert tax(B2C, "biscuits", 1000) == pytest.approx(0.7 * 130)
    assert tax(B2C, "biscuits", 5001) > 5001 * 0.13


def test_a_split_order_owes_the_tax_of_the_whole() -> None:
    assert tax(B2C, "biscuits", 1000, over_limit=True) > tax(B2C, "biscuits", 1000)


def test_mail_pays_the_articles_rate_above_fifty_yuan_of_tax() -> None:
    assert tax(MAIL, "perfume", 99) == 0.0
    assert tax(MAIL, "perfume", 400) == pytest.approx(200)


def test_exports_pay_nothing() -> None:
    assert tax(EXPORT, "perfume", 4000) == 0.0
