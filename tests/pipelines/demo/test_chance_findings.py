from __future__ import annotations

import math
from collections import Counter
from itertools import combinations, product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.demo.chance_findings import ChanceFindings, chance_findings


def strata(*rows: tuple[int, int, int]) -> pl.DataFrame:
    schema = {"parcels": pl.Int64, "with_risk": pl.UInt32, "listed": pl.UInt32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def every_draw(rows: list[tuple[int, int, int]]) -> list[int]:
    """The findings of every possible draw, one by one: parcels below `with_risk` have the risk."""
    draws = [
        [sum(parcel < with_risk for parcel in drawn) for drawn in combinations(range(parcels), listed)]
        for parcels, with_risk, listed in rows
    ]
    return [sum(findings) for findings in product(*draws)]


@st.composite
def small_strata(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        parcels = draw(st.integers(1, 6))
        rows.append((parcels, draw(st.integers(0, parcels)), draw(st.integers(0, parcels))))
    return rows


@given(small_strata())
def test_figures_are_those_of_all_possible_draws(rows: list[tuple[int, int, int]]) -> None:
    draws = every_draw(rows)
    counts = Counter(draws)
    up_to = [
        (found, sum(counts[n] for n in range(found + 1)) / len(draws)) for found in range(max(draws) + 1)
    ]
    chance = chance_findings(strata(*rows))
    assert chance.expected == pytest.approx(sum(draws) / len(draws))
    assert chance.low == next(found for found, share in up_to if share >= 0.025 - 1e-9)
    assert chance.high == next(found for found, share in up_to if share >= 0.975 - 1e-9)


def test_nothing_drawn_finds_nothing() -> None:
    assert chance_findings(strata((10, 5, 0), (10, 0, 5))) == ChanceFindings(0.0, 0, 0)
    assert chance_findings(strata()) == ChanceFindings(0.0, 0, 0)


def test_many_offices_come_close_to_the_bell_curve() -> None:
    chance = chance_findings(strata(*[(1000, 40, 20)] * 100))
    deviation = math.sqrt(100 * 20 * 0.04 * 0.96 * (980 / 999))
    assert chance.expected == pytest.approx(80)
    assert abs(chance.low - (80 - 1.96 * deviation)) < 1.5
    assert abs(chance.high - (80 + 1.96 * deviation)) < 1.5
