"""What is due on lines: cases worked by hand, and the days on which they change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from configs.loader import reference_path
from configs.reference.facts import Reference, load_reference

TODAY = date(2026, 11, 20)
TOY, COSMETIC, LIPSTICK = "9503008900", "3304990029", "3304100010"
WHISKY, WATCH, SHIRT, MEDICINE = "2208300000", "9102110000", "6109100000", "3004909099"


@pytest.fixture(scope="module")
def reference() -> Reference:
    return load_reference()


def _line(**changes: Any) -> dict[str, Any]:
    return {
        "declaration_id": "A",
        "line_no": 1,
        "hs_code": TOY,
        "direction": "import",
        "trade_mode": "9610",
        "dispatch_country": "US",
        "currency": "CNY",
        "total_price": 100.0,
        "freight": None,
        "insurance": None,
        "quantity": 1.0,
        "unit": "007",
        "legal_quantity": None,
        "legal_unit": None,
        "net_weight_kg": None,
        "item_name": None,
        "item_model": None,
    } | changes


def assessed(
    reference: Reference, *lines: dict[str, Any], day: date = TODAY, spent: float | None = None
) -> list[dict[str, Any]]:
    frame = pl.DataFrame(list(lines), infer_schema_length=None)
    given = None if spent is None else pl.DataFrame({"declaration_id": ["A"], "spent_cny": [spent]})
    return reference.on(day).assess(frame, given).to_dicts()


def with_duty(tmp_path: Path, rows: str = "") -> Reference:
    """The packaged tables with a duty of 10% on toys."""
    (tmp_path / "reference").mkdir()
    for name, row in (("taxes", "duty,toys,0.1,2010-01-01,,a notice,\n" + rows),
                      ("tax_bands", "duty,95,toys,,,,2010-01-01,,\n")):  # fmt: skip
        text = reference_path(f"{name}.csv").read_text(encoding="utf-8") + row
        (tmp_path / "reference" / f"{name}.csv").write_text(text, encoding="utf-8")
    return load_reference(tmp_path)


def test_a_retail_import(reference: Reference) -> None:
    """Goods of CNY 900 with freight of 90 and insurance of 10: 1,000 x 70% x 13% = 91."""
    (line,) = assessed(reference, _line(total_price=900.0, freight=90.0, insurance=10.0))
    assert (line["regime"], line["duty_rate"], line["consumption_rate"], line["vat_rate"], line["share"]) == (
        "retail", 0.0, 0.0, 0.13, 0.7,
    )  # fmt: skip
    assert line["tax_cny"] == pytest.approx(91.0)
    assert line["exempt"] is False
    assert line["basis"] == "MOF, GACC and STA notice 2016-18; MOF, STA and GACC notice 2019-39"


def test_freight_is_shared_by_value(reference: Reference) -> None:
    """300 and 100 with freight of 40: 330 and 110; currencies at their rate."""
    lines = [_line(total_price=300.0, freight=40.0), _line(total_price=100.0, freight=40.0, line_no=2)]
    values = [line["taxable_cny"] for line in assessed(reference, *lines)]
    assert values == pytest.approx([330.0, 110.0])
    rate = float(reference.on(TODAY).cny_rate(pl.Series(["USD"]))[0])
    (dollars,) = assessed(reference, _line(total_price=100.0, freight=10.0, currency="USD"))
    assert dollars["tax_cny"] == pytest.approx(110.0 * rate * 0.091)


def test_a_parcel_is_assessed_alike_in_any_order(reference: Reference) -> None:
    prices = (33.33, 0.01, 99.99, 1_234.56, 7.77)
    lines = [_line(total_price=price, line_no=n, freight=12.34) for n, price in enumerate(prices, 1)]
    there = [line["tax_cny"] for line in assessed(reference, *lines)]
    back = [line["tax_cny"] for line in assessed(reference, *lines[::-1])]
    assert there == back[::-1]


@pytest.mark.parametrize(
    ("day", "regimes"),
    [
        # One article of 6,000, one of 3,000, and two of 1,500 each.
        (date(2016, 4, 7), ["articles", "articles", "general"]),
        (date(2016, 4, 8), ["general", "general", "general"]),
        (date(2018, 12, 31), ["general", "general", "general"]),
        (date(2019, 1, 1), ["retail_full", "retail", "retail"]),
        (TODAY, ["retail_full", "retail", "retail"]),
    ],
)
def test_the_regime_of_dear_orders(reference: Reference, day: date, regimes: list[str]) -> None:
    lines = [
        _line(total_price=6_000.0),
        _line(declaration_id="B", total_price=3_000.0),
        _line(declaration_id="C", total_price=3_000.0, quantity=2.0),
    ]
    assert [line["regime"] for line in assessed(reference, *lines, day=day)] == regimes


def test_freight_counts_for_the_limit(reference: Reference) -> None:
    within = _line(total_price=4_950.0, freight=50.0, quantity=2.0)
    above = within | {"insurance": 0.01}
    assert [assessed(reference, line)[0]["regime"] for line in (within, above)] == ["retail", "general"]


def test_one_article_above_the_limit_pays_in_full(tmp_path: Path) -> None:
    """6,000 at 10% duty and 13% VAT: 600 + 6,600 x 13% = 1,458; as general trade the same."""
    reference = with_duty(tmp_path)
    (line,) = assessed(reference, _line(total_price=6_000.0))
    assert (line["regime"], line["share"], line["duty_rate"]) == ("retail_full", 1.0, 0.1)
    assert line["tax_cny"] == pytest.approx(1_458.0)
    (several,) = assessed(reference, _line(total_price=6_000.0, quantity=2.0))
    assert (several["regime"], several["tax_cny"]) == ("general", pytest.approx(1_458.0))


def test_a_duty_that_is_not_known_is_null(reference: Reference) -> None:
    (line,) = assessed(reference, _line(total_price=6_000.0))
    assert (line["regime"], line["duty_rate"], line["vat_rate"], line["tax_cny"], line["is_known"]) == (
        "retail_full", None, 0.13, None, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("spent", "price", "regime"),
    [
        (26_000.0, 100.0, "retail"),
        (26_000.01, 100.0, "general"),
        # Above the limit of an order, and the year's is not enough for it.
        (26_000.0, 6_000.0, "retail_full"),
        (26_000.01, 6_000.0, "general"),
        (None, 26_001.0, "general"),
    ],
)
def test_the_allowance_of_the_year(
    reference: Reference, spent: float | None, price: float, regime: str
) -> None:
    assert assessed(reference, _line(total_price=price), spent=spent)[0]["regime"] == regime


def test_before_2016_retail_imports_are_articles(reference: Reference) -> None:
    """CNY 600 of toys on the last day: 10%, 60. On the next: 70% of 17%, 71.40."""
    days = (date(2016, 4, 7), date(2016, 4, 8))
    old, new = (assessed(reference, _line(total_price=600.0), day=day)[0] for day in days)
    assert (old["regime"], old["tax_cny"]) == ("articles", pytest.approx(60.0))
    assert (new["regime"], new["tax_cny"]) == ("retail", pytest.approx(71.4))


@pytest.mark.parametrize(
    ("dispatch", "price", "quantity", "regime"),
    [
        ("US", 1_000.0, 2.0, "articles"),
        ("US", 1_000.01, 2.0, "general"),
        ("US", 3_000.0, 1.0, "articles"),
        ("HK", 800.0, 2.0, "articles"),
        ("HK", 800.01, 2.0, "general"),
        ("MO", 801.0, 2.0, "general"),
        ("TW", 801.0, 2.0, "general"),
        (None, 801.0, 2.0, "articles"),
    ],
)
def test_mail_from_hong_kong_and_elsewhere(
    reference: Reference, dispatch: str | None, price: float, quantity: float, regime: str
) -> None:
    line = _line(trade_mode="mail", dispatch_country=dispatch, total_price=price, quantity=quantity)
    assert assessed(reference, line)[0]["regime"] == regime


def test_fifty_yuan(reference: Reference) -> None:
    """A shirt of 250 by mail: 20% are exactly 50, and free. Of 250.10: 50.02. The parcel's tax counts."""
    free, due = (
        assessed(reference, _line(trade_mode="mail", hs_code=SHIRT, total_price=price))[0]
        for price in (250.0, 250.1)
    )
    assert (free["tax_cny"], free["exempt"]) == (pytest.approx(50.0), True)
    assert (due["tax_cny"], due["exempt"]) == (pytest.approx(50.02), False)
    two = [_line(trade_mode="express", hs_code=SHIRT, total_price=200.0, line_no=n) for n in (1, 2)]
    assert [line["exempt"] for line in assessed(reference, *two)] == [False, False]


def test_of_articles_of_unknown_tax_the_exemption_is_not_known(reference: Reference) -> None:
    bottle = _line(trade_mode="mail", hs_code=COSMETIC, line_no=2, unit="142")
    cheap, dear = (
        [_line(trade_mode="mail", hs_code=SHIRT, total_price=price), bottle] for price in (100.0, 300.0)
    )
    assert [line["exempt"] for line in assessed(reference, *cheap)] == [None, None]
    assert [line["exempt"] for line in assessed(reference, *dear)] == [False, False]


@pytest.mark.parametrize(
    ("changes", "is_dear"),
    [
        # 499.99 for 50 ml is below 10 a millilitre, 500 is not.
        ({"item_name": "face cream 50ml", "total_price": 499.99}, False),
        ({"item_name": "face cream 50ml", "total_price": 500.0}, True),
        ({"item_name": "面霜", "item_model": "５０ＭＬ", "total_price": 500.0}, True),
        ({"item_name": "面霜50毫升*2", "total_price": 999.0}, False),
        ({"item_name": "cream 2x50g", "total_price": 1_000.0}, True),
        ({"item_name": "cream 50ml", "quantity": 3.0, "total_price": 1_499.0}, False),
        ({"item_name": "cream 50ml", "quantity": 3.0, "total_price": 1_500.0}, True),
        # With freight it reaches the threshold.
        ({"item_name": "cream 50ml", "total_price": 490.0, "freight": 10.0}, True),
        # SPF 50 is no amount.
        ({"item_name": "sun milk SPF50 30ml", "total_price": 300.0}, True),
        # 15 a sheet: five sheets a box.
        ({"item_name": "mask 5片", "unit": "140", "total_price": 74.0}, False),
        ({"item_name": "mask 5片", "unit": "140", "total_price": 75.0}, True),
        # No content in the words: the statutory quantity, else the net weight.
        ({"item_name": "cream", "legal_quantity": 0.05, "legal_unit": "035", "total_price": 500.0}, True),
        ({"item_name": "cream", "net_weight_kg": 0.05, "total_price": 500.0}, True),
        ({"item_name": "cream", "net_weight_kg": 0.06, "total_price": 500.0}, False),
    ],
)
def test_cosmetics_above_the_threshold(reference: Reference, changes: dict[str, Any], is_dear: bool) -> None:
    """Above it 15% consumption tax: 70% x (15% + 13%) / 85% = 23.0588%; below 70% x 13% = 9.1%."""
    (line,) = assessed(reference, _line(hs_code=COSMETIC) | {"unit": "142"} | changes)
    assert line["consumption_rate"] == (0.15 if is_dear else 0.0)
    assert line["tax_rate"] == pytest.approx(0.7 * 0.28 / 0.85 if is_dear else 0.091)


def test_the_net_weight_of_several_lines_is_of_none_of_them(reference: Reference) -> None:
    lines = [_line(hs_code=COSMETIC, unit="142", net_weight_kg=0.05, line_no=n) for n in (1, 2)]
    assert [line["consumption_rate"] for line in assessed(reference, *lines)] == [None, None]
    assert [line["tax_cny"] for line in assessed(reference, *lines)] == [None, None]


def test_spirits(reference: Reference) -> None:
    """300 of whisky: 20% and 13% on 300 / 80% = 375, at 70%: 86.625. By mail 50%: 150."""
    retail, mail = (
        assessed(reference, _line(hs_code=WHISKY, total_price=300.0, trade_mode=mode))[0]
        for mode in ("1210", "mail")
    )
    assert retail["tax_cny"] == pytest.approx(86.625)
    assert (mail["duty_rate"], mail["consumption_rate"], mail["tax_cny"]) == (0.5, 0.0, pytest.approx(150.0))


@pytest.mark.parametrize(
    ("code", "changes", "days"),
    [
        (TOY, {}, {(2012, 4, 15): (None, 0.10), (2016, 4, 8): (0.10, 0.15), (2019, 4, 9): (0.15, 0.13)}),
        (SHIRT, {}, {(2012, 4, 15): (None, 0.20), (2016, 4, 8): (0.20, 0.30), (2018, 11, 1): (0.30, 0.25),
                     (2019, 4, 9): (0.25, 0.20)}),
        ("9506310000", {}, {(2012, 4, 15): (None, 0.30), (2016, 4, 8): (0.30, 0.60),
                            (2018, 11, 1): (0.60, 0.50)}),
        (WATCH, {"total_price": 10_000.0}, {(2012, 4, 15): (None, 0.30), (2016, 4, 8): (0.30, 0.60),
                                           (2018, 11, 1): (0.60, 0.50)}),
        (WHISKY, {}, {(2012, 4, 15): (None, 0.50), (2016, 4, 8): (0.50, 0.60), (2018, 11, 1): (0.60, 0.50)}),
        (MEDICINE, {}, {(2012, 4, 15): (None, 0.10), (2016, 4, 8): (0.10, 0.30),
                        (2018, 11, 1): (0.30, 0.15), (2019, 4, 9): (0.15, 0.13)}),
        (LIPSTICK, {"item_name": "4g"}, {(2012, 4, 15): (None, 0.50), (2016, 4, 8): (0.50, 0.60),
                                         (2016, 10, 1): (0.60, 0.60), (2018, 11, 1): (0.60, 0.50)}),
        (LIPSTICK, {"item_name": "400g"}, {(2016, 10, 1): (0.60, 0.30), (2018, 11, 1): (0.30, 0.25),
                                           (2019, 4, 9): (0.25, 0.20)}),
    ],
)  # fmt: skip
def test_the_rates_of_articles_change_on_their_days(
    reference: Reference,
    code: str,
    changes: dict[str, Any],
    days: dict[tuple[int, int, int], tuple[float | None, float]],
) -> None:
    line = _line(hs_code=code, trade_mode="mail") | changes
    for parts, (before, since) in days.items():
        rates = [
            assessed(reference, line, day=date(*parts) + timedelta(days=away))[0]["duty_rate"]
            for away in (-1, 0, 1)
        ]
        assert rates == [before, since, since]


@pytest.mark.parametrize(
    ("code", "changes", "days"),
    [
        (TOY, {}, {(2016, 4, 8): 0.7 * 0.17, (2018, 5, 1): 0.7 * 0.16, (2019, 4, 1): 0.7 * 0.13}),
        ("4901990000", {}, {(2016, 4, 8): 0.7 * 0.13, (2017, 7, 1): 0.7 * 0.11, (2018, 5, 1): 0.7 * 0.10,
                            (2019, 4, 1): 0.7 * 0.09}),
        (LIPSTICK, {"item_name": "400g"}, {(2016, 4, 8): 0.7 * 0.47 / 0.7, (2016, 10, 1): 0.7 * 0.17}),
        (LIPSTICK, {"item_name": "4g"}, {(2016, 10, 1): 0.7 * 0.32 / 0.85}),
    ],
)  # fmt: skip
def test_the_rates_of_retail_imports_change_on_their_days(
    reference: Reference, code: str, changes: dict[str, Any], days: dict[tuple[int, int, int], float]
) -> None:
    line = _line(hs_code=code) | changes
    held = None
    for parts, rate in days.items():
        found = [
            assessed(reference, line, day=date(*parts) + timedelta(days=away))[0]["tax_rate"]
            for away in (-1, 0, 1)
        ]
        assert found[1:] == pytest.approx([rate, rate])
        assert held is None or found[0] == pytest.approx(held)
        held = rate


def test_after_the_end_of_a_table_nothing_is_known(tmp_path: Path) -> None:
    ending = "vat,standard,0.12,2027-01-01,2027-06-30,a notice,\n"
    reference = with_duty(tmp_path, ending)
    shirt, book = _line(hs_code=SHIRT), _line(hs_code="4901990000", declaration_id="B")
    mail = _line(hs_code=SHIRT, declaration_id="C", trade_mode="mail")
    for day, known in ((date(2027, 6, 30), [True] * 3), (date(2027, 7, 1), [False, True, True])):
        assert [line["is_known"] for line in assessed(reference, shirt, book, mail, day=day)] == known


def test_exports_and_what_has_no_mode(reference: Reference) -> None:
    lines: Sequence[dict[str, Any]] = [
        _line(direction="export"),
        _line(declaration_id="B", direction=None, trade_mode="9810"),
        _line(declaration_id="C", trade_mode=None),
    ]
    found = [(line["regime"], line["tax_cny"]) for line in assessed(reference, *lines)]
    assert found == [("export", 0.0), ("export", 0.0), ("general", None)]
