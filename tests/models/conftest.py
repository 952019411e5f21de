"""Feature frames with planted mechanisms: a text, a seller and a price that give findings away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import ConstantValue, RiskConfig, TaxShortfallValue, Title
from models.fitting.training import FittedRisk, fit_risk

FIRST_DAY = date(2026, 9, 1)
_GOODS = [
    "cotton dress",
    "milk powder 900g",
    "婴儿奶粉",
    "led lamp",
    "儿童玩具车",
    "shoes leather",
    "phone case",
    "蛋白粉",
]
_HEADINGS = ["620442", "190110", "190110", "940520", "950300", "640399", "392690", "210610"]
_TYPICAL_CNY = np.array([80.0, 160.0, 170.0, 45.0, 30.0, 210.0, 12.0, 240.0])

FrameFactory = Callable[..., pl.DataFrame]


def build_frame(lines: int = 3000, days: int = 60, seed: int = 5, noise_columns: int = 4) -> pl.DataFrame:
    """Inspected lines in a random order: features, texts, keys, labels and results."""
    rng = np.random.default_rng(seed)
    goods = rng.integers(0, len(_GOODS), lines)
    seller = (200 * rng.random(lines) ** 2).astype(int)
    day = np.sort(rng.integers(0, days, lines))
    cheat = (rng.random(200) < 0.12)[seller] & (rng.random(lines) < 0.7)
    hidden = rng.random(lines) < 0.01 + 0.08 * (goods == 4)
    fair = _TYPICAL_CNY[goods] * rng.lognormal(0.0, 0.25, lines)
    declared = np.round(fair * np.where(cheat, rng.uniform(0.2, 0.5, lines), 1.0), 2)
    quantity = rng.integers(1, 6, lines).astype(float)
    kg = rng.lognormal(0.0, 0.3, lines)
    words = np.where(hidden & (rng.random(lines) < 0.7), "ornament sample gift", "new")
    late = rng.integers(0, 6, lines)
    frame = pl.DataFrame(
        {
            "declaration_id": [f"D{number:06d}" for number in rng.permutation(lines)],
            "line_no": np.ones(lines),
            "seller_id": [f"S{number:03d}" for number in seller],
            "item_name": [f"{_GOODS[good]} {word}" for good, word in zip(goods, words, strict=True)],
            "item_model": [None if number % 3 else f"M-{number}" for number in range(lines)],
            "unit_price": declared,
            "price__unit_price_cny": declared,
            "price__total_cny": declared * quantity,
            "price__quantity": quantity,
            "price__tax_rate": np.full(lines, 0.13),
            "price__cny_per_kg": declared / kg,
            "price__cny_rate": np.ones(lines),
            "price__peer_median_unit_cny": _TYPICAL_CNY[goods],
            "goods__hs6": [_HEADINGS[good] for good in goods],
            "goods__unit": rng.choice(["011", "035"], lines),
            "route__origin": rng.choice(["DE", "JP", "US", "KR"], lines),
            "weight__kg_per_unit": kg,
            "hit_rate__seller_rate": np.clip(cheat * 0.1 + rng.normal(0.2, 0.1, lines), 0.0, 1.0),
            "extra__courier": rng.choice(["a", "b", "rare"], lines, p=[0.6, 0.399, 0.001]),
            **{f"calendar__noise_{number}": rng.normal(size=lines) for number in range(noise_columns)},
            "declared_on": [FIRST_DAY + timedelta(days=int(number)) for number in day],
            "reported_on": [FIRST_DAY + timedelta(days=int(number)) for number in day + late],
            "selection": np.where(rng.random(lines) < 0.2, "random", "risk"),
            "inspection_probability": np.full(lines, 0.1),
            "undervaluation": cheat,
            "prohibited_item": hidden,
            "assessed_unit_price": np.where(cheat, np.round(fair, 2), np.nan),
            "recovered_tax_cny": np.where(cheat, (fair - declared) * quantity * 0.13, np.nan),
        }
    )
    missing = pl.Series(rng.random(lines) < 0.05)
    frame = frame.with_columns(
        pl.when(~missing).then(pl.col(name)).alias(name)
        for name in ("weight__kg_per_unit", "route__origin", "item_name")
    ).with_columns(pl.col("assessed_unit_price", "recovered_tax_cny").fill_nan(None))
    return frame.sample(fraction=1.0, shuffle=True, seed=seed)


@pytest.fixture(scope="session")
def make_frame() -> FrameFactory:
    return build_frame


@pytest.fixture(scope="session")
def frame() -> pl.DataFrame:
    return build_frame()


@pytest.fixture(scope="session")
def training() -> TrainingConfig:
    return TrainingConfig(folds=2, evaluation_days=10, threads=1)


@pytest.fixture(scope="session")
def undervaluation() -> RiskConfig:
    return RiskConfig(
        name="undervaluation",
        label="undervaluation",
        title=Title(en="Undervaluation"),
        fair_value=True,
        rounds=60,
        maturity_days=3,
        finding_value=TaxShortfallValue(kind="tax_shortfall", floor_cny=50.0),
    )


@pytest.fixture(scope="session")
def prohibited() -> RiskConfig:
    return RiskConfig(
        name="prohibited_items",
        label="prohibited_item",
        title=Title(en="Prohibited items"),
        rounds=60,
        maturity_days=3,
        finding_value=ConstantValue(kind="constant", cny=3000.0),
    )


@pytest.fixture(scope="session")
def fitted(frame: pl.DataFrame, undervaluation: RiskConfig, training: TrainingConfig) -> FittedRisk:
    return fit_risk(frame, undervaluation, training)


@pytest.fixture(scope="session")
def fitted_prohibited(frame: pl.DataFrame, prohibited: RiskConfig, training: TrainingConfig) -> FittedRisk:
    return fit_risk(frame, prohibited, training)
