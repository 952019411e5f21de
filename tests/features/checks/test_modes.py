"""Since when modes are open, and where."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from configs.reference.facts import load_reference
from features.verdicts import run_checks
from tests.features.checked_days import LINE, day_of, findings


def is_closed(mode: str | None, day: date, office: str | None = "2210", **further: Any) -> bool:
    line = LINE | {"trade_mode": mode, "customs_office": office}
    rows = findings(day_of([line], [], [], [], day=day, **further), "mode_not_open")
    assert all(row["outcome"] == "failed" and row["line_no"] is None for row in rows)
    return bool(rows)


@pytest.mark.parametrize(
    ("mode", "office", "opens"),
    [
        ("9610", "2210", date(2014, 2, 10)),
        ("1210", "2210", date(2014, 8, 1)),
        ("1239", "2210", date(2016, 12, 1)),
        # Ten districts, twelve more, and all.
        *((mode, f"{district}01", date(2020, 7, 1)) for mode in ("9710", "9810")
          for district in ("01", "02", "23", "29", "31", "37", "46", "51", "52", "53")),
        *(("9710", f"{district}01", date(2020, 9, 1))
          for district in ("22", "35", "42", "43", "47", "49", "57", "67", "72", "79", "80", "90")),
        ("9710", "0801", date(2021, 7, 1)),
        ("9810", "6001", date(2021, 7, 1)),
        # Of an office without a code of customs' the first day is all that is known.
        ("9710", "harbour", date(2020, 7, 1)),
        ("9810", None, date(2020, 7, 1)),
    ],
)  # fmt: skip
def test_a_mode_is_open_from_its_day_on(mode: str, office: str | None, opens: date) -> None:
    days = [opens + timedelta(days=away) for away in (-1, 0, 1)]
    assert [is_closed(mode, day, office) for day in days] == [True, False, False]


def test_other_modes_are_not_asked_for() -> None:
    for mode in ("mail", "express", "other", None):
        assert not is_closed(mode, date(2012, 1, 1))


def test_what_a_finding_says() -> None:
    line = LINE | {"trade_mode": "9710", "customs_office": "7901", "direction": "export"}
    (row,) = findings(day_of([line], [], [], [], day=date(2020, 8, 31)), "mode_not_open")
    assert row["found"] == "mode 9710 at office 7901 on 2020-08-31"
    assert row["expected"] == "open there from 2020-09-01 on"
    assert (row["basis"], row["valid_from"]) == ("GACC notice 2020-92", date(2020, 9, 1))


def with_places(tmp_path: Path, *rows: str) -> Any:
    (tmp_path / "reference").mkdir()
    text = "mode,office,valid_from,ends,notice\n" + "".join(f"{row}\n" for row in rows)
    (tmp_path / "reference" / "mode_places.csv").write_text(text, encoding="utf-8")
    return load_reference(tmp_path)


def test_places_that_the_office_loaded(tmp_path: Path) -> None:
    """Of district 22 two places are loaded, and no other takes part; of other districts nothing is known."""
    reference = with_places(tmp_path, "1210,2244,2020-05-01,,a notice", "1210,2249,2019-01-01,2026-01-31,")
    for office, day, expected in (
        ("2244", date(2020, 4, 30), True),
        ("2244", date(2020, 5, 1), False),
        ("2244", date(2020, 5, 2), False),
        ("2249", date(2020, 1, 1), False),
        ("2210", date(2026, 11, 20), True),
        ("5165", date(2026, 11, 20), False),
        (None, date(2026, 11, 20), False),
    ):
        assert is_closed("1210", day, office, reference=reference) is expected, (office, day)
    assert not is_closed("9610", date(2026, 11, 20), "2210", reference=reference)


def test_a_place_whose_row_has_ended_is_not_known(tmp_path: Path) -> None:
    reference = with_places(tmp_path, "1210,2249,2019-01-01,2026-01-31,")
    line = LINE | {"trade_mode": "1210", "customs_office": "2249"}
    for day, unknown in ((date(2026, 1, 31), 0), (date(2026, 2, 1), 1)):
        verdicts = run_checks(day_of([line], [], [], [], day=day, reference=reference))
        assert verdicts.not_known.filter(check="mode_not_open").height == unknown
        assert verdicts.findings.filter(check="mode_not_open").is_empty()
