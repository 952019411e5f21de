"""Transactions and waybills that stand twice."""

from __future__ import annotations

from datetime import timedelta

from tests.features.checked_days import CLOSE, LINE, ORDER, PAYMENT, WAYBILL, Row, day_of, findings, found

EARLIER = {"declaration_id": "OLD1", "declared_at": CLOSE - timedelta(days=3), "order_id": "O0"}
SECOND: Row = LINE | {"declaration_id": "INV2", "order_id": "O2", "waybill_id": "W2"}
SECOND_ORDER: Row = ORDER | {"order_id": "O2", "transaction_id": "T2"}
SECOND_PAYMENT: Row = PAYMENT | {"order_id": "O2", "transaction_id": "T2"}
SECOND_WAYBILL: Row = WAYBILL | {"waybill_id": "W2"}
USE: Row = {"payment_company_id": "PAY1", "transaction_id": "T1", "platform_id": "EBP1", "order_id": "O0"}


def test_a_waybill_of_an_earlier_inventory() -> None:
    (row,) = findings(day_of(earlier=[LINE | EARLIER]))
    assert (row["declaration_id"], row["check"], row["outcome"]) == ("INV1", "waybill_reused", "failed")
    assert row["found"] == "in 2 inventories, as OLD1 of 2026-11-18"
    assert (row["line_no"], row["basis"]) == (None, "waybill W1 of C1")


def test_each_of_one_day_has_the_finding() -> None:
    day = day_of([LINE, SECOND | {"waybill_id": "W1"}], [ORDER, SECOND_ORDER], [PAYMENT, SECOND_PAYMENT])
    assert found(day) == [
        ("INV1", None, "waybill_reused", "failed"),
        ("INV2", None, "waybill_reused", "failed"),
    ]


def test_one_number_of_two_carriers_is_two_waybills() -> None:
    assert found(day_of(earlier=[LINE | EARLIER | {"carrier_id": "C2"}])) == []
    assert findings(day_of([LINE | {"carrier_id": None}], earlier=[LINE | EARLIER]), "waybill_reused") == []


def test_lines_of_one_inventory_are_no_reuse() -> None:
    lines = [LINE, LINE | {"line_no": 2, "item_no": None, "quantity": None, "unit_price": None}]
    assert findings(day_of(lines), "waybill_reused", "payment_reused") == []


def test_a_waybill_of_exports() -> None:
    export = {"direction": "export"}
    assert found(day_of([LINE | export], earlier=[LINE | EARLIER | export])) == [
        ("INV1", None, "waybill_reused", "failed")
    ]


def test_a_transaction_of_an_earlier_order() -> None:
    earlier = [LINE | EARLIER | {"waybill_id": "W0"}]
    (row,) = findings(day_of(earlier=earlier, other_uses=[USE]))
    assert (row["declaration_id"], row["check"], row["outcome"]) == ("INV1", "payment_reused", "failed")
    assert row["found"] == "in 2 orders, as O0 of inventory OLD1 of 2026-11-18"
    assert (row["expected"], row["basis"]) == ("a transaction for 1 order", "transaction T1 of PAY1")


def test_a_transaction_of_two_orders_of_one_day() -> None:
    day = day_of(
        [LINE, SECOND],
        [ORDER, SECOND_ORDER | {"transaction_id": "T1"}],
        [PAYMENT, SECOND_PAYMENT | {"transaction_id": "T1"}],
        [WAYBILL, SECOND_WAYBILL],
    )
    assert found(day) == [
        ("INV1", None, "payment_reused", "failed"),
        ("INV2", None, "payment_reused", "failed"),
    ]


def test_a_transaction_that_only_orders_name() -> None:
    orders = [ORDER, SECOND_ORDER | {"transaction_id": "T1"}]
    day = day_of([LINE, SECOND], orders, [PAYMENT | {"transaction_id": "T9"}], [WAYBILL, SECOND_WAYBILL])
    assert {row["declaration_id"] for row in findings(day, "payment_reused")} == {"INV1", "INV2"}


def test_one_number_at_two_companies_is_two_transactions() -> None:
    earlier = [LINE | EARLIER | {"waybill_id": "W0"}]
    assert found(day_of(earlier=earlier, other_uses=[USE | {"payment_company_id": "PAY2"}])) == []


def test_one_number_at_two_platforms_is_two_orders() -> None:
    earlier = [LINE | EARLIER | {"waybill_id": "W0", "platform_id": "EBP2", "order_id": "O1"}]
    uses = [USE | {"platform_id": "EBP2", "order_id": "O1"}]
    assert [row["check"] for row in findings(day_of(earlier=earlier, other_uses=uses))] == ["payment_reused"]


def test_parts_of_one_order_are_no_reuse() -> None:
    earlier = [LINE | EARLIER | {"order_id": "O1", "waybill_id": "W0"}]
    parts = [PAYMENT | {"amount": 100.0}, PAYMENT | {"transaction_id": "T2", "amount": 123.2}]
    assert found(day_of(payments=parts, earlier=earlier)) == []


def test_an_order_that_nobody_has_declared_yet_makes_no_later_one() -> None:
    assert found(day_of(other_uses=[USE])) == []


def test_a_transaction_of_exports_may_pay_for_many() -> None:
    earlier = [LINE | EARLIER | {"waybill_id": "W0"}]
    assert found(day_of([LINE | {"direction": "export"}], earlier=earlier, other_uses=[USE])) == []
