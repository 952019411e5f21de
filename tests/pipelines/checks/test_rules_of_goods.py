"""Checks of goods on stores: what a table knows, how much a person bought, and rules that are tried."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import configs.reference
from pipelines.cli.main import run
from pipelines.store.store import Store
from tests.features.checked_days import CLOSE, DAY, LINE, ORDER, PAYMENT, RETURN, WAYBILL, Row
from tests.pipelines.documents_in_store import findings_of, make_documents, table

PACKAGED = Path(configs.reference.__file__).parent
SENT = LINE | {"sent_at": CLOSE - timedelta(hours=8), "customs_office": "4601"}
PAPERS: dict[str, Any] = {"orders": [ORDER], "payments": [PAYMENT], "waybills": [WAYBILL]}
BANNED = (
    "origin,region,goods,cause,hs_prefixes,scope,notice,partly_lifted,lifted,known_until,valid_from,note\n"
)
LIST = "hs_prefix,modes,quantity,unit,notice,ends,valid_from,note\n"
RICE = {"hs_code": "1006302090", "trade_mode": "9610", "unit": "035", "quantity": 12.0}
GOODS = ("banned_goods", "prohibited_article", "not_listed", "quantity_limit")


def rules(path: Path, **tables: str) -> Path:
    """A folder with the layout of `configs/` and these tables."""
    (path / "reference").mkdir(parents=True)
    for name, text in tables.items():
        (path / "reference" / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def cosmetics_banned(path: Path) -> Path:
    return rules(path, banned_origins=BANNED + "FR,,cosmetics,a trial,33,import,a notice,,,,2020-01-01,\n")


def of_goods(store: Store, day: date = DAY) -> list[tuple[Any, ...]]:
    found = findings_of(store, day).filter(pl.col("check").is_in(GOODS))
    return found.select("declaration_id", "line_no", "check", "outcome").rows()


def dated(row: Row, day: date) -> Row:
    """A row of another day."""
    moment = CLOSE + (day - DAY) - timedelta(hours=8)
    return row | {"declared_at": moment, "sent_at": moment}


def test_a_banned_and_a_prohibited_line(tmp_path: Path) -> None:
    day = date(2024, 11, 8)
    horse = dated(SENT | {"hs_code": "0205000000", "origin_country": "NA"}, day)
    gecko = dated(SENT | {"declaration_id": "INV2", "item_name": "活体守宫", "trade_mode": "1210"}, day)
    store = make_documents(tmp_path / "S", [horse, gecko])
    assert run(["check", "--store", str(store.path), "--date", str(day), "--quiet"]) == 0
    assert of_goods(store, day) == [
        ("INV1", 1, "banned_goods", "failed"),
        ("INV1", 1, "prohibited_article", "failed"),
        ("INV2", 1, "prohibited_article", "note"),
    ]


def test_after_the_end_of_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = date(2024, 11, 9)
    store = make_documents(
        tmp_path / "S", [dated(SENT | {"hs_code": "0101290000", "origin_country": "NA"}, day)]
    )
    assert run(["check", "--store", str(store.path), "--date", str(day)]) == 0
    said = capsys.readouterr().out
    assert "banned_goods       not known        1: the table of the rule ends before, see --configs" in said
    assert [row for row in of_goods(store, day) if row[2] == "banned_goods"] == []
    manifest = json.loads(store.layout.manifest("check", day, 1).read_text(encoding="utf-8"))
    assert manifest["not_known"] == {"banned_goods": 1}


def test_the_manifest_names_the_revision_of_each_table(tmp_path: Path) -> None:
    store = make_documents(tmp_path / "S", [SENT], **PAPERS)
    laid_over = cosmetics_banned(tmp_path / "configs")
    command = ["check", "--store", str(store.path), "--date", str(DAY), "--quiet"]
    assert run(command) == 0
    assert run([*command, "--configs", str(laid_over)]) == 0
    first, second = (
        json.loads(store.layout.manifest("check", DAY, number).read_text(encoding="utf-8"))["tables"]
        for number in (1, 2)
    )
    assert set(first) == {path.stem for path in PACKAGED.glob("*.csv")}
    assert {name for name in first if first[name] != second[name]} == {"banned_origins"}
    content = (laid_over / "reference" / "banned_origins.csv").read_bytes()
    assert second["banned_origins"] == hashlib.sha256(content).hexdigest()[:16]


@pytest.mark.parametrize(
    ("earlier", "beyond"),
    [
        (dated({"quantity": 9.0}, DAY - timedelta(days=30)), ["INV1"]),
        (dated({"quantity": 8.0}, DAY - timedelta(days=30)), []),
        (dated({"quantity": 9.0}, date(2026, 1, 1)), ["INV1"]),
        (dated({"quantity": 9.0}, date(2025, 12, 31)), []),
        (dated({"quantity": 9.0, "buyer_id": "bob"}, DAY - timedelta(days=30)), []),
        (dated({"quantity": 9.0, "trade_mode": "mail"}, DAY - timedelta(days=30)), []),
        (dated({"quantity": 9.0}, DAY), ["INV1"]),
        (dated({"quantity": 9.0}, DAY) | {"sent_at": CLOSE + timedelta(hours=1)}, ["A0"]),
    ],
)
def test_how_much_a_person_bought_in_the_year(tmp_path: Path, earlier: Row, beyond: list[str]) -> None:
    loaded = rules(tmp_path / "configs", positive_list=LIST + "10,,20,035,the list,,2019-01-01,\n")
    old = SENT | RICE | {"declaration_id": "A0", "order_id": "O0", "waybill_id": "W0"} | dict(earlier)
    if earlier["declared_at"] == SENT["declared_at"]:
        old |= {"declared_at": SENT["declared_at"] - timedelta(hours=1)}
    store = make_documents(tmp_path / "S", [SENT | RICE, old])
    command = ["check", "--store", str(store.path), "--date", str(DAY), "--quiet", "--configs", str(loaded)]
    assert run(command) == 0
    assert of_goods(store) == [(parcel, 1, "quantity_limit", "failed") for parcel in beyond]


def test_what_goes_back_or_is_withdrawn_does_not_count_from_then_on(tmp_path: Path) -> None:
    loaded = rules(tmp_path / "configs", positive_list=LIST + "10,,20,035,the list,,2019-01-01,\n")
    old = dated(
        SENT | RICE | {"declaration_id": "OLD1", "order_id": "O0", "waybill_id": "W0"}, date(2026, 11, 1)
    )
    tomorrow = DAY + timedelta(days=1)
    later = dated(
        SENT | RICE | {"declaration_id": "INV2", "order_id": "O2", "waybill_id": "W2", "quantity": 1.0},
        tomorrow,
    )
    command = ["check", "--store", "", "--date", str(DAY), "--to", str(tomorrow), "--configs", str(loaded)]
    beyond = {DAY: [("INV1", 1, "quantity_limit", "failed")], tomorrow: []}

    back = RETURN | {"quantity": 12.0, "sent_at": CLOSE + timedelta(hours=2)}
    returned = make_documents(tmp_path / "R", [SENT | RICE, old, later], returns=[back])
    held = old | {"action": "new", "part": "", "held_until": CLOSE + timedelta(hours=2)}
    withdrawn = make_documents(tmp_path / "W", [SENT | RICE, later], [held])
    for store in (returned, withdrawn):
        command[2] = str(store.path)
        assert run([*command, "--quiet"]) == 0
        assert {day: of_goods(store, day) for day in beyond} == beyond


def test_a_rule_is_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        SENT
        | {"declaration_id": f"INV{number}", "order_id": f"O{number}", "waybill_id": f"W{number}"}
        | changed
        for number, changed in enumerate(
            (
                {"origin_country": "FR"},
                {"origin_country": "FR", "customs_office": "4602"},
                {"origin_country": "FR"},
                {"origin_country": "DE"},
                {"origin_country": "FR", "customs_office": None},
            )
        )
    ]
    lines.append(dated(lines[0] | {"declaration_id": "OLD"}, DAY - timedelta(days=1)))
    store = make_documents(tmp_path / "S", lines)
    told = [("INV0", 1, True), ("INV1", 1, False), ("INV3", 1, True), ("INV0", 2, True)]
    results = table(
        [
            {"declaration_id": parcel, "line_no": line, "inspected_on": DAY, "prohibited_item": is_finding}
            for parcel, line, is_finding in told
        ],
        store.inspection_schema(),
    )
    with store.lock("test"), store.transaction() as t:
        store.write_inspections(t, DAY, results)
    before = _files(store.path)
    folder = cosmetics_banned(tmp_path / "rules")
    command = ["check", "--store", str(store.path), "--date", str(DAY), "--rules", str(folder)]
    assert run(command) == 0
    said = capsys.readouterr().out
    assert f"2026-11-20, 1 days with banned_origins of {folder}; nothing was written" in said
    assert "more  banned_goods       failed          4 findings in 4 parcels; 2 were inspected, " in said
    assert "in 1 something was found (prohibited_item 1)" in said
    assert "by office: 4601 2, 4602 1, unassigned 1" in said
    assert (
        run([*command, "--to", str(DAY), "--date", str(DAY - timedelta(days=1)), "--log-format", "json"]) == 0
    )
    report = json.loads(capsys.readouterr().out)
    (change,) = report["changes"]
    assert (report["days"], change["change"], change["findings"], change["offices"]["4601"]) == (
        2,
        "more",
        5,
        3,
    )
    assert _files(store.path) == before


def test_what_a_changed_row_would_not_have_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Against tables that are laid over the packaged ones already."""
    store = make_documents(tmp_path / "S", [SENT | {"origin_country": "FR"}], **PAPERS)
    usual = cosmetics_banned(tmp_path / "usual")
    tried = rules(
        tmp_path / "tried",
        banned_origins=BANNED + "FR,,cosmetics,a trial,33,import,a notice,,2026-11-20,,2020-01-01,\n",
    )
    command = ["check", "--store", str(store.path), "--date", str(DAY), "--configs", str(usual), "--rules"]
    assert run([*command, str(tried)]) == 0
    assert "less  banned_goods       failed          1 findings in 1 parcels" in capsys.readouterr().out
    assert run([*command, str(usual)]) == 0
    assert "the findings would have been the same" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({}, "expected a reference table such as"),
        ({"baned_origins": BANNED}, "Did you mean 'banned_origins'"),
        ({"banned_origins": BANNED}, "and rows; came none"),
    ],
)
def test_a_folder_that_is_no_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tables: dict[str, str], message: str
) -> None:
    store = make_documents(tmp_path / "S", [SENT])
    folder = rules(tmp_path / "rules", **tables)
    assert run(["check", "--store", str(store.path), "--date", str(DAY), "--rules", str(folder)]) == 2
    assert message in capsys.readouterr().err


def test_days_without_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_documents(tmp_path / "S", [SENT])
    folder = cosmetics_banned(tmp_path / "rules")
    assert run(["check", "--store", str(store.path), "--date", "2020-01-01", "--rules", str(folder)]) == 0
    assert "2020-01-01, 0 days" in capsys.readouterr().out


def _files(path: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
