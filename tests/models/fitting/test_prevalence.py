"""What all lines hold, from lines drawn at random, and probabilities moved to add up to it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

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
        {"found": rng.random(chosen) < 0.4, "selection": "risk", "inspection_probability": 0.2}
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


def test_a_line_drawn_at_random_stands_for_as_many_as_it_was_drawn_from() -> None:
    lines = _lines(share=0.3)
    drawn = lines.filter(selection="random")
    weights = 1.0 / drawn["inspection_probability"].to_numpy()
    by_hand = float((weights * drawn["found"].to_numpy()).sum() / weights.sum())
    assert by_hand == pytest.approx(0.3, abs=0.06)
    alone, with_promise = recorded_share(lines, "found", None), recorded_share(lines, "found", by_hand)
    assert alone is not None
    assert with_promise is not None
    assert alone.share == pytest.approx(by_hand)
    assert with_promise.share == pytest.approx(by_hand, rel=0.1)
    assert alone.findings < with_promise.findings < alone.findings + 30.0


def test_a_promise_counts_the_less_the_further_the_random_share_is_from_it() -> None:
    lines = _lines(share=0.3)
    alone = recorded_share(lines, "found", None)
    assert alone is not None
    told = [recorded_share(lines, "found", factor * alone.share) for factor in (1.0, 1.5, 3.0)]
    agreed, apart, wrong = (share for share in told if share is not None)
    assert agreed.findings > apart.findings > wrong.findings
    # Worth thirty findings whatever is found, three times as much would be believed to a good part.
    findings, promised = alone.findings, 3.0 * alone.share
    believed = (findings + 30.0) / (findings / alone.share + 30.0 / promised)
    assert alone.share < wrong.share < believed


def test_with_few_findings_the_promise_and_the_referrals_count() -> None:
    lines = _lines(share=0.0)
    assert recorded_share(lines, "found", None) is None
    weights = (1.0 / lines.filter(selection="random")["inspection_probability"]).sum()
    share = recorded_share(lines, "found", 0.001)
    assert share is not None
    # 50 findings by referral, and what was promised for the rest; the empty random share pulls it down.
    assert 0.0 < share.share < 0.001 + 50 / weights
    without = recorded_share(lines.filter(pl.col("selection") != "referral"), "found", 0.001)
    assert without is not None
    assert without.share < share.share


def test_too_few_random_lines_say_nothing() -> None:
    assert recorded_share(_lines(0.3, drawn=199), "found", 0.1) is None
    assert recorded_share(_lines(0.3).drop("selection"), "found", 0.1) is None


def test_probabilities_are_moved_to_the_mean_that_is_asked_for() -> None:
    rng = np.random.default_rng(2)
    raw, examined = rng.normal(-3.0, 1.5, 5000), rng.random(5000)
    moved = adding_up_to(Calibrator(), raw, examined, RecordedShare(0.05, 30.0))
    assert float(moved(raw) @ examined / examined.sum()) == pytest.approx(0.05, rel=1e-6)
    order = np.argsort(raw)
    assert (np.diff(moved(raw)[order]) >= 0.0).all()


def test_they_are_moved_by_a_factor_of_four_at_most_and_not_without_reason() -> None:
    raw, examined = np.full(1000, -2.0), np.ones(1000)
    far = adding_up_to(Calibrator(), raw, examined, RecordedShare(0.9, 30.0))
    assert far.c == pytest.approx(np.log(4.0), rel=1e-6)
    assert adding_up_to(Calibrator(), raw, examined, None) == Calibrator()
    assert adding_up_to(Calibrator(), raw[:199], examined[:199], RecordedShare(0.9, 30.0)) == Calibrator()
