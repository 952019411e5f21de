from __future__ import annotations

import math
import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.estimates.parcel_table import UNASSIGNED, UNKNOWN_MODE, parcel_table

RISKS = ("food_safety", "prohibited_items")


def _lines(rows: list[dict[str, object]]) -> pl.DataFrame:
    defaults: dict[str, object] = {
        "customs_office": "0100", "trade_mode": "9610", "seller_id": "S", "buyer_id": "B",
        "probability_food_safety": None, "value_food_safety": None,
        "probability_prohibited_items": None, "value_prohibited_items": None,
    }  # fmt: skip
    texts = ("declaration_id", "customs_office", "trade_mode", "seller_id", "buyer_id")
    numbers = [name for name in defaults if name.startswith(("probability", "value"))]
    schema = dict.fromkeys(texts, pl.String) | {"line_no": pl.Int32} | dict.fromkeys(numbers, pl.Float64)
    return pl.DataFrame([defaults | row for row in rows], schema=schema)


Row = dict[str, object]


def _line(parcel: str, line: int, p: float | None = None, value: float | None = 100.0) -> Row:
    return {
        "declaration_id": parcel,
        "line_no": line,
        "probability_food_safety": p,
        "value_food_safety": value,
    }


@given(
    st.lists(
        st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1e6), st.floats(0.0, 1.0), st.floats(0.0, 1e6)),
        min_size=1,
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_a_parcel_follows_the_contract_in_whatever_order_its_lines_come(
    drawn: list[tuple[float, float, float, float]], shuffler: random.Random
) -> None:
    lines = _lines(
        [
            {
                "declaration_id": "A", "line_no": number,
                "probability_food_safety": p, "value_food_safety": v,
                "probability_prohibited_items": q, "value_prohibited_items": w,
            }
            for number, (p, v, q, w) in enumerate(drawn, start=1)
        ]
    )  # fmt: skip
    table = parcel_table(lines, RISKS)
    terms = {}
    for risk, at in (("food_safety", 0), ("prohibited_items", 2)):
        probabilities = [row[at] for row in drawn]
        whole = 1.0 - math.prod(1.0 - p for p in probabilities)
        mass = math.fsum(probabilities)
        mean = math.fsum(row[at] * row[at + 1] for row in drawn) / mass if mass else 0.0
        terms[risk] = (whole, whole * mean)
    row = table.row(0, named=True)
    assert row["expected_value_cny"] == pytest.approx(
        sum(term for _, term in terms.values()), rel=1e-9, abs=1e-9
    )
    assert row["probability"] == pytest.approx(terms[row["risk"]][0], rel=1e-9, abs=1e-12)
    assert terms[row["risk"]][1] == pytest.approx(max(term for _, term in terms.values()), rel=1e-9, abs=1e-9)
    order = list(range(len(lines)))
    shuffler.shuffle(order)
    assert parcel_table(lines[order], reversed(RISKS)).equals(table)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1e6))
def test_a_parcel_of_one_line_has_the_probability_of_the_line_to_the_last_bit(p: float, value: float) -> None:
    row = parcel_table(_lines([_line("A", 1, p, value)]), RISKS).row(0, named=True)
    assert (row["probability"], row["expected_value_cny"]) == (p, p * value)


def test_tiny_probabilities_add_up() -> None:
    table = parcel_table(_lines([_line("A", n, 1e-18) for n in (1, 2)]), RISKS)
    assert table["probability"].to_list() == [2e-18]


def test_the_line_that_raised_it_has_the_largest_term_and_the_lowest_number_among_equals() -> None:
    lines = [_line("A", 1, 0.5, 10.0), _line("A", 2, 0.1, 900.0), _line("A", 3, 0.1, 900.0)]
    assert parcel_table(_lines(lines), RISKS)["line_no"].to_list() == [2]


def test_equal_risks_are_told_apart_by_name() -> None:
    both = _line("A", 1, 0.2) | {"probability_prohibited_items": 0.2, "value_prohibited_items": 100.0}
    assert parcel_table(_lines([both]), reversed(RISKS))["risk"].to_list() == ["food_safety"]


def test_a_parcel_without_scores_is_kept_with_nulls_and_its_first_line() -> None:
    table = parcel_table(_lines([_line("A", 7), _line("A", 4)]), RISKS)
    assert table.select("line_no", "risk", "probability", "expected_value_cny").rows() == [
        (4, None, None, None)
    ]


def test_the_lines_that_have_a_score_speak_for_a_parcel_with_gaps() -> None:
    table = parcel_table(_lines([_line("A", 1), _line("A", 2, 0.25)]), RISKS)
    assert table.select("line_no", "probability", "expected_value_cny").rows() == [(2, 0.25, 25.0)]


def test_office_and_mode_are_those_of_the_first_line_that_names_one() -> None:
    lines = [
        _line("A", 1, 0.1) | {"customs_office": "", "trade_mode": None},
        _line("A", 2, 0.1) | {"customs_office": "0200", "trade_mode": "mail"},
        _line("B", 1, 0.1) | {"customs_office": None, "trade_mode": None},
    ]
    table = parcel_table(_lines(lines), RISKS)
    assert table["customs_office"].to_list() == ["0200", UNASSIGNED]
    assert table["trade_mode"].to_list() == ["mail", UNKNOWN_MODE]


def test_parts_with_whole_parcels_give_the_table_of_the_whole() -> None:
    lines = _lines([_line(parcel, n, 0.01 * n) for parcel in "ABCD" for n in (1, 2, 3)])
    parts = [parcel_table(lines.filter(pl.col("declaration_id").is_in(list(p))), RISKS) for p in ("CD", "AB")]
    assert pl.concat(parts).sort("declaration_id").equals(parcel_table(lines, RISKS))


def test_no_lines_give_an_empty_table_of_the_same_types() -> None:
    lines = _lines([_line("A", 1, 0.5)])
    assert parcel_table(lines.clear(), RISKS).schema == parcel_table(lines, RISKS).schema


@pytest.mark.parametrize("p", [1.5, -0.1, float("inf")])
def test_a_probability_outside_its_range_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=r"probability_food_safety must lie in \[0, 1\]: 1 lines"):
        parcel_table(_lines([_line("A", 1, p)]), RISKS)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -1.0])
def test_a_probability_without_a_value_is_refused(value: float | None) -> None:
    with pytest.raises(
        ValueError, match=r"value_food_safety must be a number of CNY from 0 up .* declaration A"
    ):
        parcel_table(_lines([_line("A", 1, 0.5, value)]), RISKS)


def test_what_is_unsure_expected_and_wanted_of_a_parcel_comes_from_all_its_lines() -> None:
    lines = pl.DataFrame(
        {
            "declaration_id": ["A", "A", "B"], "line_no": [1, 2, 1], "customs_office": "0100",
            "trade_mode": "9610", "seller_id": "s", "buyer_id": "b", "address_id": [None, 7, 8],
            "goods": [11, 12, 13],
            "novelty": [0.5, 1.0, None], "must_inspect": [None, 3, None],
            "probability_undervaluation": [0.5, 0.2, 0.1], "value_undervaluation": [150.0, 1050.0, 60.0],
        }
    )  # fmt: skip
    first, second = parcel_table(lines, ["undervaluation"], {"undervaluation": 50.0}).iter_rows(named=True)
    assert (first["address_id"], first["goods"], first["must_inspect"]) == (7, 12, 3)
    assert first["unsureness_cny"] == pytest.approx(150 * 0.5 * 0.5 + 1050 * 0.4 * 1.0)
    assert first["expected_findings"] == pytest.approx(0.6)
    assert first["expected_tax_cny"] == pytest.approx(first["expected_value_cny"] - 0.6 * 50)
    assert (second["must_inspect"], second["expected_tax_cny"]) == (None, pytest.approx(1.0))
    # Where nobody knows how new a line is, it counts as new.
    assert second["unsureness_cny"] == pytest.approx(60 * 0.3)
