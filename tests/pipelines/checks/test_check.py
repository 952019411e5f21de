"""The verb `check`, on stores whose tables hold what messages would have brought."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from features.check import FINDING_COLUMNS
from pipelines.cli.main import run
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from tests.features.checked_days import (
    CLOSE,
    DAY,
    LINE,
    ORDER,
    PAYMENT,
    RETURN,
    RETURNED_LINE,
    WAYBILL,
    Row,
)
from tests.pipelines.documents_in_store import findings_of, make_documents

SENT = LINE | {"sent_at": CLOSE - timedelta(hours=8), "own_number": "OWN1", "seller_id": "SHOP"}
HOUR = timedelta(hours=1)
OLD = RETURNED_LINE | {"order_id": "O0", "waybill_id": "W0", "seller_id": "SHOP", "own_number": "OWN0"}


def checked(store: Store, day: date = DAY) -> list[tuple[str, int | None, str, str]]:
    """Declaration, line, check and outcome of what the verb finds."""
    assert run(["check", "--store", str(store.path), "--date", str(day), "--quiet"]) == 0
    return findings_of(store, day).select("declaration_id", "line_no", "check", "outcome").rows()


def documents(**changed: Any) -> dict[str, list[Row]]:
    """The documents of an honest parcel; `changed` replaces tables."""
    return {"orders": [ORDER], "payments": [PAYMENT], "waybills": [WAYBILL]} | changed


def test_an_honest_parcel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_documents(tmp_path / "S", [SENT], **documents())
    assert checked(store) == []
    assert findings_of(store, DAY).schema == FINDING_COLUMNS
    assert run(["check", "--store", str(store.path), "--date", str(DAY)]) == 0
    said = capsys.readouterr().out
    assert "2026-11-20: 1 parcels with 1 lines: 0 findings" in said
    assert f"tables: {store.path}/checks/declared_on=2026-11-20" in said


def test_findings_are_told_by_check_and_outcome(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_documents(tmp_path / "S", [SENT], orders=[ORDER | {"buyer_id": "bob"}], waybills=[WAYBILL])
    assert run(["check", "--store", str(store.path), "--date", str(DAY)]) == 0
    said = capsys.readouterr().out
    assert "buyer              failed           1" in said
    assert "payment_missing    open             1" in said
    manifest = json.loads(store.layout.manifest("check", DAY, 1).read_text(encoding="utf-8"))
    assert manifest["findings"] == {"buyer": {"failed": 1}, "payment_missing": {"open": 1}}
    assert (manifest["rows_in"], manifest["rows_kept"], manifest["parcels"], manifest["returns"]) == (
        1,
        1,
        1,
        0,
    )
    assert {"returns", "match", "check", "write"} <= set(manifest["seconds"])


def test_a_document_of_the_next_day_is_not_there_yet(tmp_path: Path) -> None:
    late = {"sent_at": CLOSE}
    tables = documents(orders=[ORDER | late], payments=[PAYMENT | late], waybills=[WAYBILL | late])
    store = make_documents(tmp_path / "S", [SENT], **tables)
    opened = [("INV1", None, f"{name}_missing", "open") for name in ("order", "payment", "waybill")]
    assert checked(store) == opened
    just = {"sent_at": CLOSE - timedelta(microseconds=1)}
    tables = documents(orders=[ORDER | just], payments=[PAYMENT | just], waybills=[WAYBILL | just])
    assert checked(make_documents(tmp_path / "T", [SENT], **tables)) == []


def test_a_status_is_no_waybill(tmp_path: Path) -> None:
    status = WAYBILL | {"sent_at": None, "status_sent_at": CLOSE - HOUR, "status": "S"}
    store = make_documents(tmp_path / "S", [SENT], **documents(waybills=[status]))
    assert checked(store) == [("INV1", None, "waybill_missing", "open")]


def test_a_change_after_the_close_is_not_known(tmp_path: Path) -> None:
    """The order was wrong on its day and put right later; another was right, and changed later."""
    later = CLOSE + HOUR
    wrong = ORDER | {"paid_total": 9.0, "action": "new", "part": "", "held_until": later}
    other = {"order_id": "O2", "transaction_id": "T2"}
    right = ORDER | other | {"action": "new", "part": "", "held_until": later}
    second = {"declaration_id": "INV2", "order_id": "O2", "waybill_id": "W2"}
    store = make_documents(
        tmp_path / "S",
        [SENT, SENT | second],
        orders=[
            *(wrong, right, ORDER | {"sent_at": later}),
            ORDER | other | {"paid_total": 9.0, "sent_at": later},
        ],
        payments=[PAYMENT, PAYMENT | other],
        waybills=[WAYBILL, WAYBILL | {"waybill_id": "W2"}],
    )
    assert checked(store) == [("INV1", None, "amount", "failed")]


def test_an_inventory_is_checked_as_it_was_known(tmp_path: Path) -> None:
    """Changed after the close: the day knows what held. Changed before: what holds."""
    light = SENT | {"gross_weight_kg": 9.0}
    before = make_documents(
        tmp_path / "S",
        [SENT | {"sent_at": CLOSE + HOUR}],
        [light | {"action": "new", "part": "", "held_until": CLOSE + HOUR}],
        **documents(),
    )
    assert checked(before) == [("INV1", None, "weight", "failed")]
    after = make_documents(
        tmp_path / "T",
        [SENT | {"sent_at": CLOSE - HOUR}],
        [light | {"action": "new", "part": "", "held_until": CLOSE - HOUR}],
        **documents(),
    )
    assert checked(after) == []


@pytest.mark.parametrize(("hours", "rows"), [(-1, 0), (1, 1)])
def test_an_inventory_that_was_withdrawn_counts_as_long_as_it_held(
    tmp_path: Path, hours: int, rows: int
) -> None:
    earlier = SENT | {"declaration_id": "OLD1", "order_id": "O0", "declared_at": CLOSE - timedelta(days=4)}
    earlier |= {
        "sent_at": CLOSE - timedelta(days=4),
        "action": "new",
        "part": "",
        "held_until": CLOSE + hours * HOUR,
    }
    store = make_documents(tmp_path / "S", [SENT], [earlier], **documents())
    assert checked(store) == [("INV1", None, "waybill_reused", "failed")] * rows


def test_reuse_stands_on_the_later_day(tmp_path: Path) -> None:
    first = SENT | {"declaration_id": "INV0", "declared_at": CLOSE - timedelta(days=2), "sent_at": None}
    store = make_documents(
        tmp_path / "S",
        [first | {"order_id": "O0"}, SENT],
        **documents(payments=[PAYMENT, PAYMENT | {"order_id": "O0"}]),
    )
    reused = ["payment_reused", "waybill_reused"]
    assert [row[2] for row in checked(store) if "reused" in row[2]] == reused
    assert [row for row in checked(store, DAY - timedelta(days=1)) if "reused" in row[2]] == []


def test_a_number_is_free_again_after_the_look_back(tmp_path: Path) -> None:
    long_ago = CLOSE - timedelta(days=190)
    first = SENT | {"declaration_id": "INV0", "order_id": "O0", "declared_at": long_ago, "sent_at": long_ago}
    store = make_documents(tmp_path / "S", [first, SENT], **documents(orders=[ORDER | {"sent_at": long_ago}]))
    assert checked(store) == [("INV1", None, "order_missing", "open")]
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "pipeline.yaml").write_text("checks: {lookback_days: 200}\n", encoding="utf-8")
    arguments = ["check", "--store", str(store.path), "--date", str(DAY), "--configs", str(configs)]
    assert run(arguments) == 0
    assert findings_of(store, DAY)["check"].to_list() == ["waybill_reused"]


def test_returns_on_a_day_without_declarations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    returns = [RETURN | {"quantity": 5.0}, RETURN | {"declaration_id": "NONE"}]
    store = make_documents(tmp_path / "S", [OLD], returns=returns)
    assert checked(store) == [
        ("NONE", 1, "return_unknown", "failed"),
        ("OLD1", 1, "return_exceeds", "failed"),
    ]
    assert run(["check", "--store", str(store.path), "--date", str(DAY)]) == 0
    assert "0 parcels with 0 lines, 2 lines to be returned: 2 findings" in capsys.readouterr().out


def test_what_was_returned_before_and_what_was_undone(tmp_path: Path) -> None:
    earlier = RETURN | {"own_number": "R0", "sent_at": CLOSE - timedelta(days=3), "quantity": 1.5}
    store = make_documents(tmp_path / "S", [OLD], returns=[earlier, RETURN])
    assert checked(store) == [("OLD1", 1, "return_exceeds", "failed")]
    undone = earlier | {"action": "new", "part": "", "held_until": CLOSE - timedelta(days=1)}
    assert checked(make_documents(tmp_path / "T", [OLD], returns=[undone, RETURN])) == []


def test_a_changed_application_stands_on_both_days_and_is_late_by_its_first(tmp_path: Path) -> None:
    lines = [OLD | {"declared_at": CLOSE - timedelta(days=40), "released_at": None}]
    sent = CLOSE - timedelta(days=11)
    first = RETURN | {
        "sent_at": sent,
        "quantity": 9.0,
        "action": "new",
        "part": "",
        "held_until": RETURN["sent_at"],
    }
    store = make_documents(tmp_path / "S", lines, returns=[first, RETURN])
    assert checked(store) == []
    # Sent at midnight, and so of the day that begins.
    assert checked(store, DAY - timedelta(days=10)) == [("OLD1", 1, "return_exceeds", "failed")]
    again = [
        first | {"held_until": sent + HOUR},
        {"declaration_id": "OLD1", "own_number": "R1", "line_no": 1, "sent_at": sent + HOUR}
        | {"action": "delete", "part": "", "held_until": RETURN["sent_at"]},
        RETURN,
    ]
    # Deleted and sent anew: it is as old as the second.
    assert checked(make_documents(tmp_path / "T", lines, returns=again)) == [
        ("OLD1", 1, "return_late", "failed")
    ]


def receipt(status: int, days: float, **named: str | None) -> Row:
    """A receipt so many days before the close, of the inventory or by the declarant's own number."""
    whose = named or {"declaration_id": "OLD1"}
    return {**whose, "status": status, "sent_at": CLOSE - timedelta(days=days, hours=1)}


@pytest.mark.parametrize(
    ("receipts", "late"),
    [
        ([], True),
        ([receipt(800, 20)], False),
        ([receipt(899, 20)], False),
        ([receipt(500, 20)], True),
        # The first release counts, and 800 before 899.
        ([receipt(800, 35), receipt(800, 5)], True),
        ([receipt(899, 36), receipt(800, 20)], False),
        ([receipt(800, 20, seller_id="SHOP", own_number="OWN0")], False),
        ([receipt(800, 20, seller_id="OTHER", own_number="OWN0")], True),
        # Not known at the close.
        ([receipt(800, -1)], True),
    ],
)
def test_the_release_is_told_by_receipts(tmp_path: Path, receipts: list[Row], late: bool) -> None:
    lines = [OLD | {"declared_at": CLOSE - timedelta(days=40)}]
    store = make_documents(tmp_path / "S", lines, returns=[RETURN], receipts=receipts)
    assert checked(store) == ([("OLD1", 1, "return_late", "failed")] if late else [])


def test_an_inventory_of_long_ago_is_found(tmp_path: Path) -> None:
    days = [
        LINE | {"declaration_id": f"D{number}", "declared_at": CLOSE - timedelta(days=number)}
        for number in range(1, 100)
    ]
    returns = [RETURN | {"declaration_id": "D95"}, RETURN | {"declaration_id": "D3"}]
    store = make_documents(tmp_path / "S", days, returns=returns)
    rows = [row for row in checked(store) if row[2].startswith("return")]
    assert rows == [("D95", 1, "return_late", "failed")]


def test_stores_of_tables_have_no_columns_of_messages(tmp_path: Path) -> None:
    """Nor any document: what they have not is not compared."""
    columns = ("item_no", "own_number", "sent_at")
    store = make_documents(tmp_path / "S", [LINE], without=columns, **documents())
    assert checked(store) == []
    empty = make_documents(tmp_path / "T", [LINE | {"direction": "export"}], without=columns)
    assert checked(empty) == []


def test_parts_of_a_day_find_what_the_day_finds(tmp_path: Path) -> None:
    lines = [
        SENT | {"declaration_id": f"INV{number}", "order_id": f"O{number}", "waybill_id": f"W{number // 2}"}
        for number in range(1_500)
    ]
    orders = [
        ORDER | {"order_id": f"O{number}", "quantity": number % 3, "telephone_id": f"T{number % 50}"}
        for number in range(0, 1_500, 2)
    ]
    payments = [
        PAYMENT | {"order_id": f"O{number}", "transaction_id": f"T{number // 3}"} for number in range(900)
    ]
    tables = documents(orders=orders, payments=payments, returns=[RETURN | {"declaration_id": "NONE"}])
    store = make_documents(tmp_path / "S", lines, bucket_rows=200, **tables)
    whole = checked(store)
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "pipeline.yaml").write_text("checks: {lines_at_once: 1000}\n", encoding="utf-8")
    before = store.layout.file(DayTable.CHECKS, DAY).read_bytes()
    patterns = [file.read_bytes() for file in store.layout.files(DayTable.PATTERNS, DAY)]
    arguments = ["check", "--store", str(store.path), "--date", str(DAY), "--configs", str(configs)]
    assert run(arguments) == 0
    assert store.layout.file(DayTable.CHECKS, DAY).read_bytes() == before
    assert [file.read_bytes() for file in store.layout.files(DayTable.PATTERNS, DAY)] == patterns
    assert len(patterns) == 3
    assert {row[2] for row in whole} >= {"waybill_reused", "payment_reused", "goods", "return_unknown"}


def test_a_range_of_days_and_an_empty_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_documents(tmp_path / "S", [SENT, OLD], **documents(returns=[RETURN]))
    name = str(store.path)
    assert run(["check", "--store", name, "--date", "2026-11-01", "--to", "2026-11-30"]) == 0
    said = capsys.readouterr().out
    assert "2026-11-09: 1 parcels" in said
    assert "2026-11-20: 1 parcels with 1 lines, 1 lines to be returned" in said
    assert f"tables: {name}/checks" in said
    assert store.days(DayTable.CHECKS) == [date(2026, 11, 9), DAY]
    assert run(["check", "--store", name, "--date", "2020-01-01"]) == 0
    assert "2020-01-01: nothing was declared or applied for" in capsys.readouterr().out
    assert not store.layout.partition(DayTable.CHECKS, date(2020, 1, 1)).exists()


def test_a_table_goes_with_what_was_checked(tmp_path: Path) -> None:
    store = make_documents(tmp_path / "S", [SENT], **documents())
    assert checked(store) == []
    with store.lock("test"), store.transaction() as t:
        t.remove(store.layout.partition(DayTable.DECLARATIONS, DAY))
    assert run(["check", "--store", str(store.path), "--date", str(DAY)]) == 0
    assert store.days(DayTable.CHECKS) == store.days(DayTable.PATTERNS) == []


def test_what_the_verb_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_documents(tmp_path / "S", [SENT])
    assert run(["check", "--store", str(store.path), "--date", "2026-11-20", "--to", "2026-11-19"]) == 2
    assert "give the earlier day" in capsys.readouterr().err
    assert run(["check", "--store", str(tmp_path / "none"), "--date", "2026-11-20"]) == 1
    with store.lock("other"):
        assert run(["check", "--store", str(store.path), "--date", "2026-11-20"]) == 1


def test_programs_read_the_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_documents(tmp_path / "S", [SENT], **documents(payments=[]))
    arguments = ["check", "--store", str(store.path), "--date", str(DAY), "--log-format", "json"]
    assert run(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["days"]["2026-11-20"]["findings"] == {"payment_missing": {"open": 1}}
    assert pl.read_parquet(said["days"]["2026-11-20"]["file"]).height == 1


def test_rules_that_have_ended_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = date(2028, 12, 1)
    sent = datetime.combine(day, CLOSE.timetz()) - 4 * HOUR
    line = OLD | {"direction": "export", "declared_at": sent - timedelta(days=200), "hs_code": "6109100000"}
    store = make_documents(tmp_path / "S", [line], returns=[RETURN | {"sent_at": sent}])
    assert run(["check", "--store", str(store.path), "--date", str(day)]) == 0
    said = capsys.readouterr().out
    assert "return_late        not known        1: the table of the rule ends before" in said
    assert findings_of(store, day).is_empty()
