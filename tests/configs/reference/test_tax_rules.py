"""The tax on a line as a share of its declared value."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.reference.facts import Reference, load_reference
from tests.places import ROOT

TOY, COSMETIC, WINE, BOOK, WATCH = "9503008900", "3304990029", "2204210000", "4901990000", "9102110000"


@pytest.fixture(scope="module")
def reference() -> Reference:
    return load_reference()


def _line(**changes: Any) -> dict[str, Any]:
    return {
        "hs_code": TOY,
        "direction": "import",
        "trade_mode": "9610",
        "currency": "CNY",
        "total_price": 100.0,
        "quantity": 1.0,
        "unit": "007",
        "legal_quantity": None,
        "legal_unit": None,
    } | changes


def _rate(reference: Reference, day: date = date(2026, 11, 20), **changes: Any) -> float | None:
    frame = pl.DataFrame([_line(**changes)], infer_schema_length=None)
    rates = reference.on(day).tax_rate(frame)
    assert rates.name == "tax_rate"
    assert rates.dtype == pl.Float64
    rate: float | None = rates.to_list()[0]
    return rate


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        # 0.7 x 13%
        ({}, 0.091),
        ({"trade_mode": "1210"}, 0.091),
        ({"trade_mode": "1239"}, 0.091),
        # 0.7 x 9%
        ({"hs_code": BOOK}, 0.063),
        # 0.7 x (13% + 10%) / (1 - 10%)
        ({"hs_code": WINE}, 0.7 * 0.23 / 0.9),
        # Cosmetics at CNY 50 for 50 g are ordinary, at 600 high-end: 0.7 x (13% + 15%) / (1 - 15%) = 23.06%.
        ({"hs_code": COSMETIC, "total_price": 50.0, "quantity": 50.0, "unit": "036"}, 0.091),
        ({"hs_code": COSMETIC, "total_price": 600.0, "quantity": 50.0, "unit": "036"}, 0.7 * 0.28 / 0.85),
        # The same from the statutory quantity, where the declared unit is a bottle.
        (
            {
                "hs_code": COSMETIC,
                "total_price": 600.0,
                "unit": "142",
                "legal_quantity": 0.05,
                "legal_unit": "035",
            },
            0.7 * 0.28 / 0.85,
        ),
        # 15 a sheet, and not a bottle.
        ({"hs_code": COSMETIC, "total_price": 150.0, "quantity": 10.0, "unit": "020"}, 0.7 * 0.28 / 0.85),
        # What is in a bottle is not said.
        ({"hs_code": COSMETIC, "total_price": 150.0, "quantity": 10.0, "unit": "142"}, None),
        # Thresholds are in CNY, prices in any currency.
        (
            {"hs_code": COSMETIC, "total_price": 84.0, "quantity": 50.0, "unit": "036", "currency": "USD"},
            0.7 * 0.28 / 0.85,
        ),
        (
            {"hs_code": COSMETIC, "total_price": 1e6, "quantity": 50.0, "unit": "036", "currency": "XXX"},
            None,
        ),
        # Above the limit of an order: duty as in general trade, which the packaged tables do not know.
        ({"total_price": 5_000.0}, 0.091),
        ({"total_price": 5_001.0}, None),
        ({"hs_code": WATCH, "trade_mode": "mail", "total_price": 9_999.0}, 0.20),
        ({"hs_code": WATCH, "trade_mode": "mail", "total_price": 10_000.0}, 0.50),
        ({"trade_mode": "mail"}, 0.13),
        ({"trade_mode": "express", "hs_code": "6109100000"}, 0.20),
        ({"trade_mode": "mail", "hs_code": WINE}, 0.50),
        ({"trade_mode": "mail", "hs_code": COSMETIC}, None),
        ({"trade_mode": "mail", "hs_code": COSMETIC, "item_name": "cream 50ml"}, 0.20),
        (
            {
                "trade_mode": "mail",
                "hs_code": COSMETIC,
                "total_price": 600.0,
                "quantity": 50.0,
                "unit": "036",
            },
            0.50,
        ),
        ({"trade_mode": "other"}, None),
        ({"trade_mode": None}, None),
        ({"trade_mode": "9610", "hs_code": "8506500000"}, None),
        ({"direction": "export"}, 0.0),
        ({"direction": "export", "trade_mode": "mail"}, 0.0),
        ({"direction": None, "trade_mode": "9810"}, 0.0),
        ({"direction": None}, 0.091),
    ],
)
def test_rates_today(reference: Reference, changes: dict[str, Any], rate: float | None) -> None:
    assert _rate(reference, **changes) == (rate if rate is None else pytest.approx(rate, abs=1e-12))


@pytest.mark.parametrize(
    ("day", "trade_mode", "rate"),
    [
        (date(2016, 1, 1), "9610", 0.10),
        (date(2016, 4, 8), "9610", 0.7 * 0.17),
        (date(2018, 5, 1), "9610", 0.7 * 0.16),
        (date(2019, 4, 1), "9610", 0.7 * 0.13),
        (date(2018, 10, 31), "mail", 0.15),
        (date(2019, 4, 9), "mail", 0.13),
    ],
)
def test_rates_follow_their_dates(reference: Reference, day: date, trade_mode: str, rate: float) -> None:
    assert _rate(reference, day, trade_mode=trade_mode) == pytest.approx(rate, abs=1e-12)


def test_only_the_code_is_needed(reference: Reference) -> None:
    lines = pl.DataFrame({"hs_code": [TOY, None]})
    assert reference.on(date(2026, 11, 20)).tax_rate(lines).to_list() == [None, None]
    lines = lines.with_columns(trade_mode=pl.lit("mail"))
    assert reference.on(date(2026, 11, 20)).tax_rate(lines).to_list() == [0.13, None]


def test_no_lines(reference: Reference) -> None:
    rates = reference.on(date(2026, 11, 20)).tax_rate(pl.DataFrame([_line()]).clear())
    assert rates.to_list() == []


@settings(max_examples=20)
@given(order=st.permutations(list(range(6))))
def test_a_line_is_taxed_alike_in_any_order(reference: Reference, order: list[int]) -> None:
    day = reference.on(date(2026, 11, 20))
    codes = [TOY, COSMETIC, WINE, BOOK, WATCH, "0101210000"]
    lines = pl.DataFrame(
        [_line(hs_code=code, total_price=20_000.0) for code in codes], infer_schema_length=None
    )
    rates = day.tax_rate(lines).to_list()
    assert day.tax_rate(lines[order]).to_list() == [rates[place] for place in order]


def test_duty_counts_once_it_is_laid_over(tmp_path: Path) -> None:
    packaged = ROOT / "configs" / "reference"
    (tmp_path / "reference").mkdir()
    for name, row in (
        ("taxes", "duty,toys,0.1,2020-01-01,,,\n"),
        ("tax_bands", "duty,95,toys,,,,2020-01-01,,\n"),
    ):
        text = (packaged / f"{name}.csv").read_text(encoding="utf-8") + row
        (tmp_path / "reference" / f"{name}.csv").write_text(text, encoding="utf-8")
    reference = load_reference(tmp_path)
    assert _rate(reference, trade_mode="other") == pytest.approx(0.1 + 0.13 * 1.1)
    assert _rate(reference, trade_mode="9610") == pytest.approx(0.091)
