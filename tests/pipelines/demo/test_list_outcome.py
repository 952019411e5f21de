from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from operator import itemgetter
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.demo.list_outcome import ListsOutcome, list_outcome

LABELS = {"food_safety": "food_safety", "prohibited_items": "prohibited_item"}
FIRST = date(2026, 11, 12)
Row = dict[str, Any]


@st.composite
def nights(draw: st.DrawFn) -> list[Row]:
    """Parcels of two nights and two offices, some of them listed."""
    rows = []
    for number in range(draw(st.integers(1, 30))):
        listed = draw(st.sampled_from([None, None, "risk", "random", "exploration"]))
        rows.append(
            {
                "declared_on": FIRST + timedelta(days=draw(st.integers(0, 1))),
                "declaration_id": f"D{number}",
                "customs_office": draw(st.sampled_from(["0100", "4601"])),
                "food_safety": draw(st.booleans()),
                "prohibited_item": draw(st.booleans()),
                "tax_shortfall_cny": float(draw(st.integers(0, 50))),
                "selection": listed,
                "risk": draw(st.sampled_from(sorted(LABELS))) if listed else None,
                "probability": draw(st.integers(0, 8)) / 8 if listed else None,
            }
        )
    return rows


def outcome_of(rows: list[Row]) -> ListsOutcome:
    schema = {"declared_on": pl.Date, "declaration_id": pl.String, "customs_office": pl.String,
              "food_safety": pl.Boolean, "prohibited_item": pl.Boolean, "tax_shortfall_cny": pl.Float64,
              "selection": pl.String, "risk": pl.String, "probability": pl.Float64}  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema)
    parcels = frame.drop("selection", "risk", "probability")
    lists = frame.filter(pl.col("selection").is_not_null()).select(
        "declared_on", "declaration_id", "risk", "probability", "selection"
    )
    return list_outcome(parcels, lists.reverse(), LABELS)


def expected_at_random(rows: list[Row], amount: Any) -> Fraction:
    """Each office of each night draws as many as it lists: every one of its parcels has the chance n/N."""
    total = Fraction(0)
    for key in {(row["declared_on"], row["customs_office"]) for row in rows}:
        own = [row for row in rows if (row["declared_on"], row["customs_office"]) == key]
        listed = sum(row["selection"] is not None for row in own)
        total += Fraction(listed, len(own)) * sum(Fraction(amount(row)) for row in own)
    return total


@given(nights())
def test_every_figure_is_what_counting_by_hand_gives(rows: list[Row]) -> None:
    outcome = outcome_of(rows)
    opened = [row for row in rows if row["selection"]]
    assert (outcome.parcels, outcome.listed) == (len(rows), len(opened))
    has: dict[str, Callable[[Row], bool]] = {name: itemgetter(label) for name, label in LABELS.items()}
    has["any of them"] = lambda row: row["food_safety"] or row["prohibited_item"]
    assert [risk.risk for risk in outcome.risks] == list(has)
    for risk in outcome.risks:
        with_it = [row for row in rows if has[risk.risk](row)]
        assert risk.parcels == len(with_it)
        assert risk.found == sum(row["selection"] is not None for row in with_it)
        assert risk.random.expected == pytest.approx(float(expected_at_random(rows, has[risk.risk])))
        assert risk.random.low <= risk.random.expected + 1
        assert risk.random.high >= risk.random.expected - 1
        if with_it:
            assert risk.recall == risk.found / len(with_it)
        if opened:
            assert risk.precision == risk.found / len(opened)
    for chosen in outcome.listed_for[: len(LABELS)]:
        own = [row for row in opened if row["selection"] == "risk" and row["risk"] == chosen.reason]
        assert (chosen.listed, chosen.found) == (len(own), sum(map(has[chosen.reason], own)))
        assert chosen.promised == pytest.approx(sum(row["probability"] for row in own))
    for otherwise in outcome.listed_for[len(LABELS) :]:
        own = [row for row in opened if row["selection"] == otherwise.reason]
        assert (otherwise.listed, otherwise.found) == (len(own), sum(map(has["any of them"], own)))
    assert sum(each.listed for each in outcome.listed_for) == len(opened)
    assert outcome.listed_for[-1].reason == "random"
    assert outcome.shortfall_found_cny == pytest.approx(sum(row["tax_shortfall_cny"] for row in opened))
    at_random = float(expected_at_random(rows, lambda row: row["tax_shortfall_cny"]))
    assert outcome.shortfall_at_random_cny == pytest.approx(at_random)


@given(nights())
def test_the_order_of_rows_changes_no_bit(rows: list[Row]) -> None:
    assert outcome_of(rows) == outcome_of(rows[::-1])


def test_a_share_of_nothing_is_no_number_and_null_for_programs() -> None:
    row = {"declared_on": FIRST, "declaration_id": "D", "customs_office": "0100", "food_safety": False,
           "prohibited_item": False, "tax_shortfall_cny": 0.0, "selection": None, "risk": None,
           "probability": None}  # fmt: skip
    risk = outcome_of([row]).as_dict()["risks"]["food_safety"]
    assert (risk["precision"], risk["recall"], risk["lift"]) == (None, None, None)


def test_a_listed_parcel_that_nobody_knows_is_refused() -> None:
    parcels = pl.DataFrame({"declared_on": [FIRST], "declaration_id": ["D"], "customs_office": ["0100"],
                            "food_safety": [True], "prohibited_item": [False],
                            "tax_shortfall_cny": [0.0]})  # fmt: skip
    lists = pl.DataFrame({"declared_on": [FIRST], "declaration_id": ["E"], "risk": ["food_safety"],
                          "probability": [0.5], "selection": ["risk"]})  # fmt: skip
    with pytest.raises(ValueError, match="1 parcels are listed, 0 of them are known"):
        list_outcome(parcels, lists, LABELS)
