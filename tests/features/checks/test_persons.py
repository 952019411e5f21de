"""Buyers, payers and addresses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.features.checked_days import LINE, ORDER, PAYMENT, WAYBILL, day_of, findings, found


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            {"payments": [PAYMENT | {"payer_id": "bob"}]},
            "the payer is not the order's buyer; the payer is not the inventory's buyer",
        ),
        (
            {"orders": [ORDER | {"buyer_id": "bob"}]},
            "the payer is not the order's buyer; the order's buyer is not the inventory's",
        ),
        (
            {"lines": [LINE | {"buyer_id": "bob"}]},
            "the payer is not the inventory's buyer; the order's buyer is not the inventory's",
        ),
        (
            {"orders": [ORDER | {"buyer_id": None}], "payments": [PAYMENT | {"payer_id": "bob"}]},
            "the payer is not the inventory's buyer",
        ),
    ],
)
def test_one_who_is_another_is_told(tables: dict[str, Any], said: str) -> None:
    (row,) = findings(day_of(**tables))
    assert (row["check"], row["outcome"], row["line_no"]) == ("buyer", "failed", None)
    assert row["found"] == said


def test_one_of_several_payers_is_enough() -> None:
    half = {"amount": 111.6}
    payments = [PAYMENT | half, PAYMENT | half | {"transaction_id": "T2", "payer_id": "aaron"}]
    (row,) = findings(day_of(payments=payments))
    assert "several payers" in row["found"]


@pytest.mark.parametrize("who", ["order", "inventory"])
def test_who_is_known_by_name_alone_has_no_number_to_compare(who: str) -> None:
    named = {"buyer_id": "ann by name", "buyer_named_by": "name"}
    lines = [LINE | (named if who == "inventory" else {})]
    orders = [ORDER | (named if who == "order" else {})]
    assert found(day_of(lines, orders)) == []
    (row,) = findings(day_of(lines, orders, [PAYMENT | {"payer_id": "bob"}]))
    other = "the payer is not the order's buyer"
    assert row["found"] == (other if who == "inventory" else "the payer is not the inventory's buyer")


@pytest.mark.parametrize("who", ["order", "payer", "inventory"])
def test_who_is_not_named_is_not_compared(who: str) -> None:
    lines = [LINE | ({"buyer_id": None} if who == "inventory" else {})]
    orders = [ORDER | ({"buyer_id": None} if who == "order" else {})]
    payments = [PAYMENT | ({"payer_id": None} if who == "payer" else {})]
    assert found(day_of(lines, orders, payments)) == []


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            {"waybills": [WAYBILL | {"address_id": "lane 2"}]},
            "the waybill's address is not the order's; the inventory's address is not the waybill's",
        ),
        (
            {"orders": [ORDER | {"address_id": "lane 2"}], "waybills": []},
            "the inventory's address is not the order's",
        ),
        (
            {"orders": [], "waybills": [WAYBILL | {"address_id": "lane 2"}]},
            "the inventory's address is not the waybill's",
        ),
    ],
)
def test_an_address_that_is_another_is_told(tables: dict[str, Any], said: str) -> None:
    (row,) = findings(day_of(**tables), "consignee", "buyer")
    assert (row["check"], row["outcome"], row["found"]) == ("consignee", "failed", said)


def test_an_absent_address_is_not_compared() -> None:
    assert found(day_of(waybills=[WAYBILL | {"address_id": None}])) == []
    assert found(day_of([LINE | {"address_id": None}], waybills=[WAYBILL])) == []


def test_exports_have_no_buyer_to_compare() -> None:
    other = {"buyer_id": "bob", "address_id": "lane 2"}
    for export in ({"direction": "export"}, {"direction": None, "trade_mode": "9810"}):
        assert found(day_of([LINE | export | other])) == []


def test_no_pseudonym_stands_in_a_finding() -> None:
    orders = [ORDER | {"buyer_id": "secret1", "address_id": "secret2"}]
    rows = findings(day_of(orders=orders))
    assert len(rows) == 2
    assert "secret" not in str(rows)
