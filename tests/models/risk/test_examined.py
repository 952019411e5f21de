"""A probability counts only as far as a line is examined at all."""

from __future__ import annotations

import polars as pl
import pytest

from models.risk.examined import ExaminedShare


def inspected(heading: str, examined: int, untouched: int) -> pl.DataFrame:
    labels = pl.Series("food_safety", [False] * examined + [None] * untouched, dtype=pl.Boolean)
    return pl.DataFrame([pl.Series("hs_code", [heading] * (examined + untouched)), labels])


def test_food_is_examined_and_toys_are_not() -> None:
    share = ExaminedShare.fit(
        pl.concat([inspected("190110", 80, 20), inspected("950300", 0, 300)]), "food_safety"
    )
    food, toy, other = share(pl.DataFrame({"hs_code": ["1901109000", "9503", "610910"]}))
    assert food == pytest.approx(0.8, abs=0.05)
    assert toy < 0.01
    assert other == pytest.approx(0.2)


def test_where_every_line_was_examined_nothing_changes() -> None:
    share = ExaminedShare.fit(inspected("190110", 50, 0), "food_safety")
    assert share(pl.DataFrame({"hs_code": ["190110", None]})).tolist() == [1.0, 1.0]


def test_a_heading_of_few_inspections_is_like_its_chapter() -> None:
    many, few = inspected("190110", 500, 0), inspected("190590", 0, 1)
    share = ExaminedShare.fit(pl.concat([many, few, inspected("950300", 0, 500)]), "food_safety")
    assert share(pl.DataFrame({"hs_code": ["190590"]}))[0] > 0.8


def test_it_is_written_and_read_as_plain_numbers() -> None:
    share = ExaminedShare.fit(
        pl.concat([inspected("190110", 7, 3), inspected("950300", 1, 9)]), "food_safety"
    )
    assert ExaminedShare.from_dict(share.as_dict()) == share
