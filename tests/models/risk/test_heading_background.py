"""What blocks usually add by heading: means, smoothing, and the reasons of a model that knows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.fitting.training import FittedRisk
from models.risk.heading_background import HeadingBackground, background_lines
from models.risk.risk_model import RiskModel


@pytest.fixture(scope="module")
def lines(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.head(400).with_columns(pl.col("goods__hs6").alias("hs_code"))


@pytest.fixture(scope="module")
def model(fitted: FittedRisk, lines: pl.DataFrame) -> RiskModel:
    return fitted.model.with_background(lines)


def test_means_of_headings_are_smoothed_towards_chapter_and_all() -> None:
    given = pl.DataFrame({"hs_code": ["950300"] * 5 + ["190110"] * 5 + [None] * 10})
    usual = HeadingBackground.fit(given, pl.DataFrame({"price": [4.0] * 5 + [0.0] * 15}))
    # All: 1; chapter 95: (5 * 4 + 5 * 1) / 10; heading 9503: (5 * 4 + 5 * 2.5) / 10.
    asked = pl.DataFrame({"hs_code": ["95030021", "9504", "220300", None]})
    assert usual(asked)[:, 0].tolist() == [3.25, 2.5, 1.0, 1.0]
    assert usual(asked.drop("hs_code"))[:, 0].tolist() == [1.0] * 4
    assert usual(asked.clear()).shape == (0, 1)


def test_only_so_many_lines_are_drawn_and_the_same_whatever_their_order(frame: pl.DataFrame) -> None:
    many = pl.concat([frame] * 3)
    drawn = background_lines(many)
    assert drawn.height == 8000 < many.height
    again = background_lines(many.sample(fraction=1.0, shuffle=True, seed=1))
    assert again.select("declaration_id").equals(drawn.select("declaration_id"))
    assert background_lines(frame) is frame


def test_a_line_is_compared_with_its_heading_whatever_the_batch(
    model: RiskModel, fitted: FittedRisk, lines: pl.DataFrame
) -> None:
    whole = model.contributions_in_heading(lines)
    parts = [model.contributions_in_heading(part) for part in (lines[:7], lines[7:])]
    assert pl.concat(parts).equals(whole)
    assert fitted.model.contributions_in_heading(lines).equals(fitted.model.contributions(lines))
    means = whole.with_columns(lines["hs_code"]).group_by("hs_code").mean().drop("hs_code")
    plain = fitted.model.contributions(lines).with_columns(lines["hs_code"]).group_by("hs_code").mean()
    before = float(np.abs(plain.drop("hs_code").to_numpy()).max())
    assert float(np.abs(means.to_numpy()).max()) < before / 3


def test_the_background_is_saved_with_the_model(
    model: RiskModel, lines: pl.DataFrame, tmp_path: Path
) -> None:
    model.save(tmp_path)
    again = RiskModel.load(tmp_path)
    assert again.background == model.background
    assert again.contributions_in_heading(lines).equals(model.contributions_in_heading(lines))
