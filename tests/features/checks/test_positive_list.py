"""Retail imports that are not on the positive list, and more of a heading than it allows."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import configs.reference
from configs.reference.facts import Reference, load_reference
from tests.features.checked_days import CLOSE, LINE, Row, day_of, findings

HEADER = "hs_prefix,modes,quantity,unit,notice,ends,valid_from,note\n"
ROWS = (
    "33049900,,,,list 1,,2016-04-08,\n"
    "10063020,1210|1239,20,035,list 2,,2019-01-01,rice\n"
    "04090000,,,,list 1,2025-12-31,2016-04-08,leaves the list\n"
    "9503,9610,3,007,list 2,,2019-01-01,\n"
)
BOUGHT: Row = {
    "declaration_id": "INV1",
    "line_no": 1,
    "declared_at": LINE["declared_at"],
    "buyer_id": "ann",
    "hs_code": "1006302090",
    "quantity": 5.0,
    "unit": "035",
    "legal_quantity": 5.0,
    "legal_unit": "035",
    "returned": 0.0,
    "is_late": False,
}
RICE: Row = LINE | {"trade_mode": "1210", "hs_code": "1006302090"}


def loaded(tmp_path: Path, rows: str = ROWS) -> Reference:
    (tmp_path / "reference").mkdir(exist_ok=True)
    (tmp_path / "reference" / "positive_list.csv").write_text(HEADER + rows, encoding="utf-8")
    return load_reference(tmp_path)


def checked(
    reference: Reference, line: Row, day: date = date(2026, 11, 20), **further: Any
) -> list[dict[str, Any]]:
    facts = day_of([line], day=day, reference=reference.on(day), **further)
    return findings(facts, "not_listed", "quantity_limit")


def test_nothing_without_a_list() -> None:
    rows = findings(day_of([RICE | {"hs_code": "9999999999"}], bought=[BOUGHT | {"quantity": 1e6}]))
    assert {row["check"] for row in rows} & {"not_listed", "quantity_limit"} == set()


def test_the_example_is_a_list_that_loads(tmp_path: Path) -> None:
    packaged = Path(configs.reference.__file__).parent / "positive_list.csv"
    text = packaged.read_text(encoding="utf-8")
    examples = [line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   ")]
    assert len(examples) == 2
    assert load_reference().tables["positive_list"].is_empty()
    reference = loaded(tmp_path, "\n".join(examples) + "\n")
    assert checked(reference, RICE) == []
    assert len(checked(reference, RICE | {"trade_mode": "9610"})) == 1


def test_on_the_list_and_not(tmp_path: Path) -> None:
    reference = loaded(tmp_path)
    assert checked(reference, LINE) == []
    (row,) = checked(reference, LINE | {"hs_code": "0101210000"})
    assert (row["check"], row["outcome"], row["line_no"]) == ("not_listed", "failed", 1)
    assert (row["found"], row["expected"]) == (
        "heading 0101210000 in mode 9610",
        "a heading of the positive list",
    )
    assert (row["basis"], row["valid_from"]) == ("list 2", date(2019, 1, 1))


def test_in_its_modes_alone(tmp_path: Path) -> None:
    reference = loaded(tmp_path)
    for mode, count in (("1210", 0), ("1239", 0), ("9610", 1)):
        assert len(checked(reference, RICE | {"trade_mode": mode})) == count
    (row,) = checked(reference, RICE | {"trade_mode": "9610"})
    assert (row["expected"], row["basis"]) == ("mode 1210 or 1239", "list 2")


@pytest.mark.parametrize(
    "changed",
    [{"trade_mode": "mail"}, {"trade_mode": "express"}, {"direction": "export"}, {"direction": None}],
)
def test_retail_imports_alone(tmp_path: Path, changed: Row) -> None:
    assert checked(loaded(tmp_path), LINE | {"hs_code": "0101210000"} | changed) == []


def test_a_short_code_may_be_listed(tmp_path: Path) -> None:
    assert checked(loaded(tmp_path), LINE | {"hs_code": "330499"}) == []
    assert len(checked(loaded(tmp_path), LINE | {"hs_code": "330410"})) == 1


@pytest.mark.parametrize(
    ("code", "day", "rows"),
    [
        ("9503002100", date(2018, 12, 31), 1),
        ("9503002100", date(2019, 1, 1), 0),
        ("9503002100", date(2019, 1, 2), 0),
        ("0409000000", date(2025, 12, 30), 0),
        ("0409000000", date(2025, 12, 31), 0),
        ("0409000000", date(2026, 1, 1), 1),
        ("0101210000", date(2016, 4, 7), 0),
        ("0101210000", date(2016, 4, 8), 1),
    ],
)
def test_the_list_of_the_day(tmp_path: Path, code: str, day: date, rows: int) -> None:
    assert len(checked(loaded(tmp_path), LINE | {"hs_code": code}, day)) == rows


def bought(*rows: Row) -> list[Row]:
    """What a buyer had, a day apart, and last the line of the day."""
    first = LINE["declared_at"] - timedelta(days=len(rows))
    return [
        BOUGHT | {"declaration_id": f"OLD{number}", "declared_at": first + timedelta(days=number)} | dict(row)
        for number, row in enumerate(rows)
    ] + [BOUGHT]


@pytest.mark.parametrize(
    ("before", "count"),
    [
        ([], 0),
        ([{"quantity": 15.0}], 0),
        ([{"quantity": 15.1}], 1),
        ([{"quantity": 10.0}, {"quantity": 6.0}], 1),
        ([{"quantity": 10.0}, {"quantity": 6.0, "returned": 6.0}], 0),
        ([{"quantity": 16.0, "buyer_id": "bob"}], 0),
        ([{"quantity": 16.0, "hs_code": "1006209090"}], 0),
        ([{"quantity": 15500.0, "unit": "036", "legal_quantity": None, "legal_unit": None}], 1),
        ([{"quantity": 3.0, "unit": "136", "legal_quantity": 15.5}], 1),
        ([{"quantity": 99.0, "unit": "136", "legal_quantity": None, "legal_unit": None}], 0),
    ],
)
def test_more_than_a_year_allows(tmp_path: Path, before: list[Row], count: int) -> None:
    assert len(checked(loaded(tmp_path), RICE, bought=bought(*before))) == count


def test_what_it_says(tmp_path: Path) -> None:
    (row,) = checked(loaded(tmp_path), RICE, bought=bought({"quantity": 16.0}))
    assert (row["check"], row["outcome"], row["line_no"]) == ("quantity_limit", "failed", 1)
    assert (row["found"], row["expected"]) == (
        "21 kilogram of 10063020 this year",
        "at most 20 kilogram a person and year",
    )
    assert (row["basis"], row["valid_from"]) == ("list 2", date(2019, 1, 1))


def test_what_was_sent_late_counts_for_itself_alone(tmp_path: Path) -> None:
    """The day did not know of it, though it is of an earlier hour."""
    late = {"declaration_id": "INV0", "declared_at": CLOSE - timedelta(hours=9), "quantity": 16.0}
    facts = day_of(
        [RICE | late, RICE],
        reference=loaded(tmp_path).on(date(2026, 11, 20)),
        bought=[BOUGHT | late | {"is_late": True}, BOUGHT],
    )
    assert [row["declaration_id"] for row in findings(facts, "quantity_limit")] == ["INV0"]


def test_what_a_day_brings_later_than_the_limit_is_its_own(tmp_path: Path) -> None:
    """Of two parcels of one day the later one is beyond."""
    later = {"declaration_id": "INV2", "declared_at": CLOSE - timedelta(hours=1), "quantity": 16.0}
    facts = day_of(
        [RICE, RICE | {"declaration_id": "INV2", "declared_at": later["declared_at"]}],
        reference=loaded(tmp_path).on(date(2026, 11, 20)),
        bought=[BOUGHT | later, BOUGHT],
    )
    assert [row["declaration_id"] for row in findings(facts, "quantity_limit")] == ["INV2"]
