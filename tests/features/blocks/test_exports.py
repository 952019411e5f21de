"""Exports beside other exports: prices in both directions, VAT, modes; and what is no matter of exports."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from configs.loader import load_settings
from configs.reference.facts import load_reference
from configs.schema.settings import Settings
from features.assemble import assemble
from features.history.day_tables import day_tables
from features.history.view import DayContext
from features.words.reasons import reasons
from models.risk.fair_value import tax_shortfall_cny
from tests.features.small_world import SmallWorld, replay

FIRST = date(2026, 3, 1)
NEXT = FIRST + timedelta(days=1)
# Bins of the sketches are a tenth of a natural logarithm wide.
CLOSE = 0.06
NO_RESULTS = pl.DataFrame(
    schema={"declaration_id": pl.String, "line_no": pl.Int64, "inspected_on": pl.Date,
            "reported_on": pl.Date, "undervaluation": pl.Boolean, "prohibited_item": pl.Boolean,
            "food_safety": pl.Boolean}
)  # fmt: skip


def _lines(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Lines of ten pieces each, in CNY, with what the rows say."""
    complete = []
    for number, row in enumerate(rows):
        day = row.get("day", FIRST)
        assert isinstance(day, date)
        price = float(str(row["price"]))
        given = {name: value for name, value in row.items() if name not in ("day", "price")}
        complete.append(
            {
                "declaration_id": f"d{number}", "line_no": 1, "direction": "export", "trade_mode": "9710",
                "declared_at": datetime(day.year, day.month, day.day, 3, tzinfo=UTC), "declared_on": day,
                "customs_office": "0100", "seller_id": f"s{number}", "buyer_id": "b", "address_id": "a",
                "origin_country": "CN", "dispatch_country": "CN", "hs_code": "9503003100",
                "item_name": "wooden train", "item_model": None, "barcode": None, "quantity": 10.0,
                "unit": "007", "currency": "CNY", "net_weight_kg": 2.0,
                "unit_price": price, "total_price": 10.0 * price, **given,
            }
        )  # fmt: skip
    schema = {"item_model": pl.String, "barcode": pl.String}
    return pl.DataFrame(complete, schema_overrides=schema)


def _asked(rows: list[dict[str, object]], settings: Settings) -> pl.DataFrame:
    """The features of the lines of the next day, in the order of the rows."""
    lines = _lines(rows)
    world = SmallWorld(lines, NO_RESULTS, sorted(lines["declared_on"].unique()))
    return replay(world, settings)[-1][1].for_risk(settings.risk("undervaluation"))


def _earlier(price: float, count: int = 30, **given: object) -> list[dict[str, object]]:
    return [{"price": price, **given} for _ in range(count)]


IMPORT: dict[str, object] = {"direction": "import", "trade_mode": "9610"}
BOTH = [*_earlier(100.0, **IMPORT), *_earlier(10.0)]


def test_exports_are_compared_with_exports_and_imports_with_imports(settings: Settings) -> None:
    asked: list[dict[str, object]] = [{"day": NEXT, "price": 30.0}, {"day": NEXT, "price": 30.0, **IMPORT}]
    frame = _asked([*BOTH, *asked], settings)
    for ratio in ("unit", "kg", "goods_unit", "goods_kg"):
        assert frame[f"price__ratio_{ratio}"].to_list() == pytest.approx([3.0, 0.3], rel=CLOSE), ratio
        assert frame[f"price__peers_{ratio}"].to_list() == [30.0, 30.0], ratio
    # A stream of imports alone says nothing of exports.
    only = _asked([*_earlier(100.0, **IMPORT), *asked], settings)
    assert only["price__ratio_goods_unit"].is_null().to_list() == [True, False]
    assert only["exports__goods_ratio"].null_count() == 2


def test_an_export_is_measured_in_both_directions(settings: Settings) -> None:
    asked: list[dict[str, object]] = [{"day": NEXT, "price": price} for price in (40.0, 2.5)]
    above, below = _asked([*BOTH, *asked], settings).iter_rows(named=True)
    for name in ("goods_ratio", "heading_ratio", "heading_kg_ratio"):
        assert above[f"exports__{name}"] == pytest.approx(4.0, rel=CLOSE), name
        assert below[f"exports__{name}"] == pytest.approx(0.25, rel=CLOSE), name
    # Ten pieces of 40 where such exports cost 10, and ten of 2.50.
    assert above["exports__above_cny"] == pytest.approx(300.0, rel=CLOSE)
    assert below["exports__below_cny"] == pytest.approx(75.0, rel=2 * CLOSE)
    assert (above["exports__below_cny"], below["exports__above_cny"]) == (0.0, 0.0)
    assert above["exports__vat_above_cny"] == pytest.approx(0.13 * above["exports__above_cny"])
    assert below["exports__vat_above_cny"] == 0.0


def test_the_rate_of_vat_is_that_of_the_heading_on_the_day(settings: Settings) -> None:
    reference = load_reference(settings.overlay)
    codes = pl.Series("hs_code", ["9503003100", "0702000000", None])
    assert reference.on(NEXT).vat_rate(codes).to_list() == [0.13, 0.09, None]
    assert reference.on(date(2018, 4, 30)).vat_rate(codes).to_list() == [0.17, 0.11, None]
    assert reference.on(date(2018, 5, 1)).vat_rate(codes).to_list() == [0.16, 0.10, None]


def test_modes_are_told_apart_and_an_import_has_none_of_it(settings: Settings) -> None:
    ways = [("export", "9610"), (None, "9710"), ("export", "9810"), ("export", "mail"), ("import", "9610")]
    asked: list[dict[str, object]] = [
        {"day": NEXT, "price": 10.0, "direction": direction, "trade_mode": mode} for direction, mode in ways
    ]
    asked.append({"day": NEXT, "price": 10.0, "direction": None, "trade_mode": "mail"})
    frame = _asked([*BOTH, *asked], settings)
    modes = frame.select("exports__retail", "exports__to_business", "exports__to_warehouse").rows()
    assert modes == [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0), (None,) * 3, (None,) * 3]
    imports = frame.select(pl.col("^exports__.*$")).tail(2)
    assert all(column.null_count() == 2 for column in imports)
    assert frame["exports__goods_ratio"].null_count() == 2


def test_a_line_alone_has_the_bits_that_it_has_among_others(settings: Settings) -> None:
    prices = (3.7, 11.3, 29.9, 130.1)
    asked = [{"day": NEXT, "price": price, **way} for price in prices for way in ({}, IMPORT)]
    lines = _lines([*BOTH, *asked])
    steps = replay(SmallWorld(lines, NO_RESULTS, [FIRST, NEXT]), settings)
    features, history = steps[-1][1], steps[0][2]
    prepared, risk = features.lines, settings.risk("undervaluation")
    whole = features.for_risk(risk).select(pl.col("^(exports|price)__.*$"))
    config = settings.pipeline.features
    context = DayContext(NEXT, history, day_tables(prepared, NEXT, history, config), config)
    reference = load_reference(settings.overlay).on(NEXT)
    for place in range(prepared.height):
        alone = assemble(prepared[place : place + 1], context, reference, [risk]).for_risk(risk)
        assert alone.select(whole.columns).equals(whole[place : place + 1], null_equal=True)


def test_limits_of_imports_are_no_matter_of_exports(settings: Settings) -> None:
    asked: list[dict[str, object]] = [{"day": NEXT, "price": 600.0}, {"day": NEXT, "price": 600.0, **IMPORT}]
    frame = _asked([*BOTH, *asked], settings)
    names = [
        name for name in frame.columns if name.endswith(("_limit_share", "_over_limit", "allowance_used"))
    ]
    assert len(names) >= 5
    for name in names:
        assert frame[name].is_null().to_list() == [True, False], name


def _said(frame: pl.DataFrame, risk: str, settings: Settings, blocks: list[str]) -> list[list[str]]:
    pushes = pl.DataFrame({block: [float(len(blocks) - place)] * frame.height
                           for place, block in enumerate(blocks)})  # fmt: skip
    told = reasons(frame, pushes, settings.risk(risk))
    return [[each for each in row if each] for row in told.select("reason_1", "reason_2", "reason_3").rows()]


def test_reasons_speak_of_what_such_exports_cost_and_of_imports_as_before(settings: Settings) -> None:
    asked: list[dict[str, object]] = [
        {"day": NEXT, "price": 40.0}, {"day": NEXT, "price": 2.5}, {"day": NEXT, "price": 400.0, **IMPORT},
        {"day": NEXT, "price": 400.0},
    ]  # fmt: skip
    frame = _asked([*BOTH, *asked], settings)
    above, below, import_line, _ = _said(frame, "prohibited_items", settings, ["exports"])
    median = f"{frame['price__peer_median_goods_unit_cny'][0]:,.2f}"
    assert above == [
        f"declared above what such exports cost: CNY 40.00 a unit beside a median of {median} of 30 lines of "
        "the same name"
    ]
    assert below[0].startswith("declared below what such exports cost: CNY 2.50 a unit beside a median of ")
    assert import_line == ["ranked by the combination of all signals; no single one stands out"]
    # Where the price was spoken of already, the VAT is told.
    both = _said(frame, "prohibited_items", settings, ["price", "exports"])[3]
    assert len(both) == 2
    assert "of VAT could be refunded on them" in both[1]
    # Too dear is no sign of undervaluation.
    assert "above" not in _said(frame, "undervaluation", settings, ["exports"])[0][0]


def test_no_import_tax_is_short_on_an_export() -> None:
    settings = load_settings()
    asked: list[dict[str, object]] = [{"day": NEXT, "price": 2.5}, {"day": NEXT, "price": 2.5, **IMPORT}]
    frame = _asked([*BOTH, *asked], settings)
    assert frame["price__tax_rate"][0] == 0.0
    expected = frame["price__unit_price_cny"].to_numpy() * 20
    short = tax_shortfall_cny(frame, expected, "unit")
    assert short[0] == 0.0
    assert short[1] > 1.0
    named = frame.with_columns(
        model__shortfall_cny=pl.Series(short), model__expected_unit_price_cny=pl.Series(expected),
        model__low_unit_price_cny=pl.Series(expected * 0.8),
        model__high_unit_price_cny=pl.Series(expected * 1.2),
    )  # fmt: skip
    of_export, of_import = _said(named, "undervaluation", settings, ["fair_value", "exports", "price"])
    assert "of tax short" in of_import[0]
    assert not any("tax" in sentence for sentence in of_export)
    assert of_export[0].startswith("declared below what such exports cost")
