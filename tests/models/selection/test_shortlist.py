"""A shortlist that reads parcels part by part holds what one look at all of them would hold."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from models.selection.shortlist import ValueShortlist

RISKS = ["food_safety", "prohibited_items"]
HELD = {"A": 2, "B": 1, "C": 0}

parcel = st.tuples(
    st.sampled_from(["A", "B", "C", "nobody asks for"]),
    st.sampled_from([*RISKS, "undervaluation"]),
    st.integers(0, 5),
)
in_parts = st.lists(st.lists(parcel, max_size=12), max_size=6)


def _frame(rows: list[tuple[str, str, int]], first: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "declaration_id": [f"D{place:04d}" for place in range(first, first + len(rows))],
            "customs_office": [office for office, _, _ in rows],
            "risk": [risk for _, risk, _ in rows],
            "expected_value_cny": [float(value) for _, _, value in rows],
        },
        schema={
            "declaration_id": pl.String,
            "customs_office": pl.String,
            "risk": pl.String,
            "expected_value_cny": pl.Float64,
        },
    )


def _expected(parcels: pl.DataFrame, risks: list[str]) -> set[tuple[str, bool]]:
    """Identity of each parcel that has to be held, and whether it is so among all of its office."""
    held = set()
    for office, most in HELD.items():
        here = parcels.filter(customs_office=office).sort(
            "expected_value_cny", "declaration_id", descending=[True, False]
        )
        best = set(here.head(most)["declaration_id"])
        held |= {(name, True) for name in best}
        for risk in risks:
            of_risk = set(here.filter(risk=risk).head(most)["declaration_id"])
            held |= {(name, False) for name in of_risk - best}
    return held


@given(in_parts, st.sampled_from([[], RISKS[:1], RISKS]))
@settings(max_examples=200, deadline=None)
def test_parts_hold_what_the_whole_would(parts: list[list[tuple[str, str, int]]], risks: list[str]) -> None:
    shortlist, frames, first = ValueShortlist(HELD, risks), [], 0
    for rows in parts:
        frames.append(_frame(rows, first))
        first += len(rows)
        shortlist.add(frames[-1])
    every = pl.concat([_frame([], 0), *frames])
    held = shortlist.held(every)
    assert set(held.select("declaration_id", "overall").iter_rows()) == _expected(every, risks)
    assert held["expected_value_cny"].is_sorted(descending=True)


def test_a_risk_keeps_its_places_beside_parcels_of_higher_value() -> None:
    shortlist = ValueShortlist({"A": 1}, ["food_safety"])
    for part in ([("A", "undervaluation", 5)], [("A", "food_safety", 1)], [("A", "food_safety", 2)]):
        shortlist.add(_frame(part, part[0][2]))
    held = shortlist.held(_frame([], 0))
    assert held.select("risk", "expected_value_cny", "overall").rows() == [
        ("undervaluation", 5.0, True),
        ("food_safety", 2.0, False),
    ]


@given(in_parts)
@settings(max_examples=100, deadline=None)
def test_it_lacks_parcels_where_there_are_more_than_it_may_hold(
    parts: list[list[tuple[str, str, int]]],
) -> None:
    shortlist, rows = ValueShortlist(HELD, RISKS), [row for part in parts for row in part]
    for part in parts:
        shortlist.add(_frame(part, 0))
    for office, most in HELD.items():
        of_office = [row for row in rows if row[0] == office]
        assert shortlist.lacks(office) == (0 < most < len(of_office))
        for risk in RISKS:
            of_risk = sum(row[1] == risk for row in of_office)
            assert shortlist.lacks(office, risk) == (0 < most < of_risk)
