"""Limits of an order, of a year and of personal articles, on the days on which they change."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from configs.loader import reference_path
from configs.reference.facts import load_reference
from tests.features.checked_days import DAY, LINE, Row, day_of, findings

CHECKS = ("order_limit", "yearly_allowance", "articles_limit")
TOY = LINE | {"hs_code": "9503008900", "total_price": 5_000.0, "quantity": 2.0}


def found(*lines: Row, day: date = DAY, **further: Any) -> list[tuple[str, str]]:
    """Check and outcome of what is found."""
    rows = findings(day_of(lines, [], [], [], day=day, **further), *CHECKS)
    return [(row["check"], row["outcome"]) for row in rows]


def test_an_order_at_its_limit_and_above() -> None:
    assert found(TOY) == []
    assert found(TOY | {"total_price": 5_000.01}) == [("order_limit", "failed")]
    assert found(TOY | {"total_price": 4_990.0, "freight": 10.0}) == []
    assert found(TOY | {"total_price": 4_990.0, "freight": 10.0, "insurance": 0.01}) == [
        ("order_limit", "failed")
    ]
    halves = [TOY | {"total_price": 2_600.0, "line_no": line} for line in (1, 2)]
    assert found(*halves) == [("order_limit", "failed")]


def test_what_a_finding_says() -> None:
    (row,) = findings(day_of([TOY | {"total_price": 5_400.0, "quantity": 1.0}], [], [], []), *CHECKS)
    assert (row["check"], row["line_no"], row["outcome"]) == ("order_limit", None, "note")
    assert row["found"] == "CNY 5400.00 with freight and insurance"
    assert row["expected"] == (
        "at most CNY 5000.00 an order; one article above it, within the year's allowance, pays duty and tax "
        "in full"
    )
    assert (row["basis"], row["valid_from"]) == ("MOF, GACC and STA notice 2018-49", date(2019, 1, 1))


@pytest.mark.parametrize(
    ("day", "price", "one", "several"),
    [
        # Before 2016-04-08 as personal articles: 1,000, one article alone may be above.
        (date(2016, 4, 7), 1_000.0, [], []),
        (date(2016, 4, 7), 1_001.0, [], ["failed"]),
        (date(2016, 4, 8), 1_001.0, [], []),
        (date(2016, 4, 8), 2_000.0, [], []),
        (date(2016, 4, 8), 2_001.0, ["failed"], ["failed"]),
        (date(2016, 4, 9), 2_001.0, ["failed"], ["failed"]),
        (date(2018, 12, 31), 2_001.0, ["failed"], ["failed"]),
        (date(2018, 12, 31), 5_001.0, ["failed"], ["failed"]),
        (date(2019, 1, 1), 2_001.0, [], []),
        (date(2019, 1, 1), 5_001.0, ["note"], ["failed"]),
        (date(2019, 1, 2), 5_001.0, ["note"], ["failed"]),
    ],
)
def test_the_limit_of_an_order_by_day(day: date, price: float, one: list[str], several: list[str]) -> None:
    for quantity, outcomes in ((1.0, one), (2.0, several)):
        rows = found(TOY | {"total_price": price, "quantity": quantity}, day=day)
        assert rows == [("order_limit", outcome) for outcome in outcomes]


@pytest.mark.parametrize(
    ("day", "limit"),
    [
        (date(2016, 4, 8), 20_000),
        (date(2018, 12, 31), 20_000),
        (date(2019, 1, 1), 26_000),
        (date(2019, 1, 2), 26_000),
    ],
)
def test_the_allowance_of_a_year_by_day(day: date, limit: int) -> None:
    line = TOY | {"total_price": 900.0}
    assert found(line, day=day, spent={"INV1": float(limit)}) == []
    assert found(line, day=day, spent={"INV1": limit + 0.01}) == [("yearly_allowance", "failed")]
    (row,) = findings(day_of([line], [], [], [], day=day, spent={"INV1": limit + 1_000.0}), *CHECKS)
    assert row["found"] == f"CNY {limit + 1_000}.00 in {day.year} with this parcel"
    assert row["expected"] == f"at most CNY {limit}.00 a person and calendar year"


def test_before_there_was_an_allowance() -> None:
    assert found(TOY | {"total_price": 900.0}, day=date(2016, 4, 7), spent={"INV1": 99_999.0}) == []


def test_one_dear_article_beyond_the_allowance_fails_both() -> None:
    dear = TOY | {"total_price": 6_000.0, "quantity": 1.0}
    assert found(dear, spent={"INV1": 26_000.0}) == [("order_limit", "note")]
    assert found(dear, spent={"INV1": 26_001.0}) == [
        ("order_limit", "failed"),
        ("yearly_allowance", "failed"),
    ]
    # Nothing is known of the buyer: the parcel counts for itself.
    assert found(dear | {"total_price": 26_001.0, "buyer_id": None}) == [
        ("order_limit", "failed"),
        ("yearly_allowance", "failed"),
    ]


@pytest.mark.parametrize(
    ("mode", "dispatch", "price", "quantity", "is_above"),
    [
        ("mail", "US", 1_000.0, 2.0, False),
        ("mail", "US", 1_001.0, 2.0, True),
        ("mail", "US", 1_001.0, 1.0, False),
        ("express", "US", 1_001.0, 2.0, True),
        ("mail", "HK", 800.0, 2.0, False),
        ("mail", "HK", 801.0, 2.0, True),
        ("mail", "MO", 801.0, 2.0, True),
        ("mail", "TW", 801.0, 2.0, True),
        ("mail", "TW", 801.0, 1.0, False),
        ("mail", None, 801.0, 2.0, False),
        ("9610", "HK", 801.0, 2.0, False),
    ],
)
def test_personal_articles(
    mode: str, dispatch: str | None, price: float, quantity: float, is_above: bool
) -> None:
    changed = {"trade_mode": mode, "dispatch_country": dispatch, "total_price": price, "quantity": quantity}
    assert found(TOY | changed) == ([("articles_limit", "failed")] if is_above else [])


def test_personal_articles_have_a_limit_since_2010() -> None:
    parcel = TOY | {"trade_mode": "mail"}
    days = [date(2010, 9, 1) + timedelta(days=away) for away in (-1, 0, 1)]
    # There was no rate of currencies, but CNY is CNY.
    assert [bool(found(parcel, day=day)) for day in days] == [False, True, True]


@pytest.mark.parametrize(
    "changed",
    [
        {"direction": "export"},
        {"direction": None},
        {"trade_mode": "9710", "direction": "export"},
        {"trade_mode": None},
        # A currency without a rate: the value is not known.
        {"currency": "XXX"},
    ],
)
def test_what_has_no_limit(changed: dict[str, Any]) -> None:
    assert found(TOY | {"total_price": 99_999.0} | changed) == []


def test_a_limit_that_has_ended_finds_nothing_that_is_known(tmp_path: Path) -> None:
    text = reference_path("limits.csv").read_text(encoding="utf-8")
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "limits.csv").write_text(
        text.replace("5000,2019-01-01,,", "5000,2019-01-01,2026-11-19,"), encoding="utf-8"
    )
    reference = load_reference(tmp_path)
    dear = TOY | {"total_price": 5_001.0}
    before = found(dear, day=date(2026, 11, 19), reference=reference)
    assert before == [("order_limit", "failed")]
    assert found(dear, day=date(2026, 11, 20), reference=reference) == []
