"""Lines of six kinds of goods, a few of them false, and a model fitted on them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from models.goods.fitting import fit_goods_model
from models.goods.goods_model import GoodsModel

_KINDS = ("cotton dress", "milk powder", "led lamp", "leather shoes", "手机壳", "蛋白粉")
_HEADINGS = ("620442", "190110", "940520", "640399", "392690", "210610")
_CNY = np.array([80.0, 160.0, 45.0, 210.0, 12.0, 240.0])
_KG = np.array([0.3, 0.9, 0.6, 1.1, 0.05, 1.0])


def goods_sample(lines: int = 4000, seed: int = 3) -> pl.DataFrame:
    """`kind` tells the goods; a line in fifty is declared at a quarter of the price, one under 392690."""
    random = np.random.default_rng(seed)
    kind = random.integers(0, len(_KINDS), lines)
    cheap, renamed = random.random(lines) < 0.02, random.random(lines) < 0.02
    price = _CNY[kind] * random.lognormal(0.0, 0.15, lines) * np.where(cheap, 0.25, 1.0)
    weight = _KG[kind] * random.lognormal(0.0, 0.1, lines)
    makers = ("alpha", "beta", "gamma", "delta", "omega", "sigma", "theta")
    maker, colour = random.choice(makers, lines), random.choice(["red", "blue", "new", "gift", "xl"], lines)
    return pl.DataFrame(
        {
            "declaration_id": [f"D{number:05d}" for number in range(lines)],
            "line_no": np.ones(lines),
            "item_name": [f"{a} {_KINDS[b]} {c}" for a, b, c in zip(maker, kind, colour, strict=True)],
            "item_model": [None] * lines,
            "seller_id": [f"S{number}" for number in random.integers(0, 300, lines)],
            "hs_code": np.where(renamed, "3926909090", np.array(_HEADINGS)[kind]),
            "unit": "011",
            "origin_country": random.choice(["DE", "JP"], lines),
            "trade_mode": "9610",
            "barcode": [None] * lines,
            "unit_price_cny": price,
            "kg_per_unit": weight,
            "cny_per_kg": price / weight,
            "tax_rate": np.where(kind == 4, 0.0, 0.1),
            "kind": kind,
            "cheap": cheap,
            "renamed": renamed & (kind != 4),
        },
        schema_overrides={"item_model": pl.String, "barcode": pl.String},
    )


@pytest.fixture(scope="session")
def sample() -> pl.DataFrame:
    return goods_sample()


@pytest.fixture(scope="session")
def model(sample: pl.DataFrame) -> GoodsModel:
    fitted = fit_goods_model(sample, 7)
    assert fitted is not None
    return fitted
