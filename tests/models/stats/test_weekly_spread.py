"""What moves from week to week is told from what chance does."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from models.stats.weekly_spread import weekly_spread

_WEEKS = 12
_UNKNOWN = 0.579


def _lines(spread: float, of_a_week: int = 4000, share: float = 0.05, seed: int = 3) -> pl.DataFrame:
    """Lines of twelve weeks, each week with its own share of findings."""
    rng = np.random.default_rng(seed)
    shares = share * rng.gamma(1.0 / spread**2, spread**2, _WEEKS) if spread else np.full(_WEEKS, share)
    week = np.repeat(np.arange(_WEEKS), of_a_week)
    days = week * 7 + rng.integers(0, 7, len(week))
    return pl.DataFrame(
        {
            "declaration_id": np.arange(len(week)).astype(str),
            "declared_on": [date(2026, 8, 1) + timedelta(days=int(day)) for day in days],
            "selection": "random",
            "found": rng.random(len(week)) < shares[week],
        }
    )


def test_many_findings_show_how_far_the_share_moves() -> None:
    still, moving = weekly_spread(_lines(0.0), "found"), weekly_spread(_lines(0.4), "found")
    assert still < 0.1
    assert moving == pytest.approx(0.4, abs=0.15)


def test_few_findings_leave_it_open() -> None:
    few = weekly_spread(_lines(0.0, of_a_week=40), "found")
    assert weekly_spread(_lines(0.0), "found") < few < _UNKNOWN


def test_nothing_is_known_without_findings_or_weeks() -> None:
    lines = _lines(0.0, of_a_week=100)
    assert weekly_spread(lines.clear(), "found") == pytest.approx(_UNKNOWN, abs=1e-3)
    assert weekly_spread(lines.filter(~pl.col("found")), "found") == pytest.approx(_UNKNOWN, abs=1e-3)
    last = lines.filter(pl.col("declared_on") == pl.col("declared_on").max())
    assert weekly_spread(last, "found") == pytest.approx(_UNKNOWN, abs=1e-3)


def test_another_mixture_of_channels_is_no_movement() -> None:
    plain = _lines(0.0)
    rich = _lines(0.0, share=0.4, seed=4).with_columns(
        pl.lit("risk").alias("selection"), ("R" + pl.col("declaration_id")).alias("declaration_id")
    )
    # Only the last weeks have lines chosen by risk, where findings are eight times as frequent.
    mixed = pl.concat([plain, rich.filter(pl.col("declared_on") >= date(2026, 9, 12))])
    assert weekly_spread(mixed, "found") < 0.1
    assert weekly_spread(mixed.with_columns(pl.lit("random").alias("selection")), "found") > 0.3


def test_a_seller_whose_parcels_are_found_together_is_one_finding() -> None:
    lines = _lines(0.0, of_a_week=200)
    caught = lines.filter(pl.col("found")).head(1)
    many = pl.concat(
        [caught.with_columns(pl.col("declaration_id") + f"-{number}") for number in range(60)]
    ).with_columns(pl.lit("one shop").alias("seller_id"))
    others = lines.with_columns(pl.col("declaration_id").alias("seller_id"))
    assert weekly_spread(pl.concat([others, many]), "found") < weekly_spread(
        pl.concat([others, many.with_columns(pl.col("declaration_id").alias("seller_id"))]), "found"
    )
