"""A risk that is fitted with the columns of a goods model, and scores with the model itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from models.fitting.training import fit_risk
from models.goods.columns import GOODS_BLOCK, GOODS_COLUMNS, with_goods_columns
from models.goods.fitting import fit_goods_model
from models.goods.goods_model import GoodsModel
from models.risk.risk_model import RiskModel


@pytest.fixture(scope="module")
def given(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.col("goods__hs6").alias("hs_code"),
        pl.col("price__unit_price_cny").alias("unit_price_cny"),
        pl.col("price__cny_per_kg").alias("cny_per_kg"),
        pl.col("weight__kg_per_unit").alias("kg_per_unit"),
        pl.lit(0.13).alias("tax_rate"),
    )


@pytest.fixture(scope="module")
def goods(given: pl.DataFrame) -> GoodsModel:
    fitted = fit_goods_model(given, 7)
    assert fitted is not None
    return fitted


@pytest.fixture(scope="module")
def model(
    given: pl.DataFrame, goods: GoodsModel, prohibited: RiskConfig, training: TrainingConfig
) -> RiskModel:
    learned = with_goods_columns(given, goods)
    fitted = fit_risk(learned, prohibited.model_copy(update={"rounds": 20}), training).model
    assert set(GOODS_COLUMNS) <= set(fitted.encoder.names)
    attached = fitted.with_goods(goods)
    assert attached.predict(given).tobytes() == fitted.predict(learned).tobytes()
    return attached


def test_scores_are_the_same_with_shared_goods_scores_and_after_a_save(
    model: RiskModel, goods: GoodsModel, given: pl.DataFrame, tmp_path: Path
) -> None:
    lines = given.head(200)
    plain = model.score(lines)
    shared = model.score(lines, goods=goods.score(lines))
    model.save(tmp_path)
    loaded = RiskModel.load(tmp_path)
    turned = loaded.score(lines.reverse())
    assert shared.probability.tobytes() == plain.probability.tobytes()
    assert turned.probability[::-1].tobytes() == plain.probability.tobytes()
    assert loaded.encoder.goods is not None
    assert loaded.encoder.goods.fingerprint == goods.fingerprint


def test_the_goods_model_is_a_block_and_gives_words(model: RiskModel, given: pl.DataFrame) -> None:
    lines = given.head(50)
    assert GOODS_BLOCK in model.contributions(lines).columns
    words = model.model_columns(lines)
    assert words["model__goods_usual_unit_price_cny"].drop_nulls().min() > 0
    assert words["model__goods_heading_1"].drop_nulls().str.len_chars().max() == 6
    assert {"hs_code", "unit", "cny_per_kg"} <= set(model.input_columns)


def test_a_risk_may_do_without(
    given: pl.DataFrame, goods: GoodsModel, prohibited: RiskConfig, training: TrainingConfig
) -> None:
    without = prohibited.model_copy(update={"goods_models": False, "rounds": 5})
    fitted = fit_risk(with_goods_columns(given, goods), without, training).model.with_goods(goods)
    assert fitted.encoder.goods is None
    assert not set(GOODS_COLUMNS) & set(fitted.encoder.names)
    assert np.isfinite(fitted.predict(given)).all()
