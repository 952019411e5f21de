"""Applications to take goods back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from features.verdicts import run_checks
from tests.features.checked_days import CLOSE, RETURN, RETURNED_LINE, Row, day_of, findings

EXPORT: Row = RETURNED_LINE | {"direction": "export", "hs_code": "6109100000"}


def returned(
    returns: list[Row], lines: list[Row] | None = None, *checks: str, **further: Any
) -> list[dict[str, Any]]:
    day = day_of(
        [], [], [], [], returns=returns, returned_lines=[RETURNED_LINE] if lines is None else lines, **further
    )
    return findings(day, *checks)


def applied(days: int, line: Row, direction: str = "import") -> list[dict[str, Any]]:
    """What is found where goods released so many days before an application go back."""
    released = CLOSE - timedelta(days=days, hours=6)
    lines = [line | {"released_at": released, "declared_at": released}]
    return returned([RETURN | {"direction": direction}], lines, "return_late")


def test_a_return_like_any_other() -> None:
    assert returned([RETURN]) == []


def test_no_such_inventory_and_no_such_line() -> None:
    (row,) = returned([RETURN | {"declaration_id": "NONE"}])
    assert (row["declaration_id"], row["line_no"]) == ("NONE", 1)
    assert (row["check"], row["outcome"], row["found"]) == ("return_unknown", "failed", "no inventory NONE")
    (row,) = returned([RETURN | {"line_no": 4}])
    assert (row["declaration_id"], row["line_no"]) == ("OLD1", 4)
    assert (row["check"], row["found"]) == ("return_unknown", "no line 4 in inventory OLD1")


def test_more_than_was_bought() -> None:
    (row,) = returned([RETURN | {"quantity": 3.0}])
    assert (row["check"], row["outcome"], row["line_no"]) == ("return_exceeds", "failed", 1)
    assert (row["found"], row["expected"]) == ("3", "at most 2: 2 bought, 0 returned before")


def test_more_than_was_left() -> None:
    before = RETURN | {"own_number": "R0", "sent_at": CLOSE - timedelta(days=4)}
    assert returned([before, RETURN]) == []
    (row,) = returned([before, RETURN | {"quantity": 1.5}])
    assert (row["found"], row["expected"]) == ("1.5", "at most 1: 2 bought, 1 returned before")
    # Of an earlier day, and told on it.
    assert returned([before | {"quantity": 5.0}]) == []


def test_several_of_one_day_count_in_their_order() -> None:
    later = RETURN | {"own_number": "R2", "sent_at": RETURN["sent_at"] + timedelta(minutes=1)}
    third = RETURN | {"own_number": "R3", "sent_at": RETURN["sent_at"] + timedelta(minutes=2)}
    assert returned([later, RETURN]) == []
    (row,) = returned([third, RETURN, later])
    assert row["expected"] == "at most 0: 2 bought, 2 returned before"


def test_quantities_that_cannot_be_compared() -> None:
    many = RETURN | {"quantity": 9.0}
    assert returned([many | {"unit": "035"}]) == []
    assert returned([RETURN | {"quantity": None}]) == []
    assert returned([many], [RETURNED_LINE | {"quantity": None}]) == []
    assert len(returned([many | {"unit": None}])) == 1


@pytest.mark.parametrize(("days", "rows"), [(1, 0), (30, 0), (31, 1), (200, 1)])
def test_imports_go_back_within_thirty_days(days: int, rows: int) -> None:
    assert len(applied(days, RETURNED_LINE)) == rows


def test_a_late_import() -> None:
    (row,) = applied(45, RETURNED_LINE)
    assert (row["outcome"], row["line_no"], row["basis"]) == ("failed", 1, "GACC notice 2020-45")
    assert row["found"] == "applied for 45 days after release on 2026-10-06"
    assert row["expected"] == "within 30 days of release, by 2026-11-05"
    assert row["valid_from"] == date(2020, 3, 28)


def test_without_a_release_the_declaration_counts() -> None:
    lines = [RETURNED_LINE | {"released_at": None, "declared_at": CLOSE - timedelta(days=32)}]
    (row,) = returned([RETURN], lines)
    assert row["found"] == "applied for 31 days after declaration on 2026-10-20"


def test_a_changed_application_is_as_old_as_its_first() -> None:
    lines = [RETURNED_LINE | {"released_at": CLOSE - timedelta(days=40)}]
    assert returned([RETURN | {"applied_at": CLOSE - timedelta(days=20)}], lines) == []


@pytest.mark.parametrize(
    ("days", "outcome"), [(100, None), (182, None), (190, "note"), (364, "note"), (367, "failed")]
)
def test_exports_go_back_within_a_year_and_free_of_duty_within_half(days: int, outcome: str | None) -> None:
    rows = applied(days, EXPORT, "export")
    assert [row["outcome"] for row in rows] == ([outcome] if outcome else [])


def test_what_a_note_and_a_late_export_say() -> None:
    (row,) = applied(190, EXPORT, "export")
    assert row["expected"] == "duty-free within 6 months of release, by 2026-11-14"
    assert (row["basis"], row["valid_from"]) == ("MOF, GACC and STA notice 2023-4", date(2023, 1, 30))
    (row,) = applied(400, EXPORT, "export")
    assert row["expected"] == "within 12 months of release, by 2026-10-16"
    assert (row["basis"], row["valid_from"]) == ("GACC notice 2020-44", date(2020, 3, 27))


def test_food_and_other_regimes_never_were_free_of_duty() -> None:
    assert applied(190, EXPORT | {"hs_code": "0902100000"}, "export") == []
    assert applied(190, EXPORT | {"trade_mode": "mail"}, "export") == []
    assert len(applied(190, EXPORT | {"hs_code": None}, "export")) == 1


def on(day: date, released: date, line: Row) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Findings of an application of a day for goods of another, and what is not known, by check."""
    moment = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    then = datetime(released.year, released.month, released.day, 4, tzinfo=UTC)
    lines = [line | {"released_at": then, "declared_at": then}]
    verdicts = run_checks(
        day_of([], [], [], [], day=day, returns=[RETURN | {"sent_at": moment}], returned_lines=lines)
    )
    return verdicts.findings.to_dicts(), dict(verdicts.not_known["check"].value_counts().iter_rows())


def test_rules_are_those_of_the_day() -> None:
    (row,), _ = on(date(2019, 6, 1), date(2019, 4, 1), RETURNED_LINE)
    assert (row["basis"], row["valid_from"]) == ("GACC notice 2018-194", date(2019, 1, 1))
    # No rule yet.
    assert on(date(2016, 3, 1), date(2016, 1, 1), RETURNED_LINE) == ([], {})
    assert on(date(2020, 3, 1), date(2018, 1, 1), EXPORT) == ([], {})
    # Declared before its return was free of duty.
    assert on(date(2023, 9, 1), date(2023, 1, 29), EXPORT) == ([], {})
    assert on(date(2023, 9, 1), date(2023, 1, 30), EXPORT)[0][0]["outcome"] == "note"


def test_after_the_end_of_a_table_nothing_is_known() -> None:
    assert on(date(2028, 9, 1), date(2027, 12, 31), EXPORT)[0][0]["outcome"] == "note"
    assert on(date(2028, 9, 1), date(2028, 1, 1), EXPORT) == ([], {"return_late": 1})
