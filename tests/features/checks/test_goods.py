"""Order lines and inventory lines of one number."""

from __future__ import annotations

from typing import Any

import pytest

from tests.features.checked_days import LINE, ORDER, day_of, findings, found


def goods(line: dict[str, Any] | None = None, order: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return findings(day_of([LINE | (line or {})], [ORDER | (order or {})]), "goods")


@pytest.mark.parametrize(
    ("changed", "said", "wanted"),
    [
        ({"item_no": "SKU2"}, "item number SKU2", "item number SKU1"),
        ({"quantity": 3.0}, "quantity 3", "quantity 2"),
        ({"unit_price": 90.5}, "price CNY 90.50", "price CNY 100.00"),
        ({"item_no": "B", "quantity": 2.5}, "item number B; quantity 2.5", "item number SKU1; quantity 2"),
    ],
)
def test_what_differs_is_told(changed: dict[str, Any], said: str, wanted: str) -> None:
    (row,) = goods(changed)
    assert (row["declaration_id"], row["line_no"], row["outcome"]) == ("INV1", 1, "failed")
    assert (row["found"], row["expected"]) == (said, wanted)


@pytest.mark.parametrize("written", [" sku1", "SKU1 ", "sKu1\t"])
def test_item_numbers_are_compared_trimmed_and_in_upper_case(written: str) -> None:
    assert goods({"item_no": written}) == []
    assert goods(order={"item_no": written}) == []


@pytest.mark.parametrize("absent", ["item_no", "quantity", "unit_price"])
def test_what_one_of_them_does_not_say_is_not_compared(absent: str) -> None:
    assert goods({absent: None}) == []
    assert goods(order={absent: None}) == []


def test_an_item_number_of_blanks_is_none() -> None:
    assert goods({"item_no": "  "}) == []


@pytest.mark.parametrize(("price", "rows"), [(33.33, 0), (33.34, 1), (33.33333, 0)])
def test_prices_are_compared_to_the_fen(price: float, rows: int) -> None:
    assert len(goods({"unit_price": price}, {"unit_price": 33.33333})) == rows


def test_prices_of_two_currencies_are_not_compared() -> None:
    assert goods({"unit_price": 14.0, "currency": "USD"}) == []


def test_decimals_of_a_quantity_are_no_difference() -> None:
    assert goods({"quantity": 0.1 + 0.2}, {"quantity": 0.3}) == []
    assert len(goods({"quantity": 0.3001}, {"quantity": 0.3})) == 1


def test_lines_are_paired_by_number_and_order() -> None:
    lines = [LINE, LINE | {"line_no": 2, "item_no": "B", "quantity": 5.0}]
    swapped = [ORDER | {"item_no": "B", "quantity": 5.0}, ORDER | {"line_no": 2}]
    assert [row["line_no"] for row in findings(day_of(lines, swapped), "goods")] == [1, 2]
    assert findings(day_of(lines, [ORDER]), "goods") == []
    assert findings(day_of(lines, [row | {"platform_id": "EBP2"} for row in swapped]), "goods") == []


def test_exports_are_compared_too() -> None:
    lines = [LINE | {"direction": "export", "quantity": 1.0}]
    assert found(day_of(lines)) == [("INV1", 1, "goods", "failed")]
