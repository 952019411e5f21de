"""Stability index: what chance alone gives does not alarm, and what has shifted does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from configs.schema.monitoring import MonitoringConfig
from models.stats.drift import Coding, psi, shift, tells_the_day
from models.watch.column_shifts import ALL, Sampled, by_group, shifted_columns
from models.watch.verdict import drift_reasons, verdict

EVEN = np.full(10, 0.1)
SKEWED = np.array([0.7, 0.1, 0.1, 0.05, 0.03, 0.01, 0.005, 0.003, 0.001, 0.001])
SHIFTED = np.array([0.02, 0.02, 0.02, 0.04, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2])
SMALL_OFFICE, DAYS = 60, 5
DRAWS, RATE = 500, 0.05


def alarms(rng: np.random.Generator, today: np.ndarray, before: np.ndarray, lines: int) -> int:
    found = 0
    for _ in range(DRAWS):
        days = rng.multinomial(SMALL_OFFICE, before, size=DAYS)
        measured = shift(rng.multinomial(lines, today), days, RATE)
        found += measured is not None and measured.alarms
    return found


@pytest.mark.parametrize("shares", [EVEN, SKEWED], ids=["even", "skewed"])
def test_a_small_office_alarms_about_as_often_as_was_allowed(shares: np.ndarray) -> None:
    found = alarms(np.random.default_rng(3), shares, shares, SMALL_OFFICE)
    # 25 of 500 are allowed; the standard deviation of such a count is 4.9.
    assert 10 <= found <= 40


def test_the_usual_thresholds_alone_would_alarm_every_day() -> None:
    rng = np.random.default_rng(4)
    days = [
        psi(rng.multinomial(SMALL_OFFICE, EVEN), rng.multinomial(SMALL_OFFICE * DAYS, EVEN))
        for _ in range(DRAWS)
    ]
    assert np.mean(np.array(days) > 0.1) > 0.7


def test_a_small_office_that_shifted_alarms() -> None:
    assert alarms(np.random.default_rng(5), SHIFTED, EVEN, SMALL_OFFICE) > 0.95 * DRAWS


def test_days_that_differ_anyway_raise_the_limit() -> None:
    rng = np.random.default_rng(6)
    found = 0
    for _ in range(200):
        shares = rng.dirichlet(np.full(10, 20.0), size=DAYS + 1)
        counts = np.array([rng.multinomial(2000, row) for row in shares])
        measured = shift(counts[-1], counts[:-1], RATE)
        assert measured is not None
        assert measured.spread > 3.0
        found += measured.alarms
    assert found <= 30


def test_the_expected_index_is_that_of_chance() -> None:
    rng = np.random.default_rng(7)
    draws = [(rng.multinomial(400, EVEN), rng.multinomial(400, EVEN, size=1)) for _ in range(300)]
    measured = [shift(today, before, RATE) for today, before in draws]
    indices = [one.psi for one in measured if one is not None]
    assert np.mean(indices) == pytest.approx(9 * (1 / 400 + 1 / 400), rel=0.1)


def test_too_few_lines_are_not_compared() -> None:
    assert shift(np.array([4, 3, 1]), np.array([[40, 30, 10]]), RATE) is None
    assert shift(np.zeros(3, dtype=np.int64), np.array([[40, 30, 10]]), RATE) is None
    assert shift(np.array([40, 30, 10]), np.zeros((2, 3), dtype=np.int64), RATE) is None


def test_missing_values_and_rare_categories_have_cells_of_their_own() -> None:
    numbers = Coding.of(pl.Series("a", [*map(float, range(100)), None]))
    found = numbers.codes(pl.Series("a", [-5.0, 500.0, None])).tolist()
    assert found == [0, len(numbers.edges), numbers.cells - 1]
    texts = Coding.of(pl.Series("a", ["x", "x", "y", None]))
    assert texts.codes(pl.Series("a", ["y", "never seen", None])).tolist() == [1, 2, 3]
    empty = Coding.of(pl.Series("a", [None, None], dtype=pl.String))
    assert empty.codes(pl.Series("a", ["x", None])).tolist() == [0, 1]


def test_a_column_that_names_the_day_is_told_from_one_that_shifted() -> None:
    assert tells_the_day([pl.Series([1.0, 1.0]), pl.Series([2.0, 2.0])])
    assert not tells_the_day([pl.Series([1.0, 1.0]), pl.Series([1.0, 1.0])])
    assert not tells_the_day([pl.Series([1.0, 2.0]), pl.Series([3.0, 3.0])])


def sampled(rng: np.random.Generator, cheaper_at: str | None, factor: float = 1.0) -> Sampled:
    offices = pl.Series("office", rng.choice(["5316", "0100"], 2000, p=[0.9, 0.1]))
    price = rng.lognormal(3.0, 1.0, 2000)
    if cheaper_at is not None:
        price = np.where((offices == cheaper_at).to_numpy() | (cheaper_at == ALL), price * factor, price)
    route = pl.DataFrame({"route__origin": rng.choice(["DE", "JP"], 2000)})
    return Sampled(offices, {"price": pl.DataFrame({"price__unit_price_cny": price}), "route": route})


@pytest.mark.parametrize(
    ("where", "factor", "level", "subjects"),
    [(None, 1.0, "fine", []), (ALL, 0.3, "retrain", ["price"]), ("0100", 0.1, "watch", ["offices"])],
)
def test_a_shift_of_prices_is_named_with_its_block(
    where: str | None, factor: float, level: str, subjects: list[str]
) -> None:
    rng, config = np.random.default_rng(8), MonitoringConfig()
    before = [sampled(rng, None) for _ in range(DAYS)]
    columns = shifted_columns(sampled(rng, where, factor), before, config)
    assert {scope for scope, _ in by_group(columns)} == {ALL, "5316", "0100"}
    reasons = drift_reasons(columns, "feature drift", config)
    assert verdict(reasons) == level
    assert [reason.subject for reason in reasons] == subjects
    if where == "0100":
        assert "0100 (price)" in reasons[0].text
    # Past findings move with the results that come in: the models are no worse for it.
    past = [
        replace(column, group="hit_rate (undervaluation)") if column.group == "price" else column
        for column in columns
    ]
    told = drift_reasons(past, "feature drift", config)
    assert verdict(told) == ("fine" if where != ALL else "watch")
    assert all("results came in" in reason.text for reason in told)
