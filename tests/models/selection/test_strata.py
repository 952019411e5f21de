from __future__ import annotations

import math
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.selection.strata import STRATA_SCHEMA, allocate, plan_strata, random_places

SIZES = st.lists(st.integers(1, 10**6), min_size=1, max_size=9)


@given(SIZES, st.integers(0, 500))
def test_all_places_are_given_out_and_no_stratum_gets_more_than_it_has(sizes: list[int], drawn: int) -> None:
    shares = allocate(sizes, drawn)
    assert sum(shares) == min(drawn, sum(sizes))
    assert all(0 <= share <= size for share, size in zip(shares, sizes, strict=True))


@given(SIZES, st.integers(0, 500))
def test_every_stratum_is_drawn_from_as_far_as_the_places_reach(sizes: list[int], drawn: int) -> None:
    assert sum(share > 0 for share in allocate(sizes, drawn)) == min(drawn, len(sizes))


@given(SIZES, st.integers(0, 500))
def test_strata_that_are_due_one_anyway_get_their_quota_rounded(sizes: list[int], drawn: int) -> None:
    quotas = [Fraction(min(drawn, sum(sizes)) * size, sum(sizes)) for size in sizes]
    shares = allocate(sizes, drawn)
    if all(quota >= 1 for quota in quotas):
        assert all(share in (math.floor(q), math.ceil(q)) for share, q in zip(shares, quotas, strict=True))
    else:
        assert all(share <= math.ceil(q) for share, q in zip(shares, quotas, strict=True))


@given(st.integers(0, 10_000), st.floats(0.0, 1.0))
def test_a_random_share_leaves_room_for_risk_unless_it_is_everything(places: int, share: float) -> None:
    drawn = random_places(places, share)
    assert 0 <= drawn <= places
    if 0.001 < share < 0.999 and places > 1:
        assert 0 < drawn < places


@pytest.mark.parametrize(
    ("places", "share", "drawn"),
    [(30, 0.1, 3), (31, 0.1, 4), (5, 0.0, 0), (5, 1.0, 5), (0, 0.5, 0), (70, 0.1, 7)],
)
def test_the_random_share_is_rounded_up(places: int, share: float, drawn: int) -> None:
    assert random_places(places, share) == drawn


def test_the_plan_has_a_row_for_every_stratum_in_a_fixed_order() -> None:
    sizes = pl.DataFrame(
        {
            "customs_office": ["0200", "0100", "0100"],
            "trade_mode": ["mail", "mail", "9610"],
            "parcels": [10, 300, 700],
        }
    )
    plan = plan_strata(sizes, {"0100": 50, "0200": 1}, 0.10)
    assert dict(plan.schema) == STRATA_SCHEMA
    assert plan.rows() == [
        ("0100", "9610", 700, 4, 4 / 700),
        ("0100", "mail", 300, 1, 1 / 300),
        ("0200", "mail", 10, 0, 0.0),
    ]
    assert plan_strata(sizes.reverse(), {"0100": 50, "0200": 1}, 0.10).equals(plan)
