"""What goes back of whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from features.pattern import APPLIED_COLUMNS, RETURNED_COLUMNS
from features.patterns.returns import lines_applied_for, returned_by_key
from tests.features.checked_days import CLOSE, DAY, RETURN, RETURNED_LINE, day_of

BOUGHT = RETURNED_LINE | {
    "seller_id": "S1", "legal_quantity": 0.5, "legal_unit": "035",
}  # fmt: skip
BACK = RETURN | {"hs_code": "3304990000", "legal_quantity": 0.25, "legal_unit": "035"}


def applied(back: dict[str, Any] | None = None, bought: dict[str, Any] | None = None) -> dict[str, Any]:
    """What is known of one application, changed by a test as it likes."""
    day = day_of(returns=[BACK | (back or {})], returned_lines=[BOUGHT | (bought or {})])
    (row,) = lines_applied_for(day).to_dicts()
    return row


def test_an_application_is_told_by_what_was_declared() -> None:
    assert applied() == {
        "declaration_id": "OLD1", "line_no": 1, "applied_on": DAY, "seller_id": "S1", "buyer_id": "ann",
        "address_id": "lane 1", "hs6": "330499", "value_fen": 10_000, "days": 9, "near_limit": False,
        "differs": False,
    }  # fmt: skip


def test_of_a_line_that_nobody_declared_the_application_tells() -> None:
    day = day_of(returns=[BACK | {"seller_id": "S9", "buyer_id": "bob"}])
    (row,) = lines_applied_for(day).to_dicts()
    wanted = ("seller_id", "buyer_id", "address_id", "hs6", "value_fen", "days", "near_limit", "differs")
    assert [row[name] for name in wanted] == ["S9", "bob", None, "330499", None, None, None, None]


@pytest.mark.parametrize(("days", "near"), [(0, False), (23, False), (24, True), (30, True), (31, False)])
def test_the_end_of_the_period_counts(days: int, near: bool) -> None:
    assert applied(bought={"released_at": CLOSE - timedelta(days=days, hours=6)})["near_limit"] is near


def test_exports_have_a_year() -> None:
    way = {"direction": "export", "trade_mode": "9710"}
    for days, near in ((200, False), (350, True)):
        row = applied(bought={**way, "released_at": CLOSE - timedelta(days=days, hours=6)})
        assert (row["near_limit"], row["days"]) == (near, days)


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"legal_quantity": 0.27}, False),
        ({"legal_quantity": 0.15}, True),
        ({"legal_quantity": 0.4}, True),
        ({"legal_quantity": 0.15, "legal_unit": "011"}, False),
        ({"legal_quantity": 0.15, "unit": None}, False),
        ({"hs_code": "3304100000"}, True),
        ({"hs_code": None, "legal_unit": None}, None),
    ],
)
def test_other_goods_and_weights_are_told(change: dict[str, Any], differs: bool | None) -> None:
    assert applied(change)["differs"] is differs


def test_money_goes_back_for_what_goes_back() -> None:
    assert applied({"quantity": 2.0})["value_fen"] == 20_000
    assert applied({"quantity": 9.0})["value_fen"] == 20_000
    assert applied({"unit": "035"})["value_fen"] is None
    assert applied(bought={"currency": "USD"})["value_fen"] > 60_000
    assert applied(bought={"currency": "XXX"})["value_fen"] is None


def rows_of(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Applications: number of the declaration, seller, days, near the limit, differs."""
    names = ("declaration_id", "seller_id", "days", "near_limit", "differs")
    given = [dict(zip(names, row, strict=True)) for row in rows]
    filled = [
        {"line_no": 1, "applied_on": DAY, "buyer_id": "ann", "hs6": "330499", "value_fen": 100} | row
        for row in given
    ]
    return pl.DataFrame(filled, schema=APPLIED_COLUMNS)


ROWS = (("A", "S1", 2, False, False), ("B", "S1", 28, True, None), ("C", "S1", None, None, True))


def test_keys_have_shares_and_speed() -> None:
    returned = returned_by_key(rows_of(*ROWS, ("D", "S2", 1, False, False)))
    assert returned.schema == RETURNED_COLUMNS
    (seller,) = returned.filter(seller_id="S1").to_dicts()
    assert seller == dict.fromkeys(RETURNED_COLUMNS) | {
        "seller_id": "S1", "lines": 3, "value_fen": 300, "days": 15.0, "near_limit": 0.5, "differs": 0.5,
    }  # fmt: skip
    keys = returned.select("seller_id", "buyer_id", "address_id", "hs6", "lines").rows()
    assert sorted(keys, key=str) == sorted(
        [
            ("S1", None, None, None, 3), ("S2", None, None, None, 1), (None, "ann", None, None, 4),
            (None, None, None, "330499", 4),
        ],
        key=str,
    )  # fmt: skip


def test_a_line_counts_once() -> None:
    again = rows_of(("A", "S1", 2, False, False)).with_columns(applied_on=DAY - timedelta(days=1), days=1)
    (seller,) = (
        returned_by_key(pl.concat([rows_of(*ROWS), again.cast(APPLIED_COLUMNS)]))
        .filter(seller_id="S1")
        .to_dicts()
    )
    assert (seller["lines"], seller["days"]) == (3, 15.0)


def test_the_order_of_applications_is_of_no_consequence() -> None:
    rows = rows_of(*((f"D{n}", f"S{n % 7}", n % 31, n % 5 == 0, n % 3 == 0) for n in range(200)))
    assert returned_by_key(rows).equals(returned_by_key(rows[::-1]))
