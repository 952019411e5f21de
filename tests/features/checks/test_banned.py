"""Goods of an origin that may not come in."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from configs.reference.facts import load_reference
from features.verdicts import found_checks, run_checks
from tests.features.checked_days import LINE, Row, day_of, findings
from tests.places import SHARED

REFERENCE = load_reference()
BANS = REFERENCE.tables["banned_origins"]
NATIONAL = BANS.filter(pl.col("region").is_null()).to_dicts()
KINDS = {
    (row["origin"], row["goods"], row["cause"]): [
        other for other in NATIONAL if all(other[name] == row[name] for name in ("origin", "goods", "cause"))
    ]
    for row in NATIONAL
}
SOURCE = SHARED / "reference" / "cn_dated_bans.csv"
END = date(2024, 11, 8)
DAY = timedelta(days=1)
HORSE: Row = LINE | {"hs_code": "0101290000", "origin_country": "NA"}


def banned(day: date, **line: Any) -> list[dict[str, Any]]:
    return of_family(day, [HORSE | line]).to_dicts()


def of_family(day: date, lines: Sequence[Row]) -> pl.DataFrame:
    """What the family itself finds, without what is not known."""
    return found_checks()["banned"](day_of(lines, day=day, reference=REFERENCE.on(day))).drop_nulls("outcome")


def test_namibia_is_a_country() -> None:
    assert banned(date(2023, 3, 6)) == []
    (row,) = banned(date(2023, 3, 7))
    assert (row["declaration_id"], row["line_no"], row["outcome"]) == ("INV1", 1, "failed")
    assert (row["found"], row["valid_from"]) == ("0101290000 from NA", date(2023, 3, 7))
    assert row["expected"] == "no horses and other equines and their products from NA: African horse sickness"
    assert len(banned(date(2023, 3, 8))) == 1
    assert "NA" in BANS["origin"].to_list()
    assert BANS["origin"].null_count() == 0


def test_no_origin_is_not_namibia() -> None:
    assert banned(date(2023, 3, 7), origin_country=None) == []


@pytest.mark.parametrize("mode", ["mail", "express", "9610", "1210", "1239", "other", None])
def test_a_ban_holds_for_every_way_in(mode: str | None) -> None:
    assert len(banned(date(2023, 3, 7), trade_mode=mode)) == 1


def test_exports_are_not_banned() -> None:
    assert banned(date(2023, 3, 7), direction="export") == []
    assert banned(date(2023, 3, 7), direction=None, trade_mode="9710") == []


def test_other_goods_and_origins() -> None:
    assert banned(date(2023, 3, 7), hs_code="0102290000") == []
    assert banned(date(2023, 3, 7), hs_code="3304990000") == []
    assert banned(date(2023, 3, 7), origin_country="DE") == []


def test_a_lift_ends_a_ban_and_a_later_one_begins_anew() -> None:
    poultry = {"hs_code": "0207140000", "origin_country": "PL"}
    days = {
        date(2020, 1, 20): 0,
        date(2020, 1, 21): 1,
        date(2024, 6, 23): 1,
        date(2024, 6, 24): 0,
        date(2024, 6, 25): 0,
        date(2024, 9, 3): 0,
        date(2024, 9, 4): 1,
    }
    assert {day: len(banned(day, **poultry)) for day in days} == days


def test_a_region_is_not_its_country() -> None:
    assert banned(date(2024, 8, 3), hs_code="0207140000", origin_country="BR") == []
    assert banned(date(2015, 1, 1), hs_code="0902100000", origin_country="JP") == []


def test_zones_that_are_open_again_make_it_a_note() -> None:
    beef = {"hs_code": "0201300000", "origin_country": "ZA"}
    outcomes = [banned(day, **beef)[0]["outcome"] for day in (date(2019, 7, 22), date(2019, 7, 23))]
    assert outcomes == ["failed", "note"]
    (row,) = banned(date(2022, 4, 9), **beef)
    assert (row["outcome"], row["basis"]) == ("failed", "GACC notice 2022-30")


def test_after_the_end_of_the_table_nothing_is_known() -> None:
    last = run_checks(day_of([HORSE], day=END))
    assert len(last.findings.filter(check="banned_goods")) == 1
    assert last.not_known.is_empty()
    for origin in ("NA", "DE", None):
        later = run_checks(day_of([HORSE | {"origin_country": origin}], day=END + DAY))
        assert later.findings.filter(check="banned_goods").is_empty()
        assert later.not_known.select("check", "line_no").rows() == [("banned_goods", 1)]
    cosmetics = run_checks(day_of([LINE], day=END + DAY))
    assert cosmetics.not_known.is_empty()


def test_a_row_whose_lift_is_known_is_known_until_then() -> None:
    fish = {"hs_code": "0302890000", "origin_country": "JP"}
    days = {date(2023, 8, 23): 0, date(2023, 8, 24): 1, date(2025, 6, 28): 1, date(2025, 6, 29): 0}
    assert {day: len(banned(day, **fish)) for day in days} == days
    assert run_checks(day_of([HORSE | fish], day=date(2025, 6, 29))).not_known.is_empty()


def test_every_row_without_a_region_changes_on_its_days() -> None:
    """The day before it holds, the day, the day after, and the same of its lift: by all rows of an origin."""
    lines = [
        HORSE | {"line_no": number, "hs_code": heading.ljust(10, "0"), "origin_country": row["origin"]}
        for number, (row, heading) in enumerate((row, row["hs_prefixes"][0]) for row in NATIONAL)
    ]
    changes = [row["valid_from"] for row in NATIONAL]
    changes += [date.fromisoformat(row["lifted"]) for row in NATIONAL if row["lifted"]]
    days = {change + offset * DAY for change in changes for offset in (-1, 0, 1)}
    seen: dict[int, set[bool]] = {line["line_no"]: set() for line in lines}
    for day in sorted(day for day in days if day <= END):
        found = set(of_family(day, lines)["line_no"])
        holding = [row for row in NATIONAL if _holds(row, day)]
        for line in lines:
            is_banned = any(
                row["origin"] == line["origin_country"]
                and line["hs_code"].startswith(tuple(row["hs_prefixes"]))
                for row in holding
            )
            assert (line["line_no"] in found) is is_banned, (line, day)
            seen[line["line_no"]].add(is_banned)
    assert all(outcomes == {True, False} for outcomes in seen.values())


def test_a_ban_by_post_is_for_mail_and_express(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "banned_origins.csv").write_text(
        "origin,region,goods,cause,hs_prefixes,scope,notice,partly_lifted,lifted,known_until,valid_from,note\n"
        "DE,,horses,anger,0101,post,a notice,,,,2024-01-01,\n",
        encoding="utf-8",
    )
    day = date(2026, 1, 1)
    reference = load_reference(tmp_path).on(day)
    modes = ("mail", "express", "9610", "1210", None)
    lines = [
        HORSE | {"origin_country": "DE", "trade_mode": mode, "line_no": number}
        for number, mode in enumerate(modes, start=1)
    ]
    found = findings(day_of(lines, day=day, reference=reference), "banned_goods")
    assert sorted(row["line_no"] for row in found) == [1, 2]


@pytest.mark.skipif(not SOURCE.exists(), reason=f"needs {SOURCE}")
def test_the_rows_are_those_of_the_source() -> None:
    with SOURCE.open(encoding="utf-8", newline="") as file:
        source = [row for row in csv.DictReader(file) if row["kind"] == "ban"]
    dated = [row for row in source if row["valid_from"]]
    ours = {
        (row["origin"], row["valid_from"].isoformat(), row["lifted"] or "", frozenset(row["hs_prefixes"]))
        for row in BANS.to_dicts()
    }
    theirs = [
        (row["origin_country"], row["valid_from"], row["valid_to"], frozenset(row["hs_prefixes"].split(";")))
        for row in dated
    ]
    assert [row for row in theirs if row not in ours] == []
    assert len(source) == BANS.height
    assert sum(bool(row["region"]) for row in source) == BANS["region"].drop_nulls().len()
    for row in source:
        if row["region"] or row["valid_from"]:
            continue
        last = date.fromisoformat(row["valid_to"]) - DAY
        heading = row["hs_prefixes"].split(";")[0].ljust(10, "0")
        assert banned(last, hs_code=heading, origin_country=row["origin_country"]), row


def _holds(row: dict[str, Any], day: date) -> bool:
    """Whether a row of a country holds: it has begun, is not lifted, and no later row of its kind has."""
    lifted = date.fromisoformat(row["lifted"]) if row["lifted"] else date.max
    return row["valid_from"] <= day < lifted and not any(
        row["valid_from"] < other["valid_from"] <= day for other in KINDS[_kind(row)]
    )


def _kind(row: dict[str, Any]) -> tuple[str, ...]:
    return row["origin"], row["goods"], row["cause"]
