"""What a line is worth: freight, currencies, halves of a fen, and what is not known."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from configs.reference.facts import load_reference
from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.statistics.day_cells import add_up, sum_lines
from pipelines.statistics.line_values import READ_COLUMNS, line_values

DAY = load_reference().on(date(2026, 11, 20))
LINE: dict[str, Any] = {
    "declaration_id": "I1", "line_no": 1, "declared_at": datetime(2026, 11, 20, tzinfo=UTC),
    "direction": "import", "trade_mode": "9610", "customs_office": "2991", "origin_country": "KR",
    "destination_country": "US", "hs_code": "3304990039", "seller_id": "S1", "total_price": 100.0,
    "currency": "CNY", "net_weight_kg": 1.0, "freight": 12.0, "insurance": 0.5, "quantity": 1.0,
}  # fmt: skip


def frame(*lines: dict[str, Any]) -> pl.DataFrame:
    rows = [{**LINE, "line_no": number, **line} for number, line in enumerate(lines, start=1)]
    return pl.DataFrame(
        [{name: row.get(name) for name in READ_COLUMNS} for row in rows],
        {name: DECLARATION_COLUMNS[name] for name in READ_COLUMNS},
    )


def values(*lines: dict[str, Any]) -> list[int | None]:
    return line_values(frame(*lines), DAY)["value_fen"].to_list()


def test_imports_bear_freight_and_insurance_by_value_and_exports_do_not() -> None:
    assert values({}) == [11250]
    assert values({"total_price": 300.0}, {"total_price": 100.0}) == [30938, 10313]
    assert values({"direction": "export"}) == [10000]
    assert values({"direction": None}) == [10000]
    assert values({"freight": None, "insurance": None}) == [10000]
    # Parcels on mail and express are imports like others; one without a value bears freight in equal parts.
    assert values({"trade_mode": "mail"}) == [11250]
    assert values({"total_price": 0.0}, {"total_price": 0.0}) == [625, 625]
    both = frame({}, {"declaration_id": "I2", "total_price": 900.0})
    assert line_values(both, DAY)["value_fen"].to_list() == [11250, 91250]


@pytest.mark.parametrize(
    ("price", "fen"),
    [
        (1.005, 101),
        (0.125, 13),
        (19.995, 2000),
        (2.675, 268),
        (0.004999, 0),
        (0.0, 0),
        (1e9 + 0.005, 10**11 + 1),
    ],
)
def test_halves_of_a_fen_count_as_one_as_seen_in_decimals(price: float, fen: int) -> None:
    assert values({"total_price": price, "freight": None, "insurance": None}) == [fen]


def test_foreign_currencies_are_converted_at_the_rate_of_the_day() -> None:
    line = {"total_price": 12.35, "currency": "USD", "freight": None, "insurance": None}
    rate = dict(DAY["exchange_rates"].select("currency", "cny_per_unit").iter_rows())["USD"]
    (row,) = line_values(frame(line), DAY).to_dicts()
    assert row["value_fen"] == round(12.35 * rate * 100)
    assert row["value_cents"] == 1235
    earlier = load_reference().on(date(2019, 1, 1))
    assert line_values(frame(line), earlier)["value_fen"][0] != row["value_fen"]


def test_what_is_not_known_is_null_and_says_why() -> None:
    rows = line_values(
        frame(
            {"total_price": None}, {"currency": None}, {"currency": "XAU"}, {"total_price": 1e300},
            {"net_weight_kg": None, "hs_code": None, "origin_country": None},
        ),
        DAY,
    )  # fmt: skip
    assert rows["unvalued"].to_list() == ["no_price", "no_currency", "no_rate", "too_large", None]
    assert rows["value_fen"].is_null().to_list() == [True, True, True, True, False]
    assert rows["value_cents"].is_null().to_list() == [True, True, True, True, False]
    assert rows.select("partner", "hs2", "hs4", "weight_mg").row(4) == (None, None, None, None)


def test_a_cell_is_null_only_where_no_line_of_it_has_a_value() -> None:
    known, unknown = {"declaration_id": "I1"}, {"declaration_id": "I2", "currency": "XAU"}
    mixed = sum_lines(frame(known, unknown), DAY).cells
    assert mixed.select("declarations", "lines", "valued", "value_fen").row(0) == (2, 2, 1, 11250)
    alone = sum_lines(frame(unknown), DAY)
    assert alone.cells.select("lines", "valued").row(0) == (1, 0)
    assert alone.unvalued.to_dicts() == [{"reason": "no_rate", "currency": "XAU", "lines": 1}]


def test_the_weight_of_a_parcel_is_divided_not_repeated() -> None:
    rows = line_values(frame({"total_price": 300.0}, {"total_price": 100.0}), DAY)
    assert rows["weight_mg"].to_list() == [750_000, 250_000]


def test_the_place_of_a_line_is_its_partner_and_heading() -> None:
    cell = line_values(frame({}, {"direction": "export"}), DAY).select("partner", "hs2", "hs4")
    assert cell.rows() == [("KR", "33", "3304"), ("US", "33", "3304")]


def test_parts_add_up_to_the_whole_in_any_order() -> None:
    lines = [frame({"declaration_id": f"I{number}", "total_price": number / 7}) for number in range(30)]
    whole = add_up([sum_lines(pl.concat(lines), DAY)])
    parts = [sum_lines(line, DAY) for line in lines]
    for order in (parts, parts[::-1]):
        added = add_up(order)
        assert added.cells.equals(whole.cells)
        assert added.declarations.equals(whole.declarations)
