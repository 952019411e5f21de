"""The reference looks back only, and is no straw man."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from benchmarks.judging.reference_features import hit_rates, over_medians, plain_columns
from benchmarks.judging.reference_model import reference_scores
from configs.reference.facts import load_reference
from features.contract.declarations import DECLARATION_COLUMNS
from models.stats.rankings import Areas

FIRST = date(2026, 10, 1)
DAYS = 40
UNTIL = FIRST + timedelta(days=DAYS - 6)
LINES = 1500
KEY = ["declaration_id", "line_no"]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@pytest.fixture(scope="module")
def declared() -> pl.DataFrame:
    """Lines of twenty sellers, three of which declare a third of the price, most of the time."""
    rng = np.random.default_rng(4)
    number = np.sort(rng.integers(0, DAYS, LINES))
    seller = rng.integers(0, 20, LINES)
    cheat = (seller < 3) & (rng.random(LINES) < 0.8)
    goods = rng.integers(0, 3, LINES)
    price = np.array([20.0, 90.0, 400.0])[goods] * rng.lognormal(0.0, 0.2, LINES) * np.where(cheat, 0.35, 1.0)
    given = pl.DataFrame(
        {
            "declaration_id": [f"D{place:05d}" for place in range(LINES)],
            "line_no": pl.Series(np.ones(LINES), dtype=pl.Int32),
            "declared_at": [
                datetime(2026, 10, 1, 4, tzinfo=UTC) + timedelta(days=int(days)) for days in number
            ],
            "seller_id": [None if place % 11 == 0 else f"s{name}" for place, name in enumerate(seller)],
            "address_id": [f"a{name}" for name in rng.integers(0, 300, LINES)],
            "hs_code": [["9503002100", "6204430090", "8517120000"][kind] for kind in goods],
            "item_name": [["toy car", "连衣裙", "phone"][kind] for kind in goods],
            "quantity": np.ones(LINES),
            "unit": "011",
            "unit_price": price,
            "total_price": price,
            "currency": "CNY",
            "net_weight_kg": rng.lognormal(0.0, 0.2, LINES),
            "cheat": cheat,
        }
    )
    rest = {name: dtype for name, dtype in DECLARATION_COLUMNS.items() if name not in given.columns}
    return given.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in rest.items())


@pytest.fixture(scope="module")
def plain(declared: pl.DataFrame) -> pl.DataFrame:
    return plain_columns(declared.drop("cheat"), load_reference())


@pytest.fixture(scope="module")
def inspections(declared: pl.DataFrame) -> pl.DataFrame:
    """Results of a third of the lines, four days later."""
    chosen = declared.filter(pl.col("declaration_id").str.slice(1).cast(pl.Int64) % 3 == 0)
    on = pl.col("declared_at").dt.date()
    return chosen.select(
        *KEY,
        on.alias("inspected_on"),
        (on + pl.duration(days=4)).alias("reported_on"),
        pl.lit("random").alias("selection"),
        pl.col("cheat").alias("undervaluation"),
    )


def scores(plain: pl.DataFrame, inspections: pl.DataFrame, later: pl.DataFrame) -> np.ndarray:
    return reference_scores(
        plain, inspections, later, label="undervaluation", until=UNTIL, seed=1
    ).probability


def test_it_finds_who_cheats(declared: pl.DataFrame, plain: pl.DataFrame, inspections: pl.DataFrame) -> None:
    later = declared.filter(pl.col("declared_at").dt.date() > UNTIL)
    areas = Areas.of(scores(plain, inspections, later), later["cheat"].to_numpy())
    assert areas.auc(np.ones(later.height)) > 0.9


def test_results_of_the_day_and_after_it_change_no_score(
    declared: pl.DataFrame, plain: pl.DataFrame, inspections: pl.DataFrame
) -> None:
    asked = day(DAYS - 3)
    later = declared.filter(pl.col("declared_at").dt.date() == asked)
    before = inspections.filter(pl.col("reported_on") < asked)
    assert before.height < inspections.height
    given = scores(plain, inspections, later)
    assert np.array_equal(given, scores(plain, before, later))
    eve = scores(plain, before.filter(pl.col("reported_on") < UNTIL + timedelta(days=1)), later)
    # What came in between is no lesson any more, but it does count in the hit rates.
    assert not np.array_equal(given, eve)


def test_scores_come_in_the_order_asked_for(
    declared: pl.DataFrame, plain: pl.DataFrame, inspections: pl.DataFrame
) -> None:
    later = declared.filter(pl.col("declared_at").dt.date() > UNTIL)
    order = np.random.default_rng(2).permutation(later.height)
    straight, mixed = (scores(plain, inspections, frame) for frame in (later, later[order]))
    assert len(np.unique(straight)) > 20
    assert np.array_equal(straight[order], mixed)


def test_hit_rates_count_what_was_reported_before_the_day(plain: pl.DataFrame) -> None:
    rng = np.random.default_rng(3)
    drawn = plain.sample(400, seed=1)
    results = drawn.select(*KEY, "seller_id", "address_id", "buyer_id", "hs6").with_columns(
        pl.Series("found", rng.random(400) < 0.3),
        pl.Series("known_on", [day(int(number)) for number in rng.integers(0, DAYS, 400)]),
    )
    asked = plain.sample(60, seed=2)
    assert asked["seller_id"].null_count()
    for row in hit_rates(asked, results).iter_rows(named=True):
        known = results.filter(pl.col("known_on") < row["day"])
        # Nobody is known by having no name.
        own = known.filter(pl.col("seller_id") == (row["seller_id"] or "nobody"))
        prior = (int(known["found"].sum()) + 0.01) / (known.height + 1.0)
        smoothed = (int(own["found"].sum()) + 20.0 * prior) / (own.height + 20.0)
        assert row["seller_inspected"] == own.height
        assert row["seller_rate"] == pytest.approx(smoothed)


def test_medians_are_those_of_thirty_earlier_days(plain: pl.DataFrame) -> None:
    asked = plain.filter(pl.col("day") == day(35)).head(5)
    compared = over_medians(plain, asked)
    for row in compared.iter_rows(named=True):
        peers = plain.filter(
            (pl.col("hs6") == row["hs6"]) & (pl.col("day") < day(35)) & (pl.col("day") >= day(5))
        )
        median = peers["log_unit_price"].median()
        assert row["price_over_median"] == pytest.approx(row["log_unit_price"] - median)
    first = over_medians(plain, plain.filter(pl.col("day") == FIRST))
    assert first["price_over_median"].null_count() == first.height
