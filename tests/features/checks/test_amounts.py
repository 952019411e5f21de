"""Amounts of order, payments and inventory: what fails, what cents and missing elements do not."""

from __future__ import annotations

from typing import Any

import pytest

from configs.schema.checks import ChecksConfig
from tests.features.checked_days import CLOSE, LINE, ORDER, PAYMENT, Row, day_of, findings, found

FAILED = [("INV1", None, "amount", "failed")]
EXPORT: Row = LINE | {"direction": "export", "currency": "USD"}
# What an export's order does not say: tax, discount, paid.
EXPORT_ORDER: Row = ORDER | {
    "currency": "USD",
    "paid_currency": "USD",
    "discount": None,
    "tax_total": None,
    "paid_total": None,
}
EXPORT_PAYMENT: Row = PAYMENT | {"currency": "USD", "amount": 999.0}


def amount(**tables: Any) -> list[dict[str, Any]]:
    return findings(day_of(**tables), "amount")


def test_what_was_owed_is_not_what_was_paid() -> None:
    (row,) = amount(orders=[ORDER | {"paid_total": 190.5}], payments=[PAYMENT | {"amount": 190.5}])
    assert row["found"] == "order paid CNY 190.50"
    assert row["expected"] == "goods 200.00 + freight 10.00 + tax 18.20 - discount 5.00 = CNY 223.20"
    assert (row["line_no"], row["basis"], row["valid_from"]) == (None, "order O1 of EBP1", None)


def test_the_payment_is_not_what_the_order_says() -> None:
    (row,) = amount(payments=[PAYMENT | {"amount": 100.0}])
    assert (row["found"], row["expected"]) == ("payment CNY 100.00", "order paid CNY 223.20")


def test_lines_do_not_add_up_and_a_missing_line_is_one_of_them() -> None:
    (row,) = amount(lines=[LINE | {"total_price": 150.0}])
    assert (row["found"], row["expected"]) == ("inventory lines CNY 150.00", "order lines CNY 200.00")
    assert found(day_of(orders=[ORDER, ORDER | {"line_no": 2, "total_price": 30.0}])) == FAILED


def test_everything_that_differs_is_one_row_a_parcel() -> None:
    lines = [LINE, LINE | {"line_no": 2, "total_price": 90.0}]
    (row,) = amount(
        lines=lines, orders=[ORDER | {"paid_total": 1000.0}], payments=[PAYMENT | {"amount": 2000.0}]
    )
    assert row["found"] == "order paid CNY 1000.00; payment CNY 2000.00; inventory lines CNY 290.00"


@pytest.mark.parametrize(("paid", "rows"), [(223.2, 0), (222.2, 0), (224.2, 0), (222.19, 1), (224.21, 1)])
def test_the_tolerance_is_allowed_and_no_more(paid: float, rows: int) -> None:
    assert len(amount(payments=[PAYMENT | {"amount": paid}])) == rows


def test_the_tolerance_is_configured() -> None:
    payments = [PAYMENT | {"amount": 200.0}]
    assert amount(payments=payments, config=ChecksConfig(amount_tolerance_cny=50.0)) == []


def test_several_payments_of_an_order_add_up() -> None:
    parts = [
        PAYMENT | {"amount": 123.2},
        PAYMENT | {"transaction_id": "T2", "amount": 99.5},
        PAYMENT | {"transaction_id": "T3", "amount": 0.5, "sent_at": CLOSE},
    ]
    assert found(day_of(payments=parts)) == []
    assert found(day_of(payments=parts[:1])) == FAILED


@pytest.mark.parametrize("absent", ["goods_value", "freight", "tax_total", "discount", "paid_total"])
def test_an_absent_element_is_no_zero(absent: str) -> None:
    assert amount(orders=[ORDER | {absent: None}]) == []


def test_an_absent_amount_of_a_line_or_payment_is_no_zero() -> None:
    assert amount(orders=[ORDER, ORDER | {"line_no": 2, "total_price": None}]) == []
    assert amount(payments=[PAYMENT, PAYMENT | {"transaction_id": "T2", "amount": None}]) == []


def test_currencies_are_not_compared_with_each_other() -> None:
    assert amount(payments=[PAYMENT | {"amount": 30.0, "currency": "USD"}]) == []
    assert amount(lines=[LINE | {"total_price": 30.0, "currency": "USD"}]) == []
    mixed = [PAYMENT | {"amount": 3.0}, PAYMENT | {"transaction_id": "T2", "amount": 3.0, "currency": "USD"}]
    assert amount(payments=mixed) == []


def test_exports_are_compared_by_their_lines() -> None:
    assert found(day_of([EXPORT], [EXPORT_ORDER], [EXPORT_PAYMENT])) == []
    (row,) = amount(lines=[EXPORT | {"total_price": 100.0}], orders=[EXPORT_ORDER], payments=[EXPORT_PAYMENT])
    assert (row["found"], row["expected"]) == ("inventory lines USD 100.00", "order lines USD 200.00")


def test_the_tolerance_of_another_currency_is_at_its_rate() -> None:
    orders = [EXPORT_ORDER]
    assert amount(lines=[EXPORT | {"total_price": 200.1}], orders=orders, payments=[]) == []
    assert len(amount(lines=[EXPORT | {"total_price": 200.9}], orders=orders, payments=[])) == 1
    unknown = {"currency": "XXX"}
    assert (
        amount(
            lines=[EXPORT | unknown | {"total_price": 200.9}], orders=[EXPORT_ORDER | unknown], payments=[]
        )
        == []
    )


def test_an_order_in_several_inventories_is_compared_with_all_of_them() -> None:
    orders = [ORDER, ORDER | {"line_no": 2, "total_price": 50.0}]
    other = LINE | {"declaration_id": "INV2", "line_no": 2, "waybill_id": "W2", "total_price": 50.0}
    assert amount(lines=[LINE, other], orders=orders) == []
    assert len(amount(lines=[LINE, other | {"total_price": 20.0}], orders=orders)) == 2


def test_the_same_order_declared_twice_is_compared_with_each() -> None:
    again = LINE | {"declaration_id": "INV2", "waybill_id": "W2"}
    assert amount(lines=[LINE, again]) == []
