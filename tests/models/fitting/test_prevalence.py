"""What all lines hold, from lines drawn at random, and probabilities moved to add up to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import polars as pl
import pytest

from models.fitting.block import DayBlock
from models.fitting.prevalence import RecordedShare, adding_up_to, recorded_share
from models.risk.calibration import Calibrator


def _lines(share: float, drawn: int = 2000, chosen: int = 3000, referred: int = 100) -> pl.DataFrame:
    """Two strata, one of which is drawn from ten times as often and has no findings; a rich channel by risk,
    and referrals of which every second is a finding.
    """
    rng = np.random.default_rng(11)
    often = np.arange(drawn) % 11 > 0
    random = pl.DataFrame(
        {
            "found": (rng.random(drawn) < 2.0 * share) & ~often,
            "selection": "random",
            "inspection_probability": np.where(often, 0.10, 0.01),
        }
    )
    by_risk = pl.DataFrame(
        {"found": rng.random(chosen) < 0.4, "selection": "risk", "inspection_probability": 1.0}
    )
    referrals = pl.DataFrame(
        {
            "found": np.arange(referred) % 2 == 0,
            "selection": "referral",
            "inspection_probability": pl.Series([None] * referred, dtype=pl.Float64),
        }
    )
    every = pl.concat([random, by_risk, referrals])
    return every.with_columns(pl.int_range(pl.len()).cast(pl.String).alias("declaration_id"))


def _plan(share: float, lines: int = 1000, chance: float = 0.5) -> pl.DataFrame:
    """A sampling plan that reaches few lines, often."""
    found = np.arange(lines) < share * lines
    given = {"found": found, "selection": "rule", "inspection_probability": chance}
    return pl.DataFrame(given).with_columns(
        ("P" + pl.int_range(pl.len()).cast(pl.String)).alias("declaration_id")
    )


def _level(lines: pl.DataFrame, promised: float, due: pl.DataFrame | None = None) -> RecordedShare | None:
    """What is recorded where every line of a block was promised the same."""
    block = cast(DayBlock, SimpleNamespace(test=lines, found=lambda: lines["found"].to_numpy()))
    return recorded_share(lines if due is None else due, "found", [block], [np.full(lines.height, promised)])


def _by_hand(lines: pl.DataFrame) -> float:
    drawn = lines.filter(selection="random")
    weights = 1.0 / drawn["inspection_probability"].to_numpy()
    return float((weights * drawn["found"].to_numpy()).sum() / weights.sum())


@pytest.mark.parametrize("wrong", [1.0, 0.2, 5.0])
def test_the_share_of_the_draws_counts_whatever_was_promised(wrong: float) -> None:
    lines = _lines(share=0.3)
    expected = _by_hand(lines)
    assert expected == pytest.approx(0.3, abs=0.06)
    level = _level(lines, wrong * expected)
    assert level is not None
    assert level.share == pytest.approx(expected, rel=0.1)
    assert level.low < expected < level.high


def test_a_promise_narrows_only_where_it_agrees() -> None:
    lines = _lines(share=0.3)
    levels = [_level(lines, factor * _by_hand(lines)) for factor in (1.0, 4.0)]
    agreed, apart = (level for level in levels if level is not None)
    assert agreed.findings > apart.findings
    assert agreed.high / agreed.low < apart.high / apart.low


def test_what_referrals_and_lists_found_says_nothing_of_the_others() -> None:
    lines = _lines(share=0.05)
    assert _level(lines, 0.05) == _level(lines.filter(selection="random"), 0.05)


def test_an_empty_draw_bounds_a_promise_that_is_too_high() -> None:
    lines = _lines(share=0.0)
    level = _level(lines, 0.2)
    assert level is not None
    assert level.share < 0.01
    assert level.high < 0.02
    low = _level(lines, 1e-5)
    assert low is not None
    # The mean: of what is as unsure as this, the median is little more than half of it.
    assert low.share == pytest.approx(1e-5, rel=0.1)


def test_a_sampling_plan_with_chances_tells_how_far_promises_hold() -> None:
    lines, promised = _lines(share=0.0), 0.002
    without = _level(lines, promised)
    plan = pl.concat([lines, _plan(share=0.004)], how="diagonal_relaxed")
    told = _level(plan, promised)
    unknown = plan.with_columns(
        pl.when(pl.col("selection") != "rule").then("inspection_probability").alias("inspection_probability")
    )
    assert without is not None
    assert told is not None
    assert without.share < told.share
    assert _level(unknown, promised) == without


@pytest.mark.parametrize("of_plan", [0.0, 0.9])
def test_a_sampling_plan_that_disagrees_does_not_overrule_the_random_share(of_plan: float) -> None:
    lines = _lines(share=0.1)
    expected = _by_hand(lines)
    plan = pl.concat([lines, _plan(share=of_plan)], how="diagonal_relaxed")
    alone, both = _level(lines, expected), _level(plan, expected)
    assert alone is not None
    assert both is not None
    assert both.share == pytest.approx(alone.share, rel=0.25)
    assert both.low < expected < both.high


def test_too_few_random_lines_say_nothing() -> None:
    assert _level(_lines(0.3, drawn=40), 0.1) is None
    assert _level(_lines(0.3, drawn=60), 0.1) is not None
    assert _level(_lines(0.3).drop("selection"), 0.1) is None
    assert _level(_lines(0.3), 0.1, due=_lines(0.3, drawn=40)) is None


def test_probabilities_are_moved_to_the_mean_that_is_asked_for() -> None:
    rng = np.random.default_rng(2)
    raw, examined = rng.normal(-3.0, 1.5, 5000), rng.random(5000)
    moved = adding_up_to(Calibrator(), raw, examined, RecordedShare(0.05, 30.0))
    assert float(moved(raw) @ examined / examined.sum()) == pytest.approx(0.05, rel=1e-6)
    order = np.argsort(raw)
    assert (np.diff(moved(raw)[order]) >= 0.0).all()


def test_they_are_moved_by_a_factor_of_fifty_at_most_and_not_without_reason() -> None:
    raw, examined = np.full(1000, -4.0), np.ones(1000)
    far = adding_up_to(Calibrator(), raw, examined, RecordedShare(0.99, 30.0))
    assert far.c == pytest.approx(np.log(50.0), rel=1e-6)
    assert adding_up_to(Calibrator(), raw, examined, None) == Calibrator()
    assert adding_up_to(Calibrator(), raw[:199], examined[:199], RecordedShare(0.9, 30.0)) == Calibrator()
