from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.risk.fair_value import FairValue, LogPrices, declared_log_price, fit_fair_value, tax_shortfall_cny
from models.trees.columns import block_of


def names(frame: pl.DataFrame) -> list[str]:
    return [name for name in frame.columns if block_of(name)]


@pytest.fixture(scope="module")
def learned(frame: pl.DataFrame) -> tuple[FairValue, LogPrices]:
    result = fit_fair_value(frame, names(frame), frame["undervaluation"].to_numpy(), seed=1, threads=1)
    assert result is not None
    return result


def test_the_expected_price_is_near_what_customs_established(
    frame: pl.DataFrame, learned: tuple[FairValue, LogPrices]
) -> None:
    found = frame["undervaluation"].to_numpy()
    error = learned[1].median[found] - np.log(frame["assessed_unit_price"].to_numpy()[found])
    assert np.median(np.abs(error)) < 0.25
    declared = declared_log_price(frame, "unit")
    assert np.median(declared[found] - learned[1].median[found]) < math.log(0.5)
    assert abs(np.median(declared[~found] - learned[1].median[~found])) < 0.05


def test_the_declared_price_of_a_line_is_no_input(
    learned: tuple[FairValue, LogPrices], frame: pl.DataFrame
) -> None:
    model = learned[0]
    assert not [
        name for name in model.columns.names if name.startswith(("price__unit", "price__total", "hit_rate"))
    ]
    assert "price__peer_median_unit_cny" in model.columns.names
    cheaper = frame.with_columns(
        pl.col("price__unit_price_cny", "price__total_cny", "price__cny_per_kg") / 10
    )
    assert _bytes(model.expected_log_prices(cheaper)) == _bytes(model.expected_log_prices(frame))


def test_no_line_is_judged_by_prices_of_its_own_seller(frame: pl.DataFrame) -> None:
    """A seller ten times as dear: with it in training the model would follow, out of fold it does not."""
    dear = pl.col("seller_id") == "S000"
    changed = frame.with_columns(
        (pl.col("price__unit_price_cny") * pl.when(dear).then(10.0).otherwise(1.0)),
        pl.when(dear).then(pl.lit("XX")).otherwise(pl.col("route__origin")).alias("route__origin"),
    )
    result = fit_fair_value(changed, names(changed), frame["undervaluation"].to_numpy(), seed=1, threads=1)
    assert result is not None
    mine = changed["seller_id"].to_numpy() == "S000"
    ratio = declared_log_price(changed, "unit") - result[1].median
    assert np.median(ratio[mine]) > math.log(5)


def test_prices_by_kg_serve_where_there_are_none_by_unit(frame: pl.DataFrame) -> None:
    by_kg = frame.with_columns(
        pl.lit(None, dtype=pl.Float64).alias("price__unit_price_cny"),
        pl.lit(None, dtype=pl.Float64).alias("price__peer_median_unit_cny"),
    )
    result = fit_fair_value(by_kg, names(by_kg), frame["undervaluation"].to_numpy(), seed=1, threads=1)
    assert result is not None
    assert result[0].basis == "kg"
    expected = np.full(frame.height, 100.0)
    shortfall = tax_shortfall_cny(by_kg, expected, "kg")
    kg = frame["price__total_cny"].to_numpy() / frame["price__cny_per_kg"].to_numpy()
    np.testing.assert_allclose(
        shortfall, np.maximum(100.0 - frame["price__cny_per_kg"].to_numpy(), 0) * kg * 0.13
    )


def test_an_undervalued_line_without_an_established_price_teaches_nothing(frame: pl.DataFrame) -> None:
    found = frame["undervaluation"].to_numpy()
    unknown = frame.with_columns(pl.lit(None, dtype=pl.Float64).alias("assessed_unit_price"))
    honest = frame.filter(~frame["undervaluation"])
    one = fit_fair_value(unknown, names(frame), found, seed=1, threads=1)
    other = fit_fair_value(honest, names(frame), np.zeros(honest.height, dtype=bool), seed=1, threads=1)
    assert one is not None
    assert other is not None
    assert one[0].typical_log_price == other[0].typical_log_price


def test_another_currency_is_converted(frame: pl.DataFrame) -> None:
    foreign = frame.with_columns(
        pl.col("unit_price", "assessed_unit_price") / 8.0, pl.lit(8.0).alias("price__cny_rate")
    )
    found = frame["undervaluation"].to_numpy()
    one = fit_fair_value(foreign, names(frame), found, seed=1, threads=1)
    other = fit_fair_value(frame, names(frame), found, seed=1, threads=1)
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one[1].median, other[1].median, rtol=1e-6)


def test_too_few_prices_give_no_model(frame: pl.DataFrame) -> None:
    few = frame.head(60)
    assert fit_fair_value(few, names(few), few["undervaluation"].to_numpy(), seed=1, threads=1) is None


def test_unknown_parts_leave_the_shortfall_unknown(frame: pl.DataFrame) -> None:
    lines = frame.head(3).with_columns(
        pl.Series("price__quantity", [None, 1.0, 1.0]), pl.lit(0.0).alias("price__unit_price_cny")
    )
    shortfall = tax_shortfall_cny(lines, np.array([10.0, 10.0, np.nan]), "unit")
    assert np.isnan(shortfall[[0, 2]]).all()
    assert shortfall[1] == pytest.approx(1.3)
    assert np.isnan(tax_shortfall_cny(lines.drop("price__tax_rate"), np.full(3, 10.0), "unit")).all()


def test_the_model_survives_its_files(
    learned: tuple[FairValue, LogPrices], frame: pl.DataFrame, tmp_path: Path
) -> None:
    learned[0].save(tmp_path)
    again = FairValue.load(tmp_path)
    assert _bytes(again.expected_log_prices(frame)) == _bytes(learned[0].expected_log_prices(frame))
    assert again.basis == "unit"


def test_eight_in_ten_honest_lines_lie_in_the_range(
    frame: pl.DataFrame, learned: tuple[FairValue, LogPrices]
) -> None:
    honest = ~frame["undervaluation"].to_numpy()
    declared, prices = declared_log_price(frame, "unit"), learned[1]
    inside = (prices.low <= declared) & (declared <= prices.high)
    assert 0.7 < inside[honest].mean() < 0.9
    assert inside[~honest].mean() < 0.2
    position = prices.position(declared)
    assert (np.abs(position[honest & inside]) <= 1.0 + 1e-9).all()
    assert np.median(position[~honest]) < -2.0


def test_a_range_of_no_width_does_not_call_rounding_a_deviation() -> None:
    narrow = LogPrices(np.array([1.0]), np.array([1.0]), np.array([1.0]))
    assert narrow.position(np.array([0.99]))[0] == pytest.approx(-0.2)


def _bytes(prices: LogPrices) -> bytes:
    return prices.median.tobytes() + prices.low.tobytes() + prices.high.tobytes()
