"""Documents that are not there, of which declarations."""

from __future__ import annotations

import pytest

from tests.features.checked_days import LINE, ORDER, PAYMENT, day_of, findings, found

MISSING = ("order_missing", "payment_missing", "waybill_missing")


def test_each_document_is_missed_for_itself() -> None:
    assert found(day_of()) == []
    assert found(day_of(orders=[])) == [("INV1", None, "order_missing", "open")]
    assert found(day_of(payments=[])) == [("INV1", None, "payment_missing", "open")]
    assert found(day_of(waybills=[])) == [("INV1", None, "waybill_missing", "open")]


def test_the_finding_says_which_number_is_looked_for() -> None:
    rows = findings(day_of(orders=[], payments=[], waybills=[]))
    assert [row["found"] for row in rows] == [
        "no order O1 of EBP1",
        "no payment for order O1 of EBP1",
        "no waybill W1 of C1",
    ]
    assert {row["expected"] for row in rows} == {
        "an order by the close of 2026-11-20",
        "a payment by the close of 2026-11-20",
        "a waybill by the close of 2026-11-20",
    }


@pytest.mark.parametrize("mode", ["9610", "1210", "1239"])
def test_retail_imports_alone_need_them(mode: str) -> None:
    lines = [LINE | {"trade_mode": mode}]
    assert len(findings(day_of(lines, [], [], []), *MISSING)) == 3
    for other in (
        {"direction": "export"},
        {"direction": None},
        {"trade_mode": "mail"},
        {"trade_mode": "9710", "direction": "export"},
        {"trade_mode": None},
    ):
        assert found(day_of([lines[0] | other], [], [], [])) == []


def test_documents_of_another_platform_or_carrier_are_none() -> None:
    other = {"platform_id": "EBP2"}
    day = day_of(
        orders=[ORDER | other],
        payments=[PAYMENT | other],
        waybills=[{"waybill_id": "W1", "carrier_id": "C2"}],
    )
    assert [row["check"] for row in findings(day)] == list(MISSING)


@pytest.mark.parametrize(
    ("lacks", "order", "waybill"),
    [
        (("order_id", "waybill_id"), "no order", "no waybill"),
        (("platform_id", "carrier_id"), "no platform", "no carrier"),
        (
            ("platform_id", "order_id", "carrier_id", "waybill_id"),
            "no platform and no order",
            "no carrier and no waybill",
        ),
    ],
)
def test_an_inventory_without_a_part_of_a_number_says_which(
    lacks: tuple[str, ...], order: str, waybill: str
) -> None:
    rows = findings(day_of([LINE | dict.fromkeys(lacks)]))
    assert [row["check"] for row in rows] == list(MISSING)
    assert [row["found"] for row in rows] == [
        f"the inventory names {each}" for each in (order, order, waybill)
    ]


def test_a_parcel_of_several_lines_is_one_finding() -> None:
    lines = [LINE, LINE | {"line_no": 2}, LINE | {"line_no": 3, "order_id": None}]
    orders = [ORDER | {"line_no": number, "total_price": 200.0} for number in (1, 2, 3)]
    assert found(day_of(lines, orders, payments=[])) == [("INV1", None, "payment_missing", "open")]
