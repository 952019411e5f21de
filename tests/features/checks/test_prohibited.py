"""Goods of the catalogue of what may not be carried or posted into the country."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import pipelines.simulation.world
from configs.reference.facts import load_reference
from features.verdicts import found_checks
from tests.features.checked_days import LINE, Row, day_of, findings
from tests.places import SHARED

TODAY = date(2026, 11, 20)
GECKO: Row = LINE | {"trade_mode": "mail", "item_name": "leopard gecko"}
CHEESE: Row = LINE | {"trade_mode": "mail", "hs_code": "0406900000", "item_name": "snack"}
OFFICE = SHARED / "office" / "declarations"
WORLD = Path(pipelines.simulation.world.__file__).parent


def prohibited(row: Row, day: date = TODAY, **changed: Any) -> list[dict[str, Any]]:
    return findings(day_of([row | changed], day=day), "prohibited_article")


def test_by_its_name_under_any_heading() -> None:
    (row,) = prohibited(GECKO)
    assert (row["declaration_id"], row["line_no"], row["outcome"]) == ("INV1", 1, "failed")
    assert (row["found"], row["expected"]) == (
        "named leopard gecko",
        "no live animals and what they breed from",
    )
    assert (row["basis"], row["valid_from"]) == ("MARA and GACC notice 470 of 2021", date(2021, 10, 20))
    assert len(prohibited(GECKO, hs_code="9503002100")) == 1
    assert prohibited(GECKO, item_name="leopard gecko toy") == []
    assert prohibited(GECKO, item_name=None) == []


def test_by_its_heading_under_any_name() -> None:
    (row,) = prohibited(CHEESE)
    assert (row["found"], row["expected"]) == ("heading 0406", "no milk and dairy products")
    assert len(prohibited(CHEESE, item_name=None)) == 1
    assert len(prohibited(CHEESE, hs_code="040690")) == 1
    (row,) = prohibited(CHEESE, item_name="cheddar cheese 200g")
    assert row["found"] == "heading 0406; named cheddar cheese"


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        *((mode, "failed") for mode in ("mail", "express", "9610", "other", None)),
        *((mode, "note") for mode in ("1210", "1239")),
    ],
)
def test_out_of_bond_it_is_a_note(mode: str | None, outcome: str) -> None:
    for row in (GECKO, CHEESE):
        (found,) = prohibited(row, trade_mode=mode)
        assert found["outcome"] == outcome


def test_exports_may_be_what_they_are() -> None:
    assert prohibited(GECKO, direction="export") == []
    assert prohibited(CHEESE, direction=None, trade_mode="9810") == []
    assert len(prohibited(GECKO, direction=None)) == 1


@pytest.mark.parametrize(
    "code", ["0402210000", "0409000000", "0804500000", "0305720000", "1604140000", "2309101000", "3304990000"]
)
def test_headings_that_are_not_in_it(code: str) -> None:
    assert prohibited(CHEESE, hs_code=code) == []


@pytest.mark.parametrize(
    ("code", "name", "rows"),
    [
        ("0106199090", "hamster", 1),
        ("0106199010", "golden retriever dog", 0),
        ("0106199010", "布偶猫", 0),
        ("0106199010", "category", 1),
        ("0307220000", "frozen scallop", 1),
        ("0307220000", "dried scallop", 0),
        ("0307220000", "干贝", 0),
        ("0410901000", "燕窝", 1),
        ("0410901000", "即食燕窝", 0),
    ],
)
def test_words_with_which_a_heading_is_none(code: str, name: str, rows: int) -> None:
    assert len(prohibited(CHEESE, hs_code=code, item_name=name)) == rows


@pytest.mark.parametrize(
    ("day", "notice"),
    [
        (date(2012, 1, 12), None),
        (date(2012, 1, 13), "MOA and AQSIQ notice 1712 of 2012"),
        (date(2012, 1, 14), "MOA and AQSIQ notice 1712 of 2012"),
        (date(2021, 10, 19), "MOA and AQSIQ notice 1712 of 2012"),
        (date(2021, 10, 20), "MARA and GACC notice 470 of 2021"),
        (date(2021, 10, 21), "MARA and GACC notice 470 of 2021"),
    ],
)
def test_the_catalogue_of_the_day(day: date, notice: str | None) -> None:
    for row in (GECKO, CHEESE):
        assert [found["basis"] for found in prohibited(row, day)] == ([notice] if notice else [])


@pytest.mark.parametrize(
    "changed", [{"hs_code": "0603110000"}, {"item_name": "鲜切花"}, {"hs_code": "0401200000"}]
)
def test_what_the_catalogue_of_2021_added(changed: Row) -> None:
    days = (date(2021, 10, 19), date(2021, 10, 20), date(2021, 10, 21))
    plain = LINE | {"trade_mode": "mail", "item_name": "flowers"}
    assert [len(prohibited(plain, day, **changed)) for day in days] == [0, 1, 1]


def test_every_heading_and_word_is_of_an_item() -> None:
    tables = load_reference().on(TODAY)
    items = set(tables["prohibited_items"]["item"])
    for table in ("prohibited_headings", "prohibited_words"):
        assert set(tables[table]["item"]) <= items


def test_a_row_a_line_and_name() -> None:
    lines = [
        GECKO | {"line_no": number, "item_name": "gecko" if number % 2 else "shirt"} for number in (1, 2, 3)
    ]
    assert [row["line_no"] for row in findings(day_of(lines), "prohibited_article")] == [1, 3]


def test_what_the_simulator_sells() -> None:
    """Its articles with their headings, and its vague words, by mail: none is of the catalogue."""
    catalogue = pl.read_csv(WORLD / "catalogue.csv", infer_schema=False)
    lines = [
        LINE | {"line_no": number, "trade_mode": "mail", "hs_code": code, "item_name": name}
        for number, (code, name) in enumerate(
            pair
            for row in catalogue.to_dicts()
            for pair in ((row["hs_code"], row["name_en"]), (row["hs_code"], row["name_zh"]))
        )
    ]
    assert len(lines) > 400
    assert findings(day_of(lines), "prohibited_article") == []


@pytest.mark.skipif(not OFFICE.exists(), reason=f"needs {OFFICE}")
def test_what_an_office_imports() -> None:
    """By name alone a line in a thousand, none of them under headings of made goods but what is hidden."""
    declared = pl.read_parquet(sorted(OFFICE.glob("*.parquet"))[0])
    lines = declared.select(
        *("declaration_id", "line_no", "direction", "trade_mode", "hs_code", "item_name", "origin_country")
    )
    found = found_checks()["prohibited"](replace(day_of([LINE]), lines=lines))
    named = found.filter(pl.col("found").str.starts_with("named"))
    assert 0 < named.height < lines.height / 1000
    toys = named.join(lines, on=["declaration_id", "line_no"]).filter(pl.col("hs_code").str.starts_with("95"))
    assert toys.is_empty()
