from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.errors import DataError
from models.fitting.training import FittedRisk
from models.risk.finding_value import FindingValue
from models.risk.risk_model import RiskModel
from models.trees.errors import FeatureColumnsError
from tests.places import ROOT


@settings(max_examples=15)
@given(order=st.randoms(use_true_random=False), size=st.integers(1, 97), threads=st.sampled_from([1, 2]))
def test_a_line_has_one_probability_whatever_the_batch(
    fitted: FittedRisk, frame: pl.DataFrame, order: object, size: int, threads: int
) -> None:
    lines = frame.head(150).with_row_index()
    shuffled = lines.sample(fraction=1.0, shuffle=True, seed=size)
    whole = fitted.model.predict(lines)
    batches = [shuffled.slice(start, size) for start in range(0, shuffled.height, size)]
    parts = np.concatenate([fitted.model.predict(batch, threads=threads) for batch in batches])
    assert parts.tobytes() == whole[shuffled["index"].to_numpy()].tobytes()
    values = np.concatenate([fitted.model.score(batch).value_cny for batch in batches])
    assert values.tobytes() == fitted.model.value_cny(lines)[shuffled["index"].to_numpy()].tobytes()


def test_a_saved_model_gives_the_same_bits_in_another_process(
    fitted: FittedRisk, frame: pl.DataFrame, tmp_path: Path
) -> None:
    fitted.model.save(tmp_path / "model")
    lines = frame.head(200)
    lines.write_parquet(tmp_path / "lines.parquet")
    code = (
        "import sys, pathlib, polars as pl\n"
        "from models.risk.risk_model import RiskModel\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "model = RiskModel.load(here / 'model')\n"
        "(here / 'out').write_bytes(model.predict(pl.read_parquet(here / 'lines.parquet')).tobytes())\n"
        "assert not {'mlflow', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=ROOT)
    assert (tmp_path / "out").read_bytes() == fitted.model.predict(lines).tobytes()


@pytest.mark.parametrize("which", ["fitted", "fitted_prohibited"])
def test_everything_survives_the_directory(
    which: str, frame: pl.DataFrame, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model: RiskModel = request.getfixturevalue(which).model
    model.save(tmp_path)
    again = RiskModel.load(tmp_path)
    lines = frame.head(100)
    assert again.predict(lines).tobytes() == model.predict(lines).tobytes()
    assert again.value_cny(lines).tobytes() == model.value_cny(lines).tobytes()
    assert again.model_columns(lines).equals(model.model_columns(lines))
    assert again.contributions(lines).equals(model.contributions(lines))
    assert again.required_columns == model.required_columns
    assert again.metadata == model.metadata
    assert again.importance().equals(model.importance())


def test_a_directory_of_another_model_is_replaced(
    fitted: FittedRisk, fitted_prohibited: FittedRisk, frame: pl.DataFrame, tmp_path: Path
) -> None:
    fitted.model.save(tmp_path)
    fitted_prohibited.model.save(tmp_path)
    assert (
        RiskModel.load(tmp_path).predict(frame).tobytes() == fitted_prohibited.model.predict(frame).tobytes()
    )


def test_nothing_in_the_directory_is_pickled(fitted: FittedRisk, tmp_path: Path) -> None:
    fitted.model.save(tmp_path)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert {path.suffix for path in files} == {".json", ".txt", ".npz"}
    for path in files:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                assert all(arrays[name].dtype != object for name in arrays.files)
        else:
            text = path.read_text(encoding="utf-8")
            assert path.suffix != ".json" or json.loads(text)


def test_a_missing_column_is_named_with_its_nearest(fitted: FittedRisk, frame: pl.DataFrame) -> None:
    wrong = frame.rename({"price__cny_per_kg": "price__cny_by_kg"})
    with pytest.raises(
        FeatureColumnsError,
        match=r"1 fitted columns are missing: price__cny_per_kg \(given: price__cny_by_kg\)",
    ):
        fitted.model.predict(wrong)


def test_a_column_of_another_type_is_named(fitted: FittedRisk, frame: pl.DataFrame) -> None:
    wrong = frame.with_columns(
        pl.col("goods__hs6").cast(pl.Int64), pl.col("price__total_cny").cast(pl.String)
    )
    with pytest.raises(
        FeatureColumnsError, match=r"goods__hs6 is Int64, fitted as String, price__total_cny is String"
    ):
        fitted.model.predict(wrong)


def test_at_most_five_columns_are_shown(fitted: FittedRisk, frame: pl.DataFrame) -> None:
    with pytest.raises(FeatureColumnsError, match=r"and [0-9]+ more"):
        fitted.model.predict(frame.select("declaration_id"))


def test_further_columns_change_nothing_and_columns_of_a_source_may_be_missing(
    fitted: FittedRisk, frame: pl.DataFrame
) -> None:
    model, plain = fitted.model, fitted.model.predict(frame)
    assert model.predict(frame.with_columns(pl.lit("x").alias("goods__new"))).tobytes() == plain.tobytes()
    assert "extra__courier" not in model.required_columns
    without = model.predict(frame.drop("extra__courier"))
    nulled = model.predict(frame.with_columns(pl.lit(None, dtype=pl.String).alias("extra__courier")))
    assert without.tobytes() == nulled.tobytes()


def test_null_in_every_optional_value_still_gives_a_probability(
    fitted: FittedRisk, frame: pl.DataFrame
) -> None:
    empty = frame.head(5).with_columns(
        pl.lit(None, dtype=frame.schema[name]).alias(name) for name in fitted.model.input_columns
    )
    scores = fitted.model.score(empty)
    assert ((scores.probability > 0.0) & (scores.probability < 1.0)).all()
    assert (scores.value_cny == 50.0).all()
    null_type = empty.with_columns(pl.lit(None).alias(name) for name in fitted.model.input_columns)
    assert fitted.model.predict(null_type).tobytes() == scores.probability.tobytes()


def test_an_empty_frame_gives_empty_answers(fitted: FittedRisk, frame: pl.DataFrame) -> None:
    nothing = frame.clear()
    assert len(fitted.model.predict(nothing)) == 0
    assert fitted.model.contributions(nothing).height == 0
    assert fitted.model.model_columns(nothing).height == 0


def test_contributions_add_up_and_carry_the_smaller_models_as_blocks(
    fitted: FittedRisk, frame: pl.DataFrame
) -> None:
    lines = frame.head(50)
    parts = fitted.model.contributions(lines)
    assert {"text_score", "fair_value", "price", "hit_rate"} <= set(parts.columns)
    rest = fitted.model.predict_raw(lines) - parts.sum_horizontal().to_numpy()
    np.testing.assert_allclose(rest, rest[0], atol=1e-9)


def test_without_amounts_the_value_of_a_finding_is_the_tax_that_the_expected_price_implies(
    fitted: FittedRisk, frame: pl.DataFrame
) -> None:
    expected = fitted.model.expected_price(frame)
    assert expected is not None
    declared = frame["price__unit_price_cny"].to_numpy()
    by_hand = np.maximum(expected - declared, 0.0) * frame["price__quantity"].to_numpy() * 0.13
    untaught = replace(fitted.model, value=FindingValue(50.0, by_tax=True))
    np.testing.assert_allclose(untaught.value_cny(frame), 50.0 + by_hand)
    columns = fitted.model.model_columns(frame)
    np.testing.assert_allclose(columns["model__shortfall_cny"].to_numpy(), by_hand)
    assert columns["model__text_score"].drop_nulls().is_between(0.0, 1.0).all()


def test_the_value_of_a_finding_is_learned_from_what_findings_brought_in(
    fitted: FittedRisk, frame: pl.DataFrame
) -> None:
    has_amount = pl.col("recovered_tax_cny").is_not_null()
    brought = frame.filter(pl.col("undervaluation").fill_null(False) & has_amount)
    expected = fitted.model.value_cny(brought) - 50.0
    assert expected.sum() == pytest.approx(brought["recovered_tax_cny"].sum(), rel=0.15)
    assert np.corrcoef(expected, brought["recovered_tax_cny"].to_numpy())[0, 1] > 0.5


def test_a_constant_value_is_the_same_for_each_line(
    fitted_prohibited: FittedRisk, frame: pl.DataFrame
) -> None:
    assert (fitted_prohibited.model.value_cny(frame) == 3000.0).all()
    assert fitted_prohibited.model.expected_price(frame) is None
    assert fitted_prohibited.model.model_columns(frame)["model__shortfall_cny"].null_count() == frame.height


def test_an_empty_directory_and_another_format_are_refused(fitted: FittedRisk, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no readable model in"):
        RiskModel.load(tmp_path)
    fitted.model.save(tmp_path)
    stored = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    (tmp_path / "model.json").write_text(json.dumps({**stored, "format": 99}), encoding="utf-8")
    with pytest.raises(DataError, match="has format 99, this program reads"):
        RiskModel.load(tmp_path)
