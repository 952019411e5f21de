"""Inventories that are cancelled or changed: what they said stays, with the moment until which it held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import permutations
from pathlib import Path

import pytest

from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from tests.pipelines.ceb_documents import inventory
from tests.pipelines.document_messages import (
    CANCELLATION,
    INVENTORY,
    INVENTORY_LINE,
    SEQUENCES,
    STATE,
    at,
    element,
    written,
)
from tests.pipelines.taken_in import stored_bytes, stored_rows, take_in_files

pytestmark = pytest.mark.usefixtures("key")
DAY = date(2026, 11, 20)
SENT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
DECLARED = inventory(INVENTORY, INVENTORY_LINE)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_cancellation_withdraws_until_it_is_refused(tmp_path: Path, sequence: Sequence[int]) -> None:
    files = [
        written(tmp_path, "621", [DECLARED]),
        written(tmp_path, "623", [element("InvtCancel", CANCELLATION)]),
        written(tmp_path, "624", [element("InvtCancelReturn", STATE)]),
    ]
    for number in [each for each in sequence if each != 2]:
        report = take_in_files(tmp_path / "cancelled", files[number])
        assert report.exit_code == 0
    assert stored_rows(tmp_path / "cancelled", "declarations").is_empty()
    assert stored_rows(tmp_path / "cancelled", "cancellations").height == 1
    (ended,) = stored_rows(tmp_path / "cancelled", "changes/declarations").to_dicts() or [{}]
    assert (ended["declaration_id"], ended["held_until"]) == ("INVENTORY1", at(22, 1))
    for number in sequence:
        report = take_in_files(tmp_path / "refused", files[number])
        assert report.exit_code == 0
    assert stored_rows(tmp_path / "refused", "declarations")["declaration_id"].to_list() == ["INVENTORY1"]
    assert stored_rows(tmp_path / "refused", "cancellations").is_empty()
    together = take_in_files(tmp_path / "together", *(files[number] for number in sequence))
    assert (together.manifest["rows_in"], together.manifest["rows_kept"]) == (2, 1)
    assert together.manifest["messages_passed_over"] == {"624": 1}


@pytest.mark.parametrize("sequence", list(permutations(range(3))))
def test_lines_that_a_change_leaves_as_they_were_are_of_its_version(
    tmp_path: Path, sequence: Sequence[int]
) -> None:
    second = INVENTORY_LINE | {"gnum": "2", "itemNo": "ITEM-2"}
    said = [(INVENTORY_LINE,), (INVENTORY_LINE, second), (INVENTORY_LINE, second | {"qty": "7"})]
    files = []
    for number, lines in enumerate(said):
        sent = {"appType": "2" if number else "1", "appTime": f"2026112{number}093000"}
        files.append(written(tmp_path, "621", [inventory(INVENTORY | sent, *lines)], f"version{number}"))
    for number in sequence:
        assert take_in_files(tmp_path / "S", files[number]).exit_code == 0
    assert take_in_files(tmp_path / "T", *files).exit_code == 0
    tables = ("declarations", "changes")
    assert stored_bytes(tmp_path / "S", *tables) == stored_bytes(tmp_path / "T", *tables)
    assert Store.open(tmp_path / "S").read_declarations(DAY)["line_no"].to_list() == [1]
    held = stored_rows(tmp_path / "S", "declarations")
    assert held.select("line_no", "sent_at").rows() == [(1, SENT), (2, SENT)]


@pytest.mark.parametrize("sequence", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (1, 2, 0, 3)])
def test_of_two_cancellations_the_one_that_is_not_refused_withdraws(
    tmp_path: Path, sequence: Sequence[int]
) -> None:
    second = CANCELLATION | {"copNo": "CANCEL2", "appTime": "20261122150000"}
    files = [
        written(tmp_path, "621", [DECLARED]),
        written(tmp_path, "623", [element("InvtCancel", CANCELLATION)]),
        written(tmp_path, "623", [element("InvtCancel", second)], "second"),
        written(tmp_path, "624", [element("InvtCancelReturn", STATE)]),
    ]
    for number in sequence:
        take_in_files(tmp_path / "S", files[number])
    take_in_files(tmp_path / "T", *files)
    for store in (tmp_path / "S", tmp_path / "T"):
        assert stored_rows(store, "declarations").is_empty()


ORDERS = [
    (0, 1, 2, 3, 4),
    (4, 3, 2, 1, 0),
    (0, 1, 3, 2, 4),
    (3, 1, 4, 0, 2),
    (2, 4, 0, 3, 1),
    (1, 3, 0, 2, 4),
]
"""The inventory, two applications that overlap, the refusal of the first and then of the second."""


@pytest.mark.parametrize("refused", [False, True])
def test_applications_that_overlap_give_the_same_in_any_order(tmp_path: Path, refused: bool) -> None:
    # It is sent before the first is refused, and may arrive after that.
    second = CANCELLATION | {"copNo": "CANCEL2", "appTime": "20261123080000"}
    later = STATE | {"copNo": "CANCEL2", "returnTime": "20261125100000000"}
    files = [
        written(tmp_path, "621", [DECLARED]),
        written(tmp_path, "623", [element("InvtCancel", CANCELLATION)]),
        written(tmp_path, "623", [element("InvtCancel", second)], "second"),
        written(tmp_path, "624", [element("InvtCancelReturn", STATE)]),
        written(tmp_path, "624", [element("InvtCancelReturn", later)], "later"),
    ][: 5 if refused else 4]
    take_in_files(tmp_path / "T", *files)
    held = stored_rows(tmp_path / "T", "declarations")
    (ended,) = stored_rows(tmp_path / "T", "changes/declarations").to_dicts()
    assert ended["held_until"] == at(22, 1)
    assert held.is_empty() if not refused else held["sent_at"].to_list() == [at(25, 2)]
    expected = stored_bytes(tmp_path / "T", "declarations", "changes/declarations", "cancellations")
    for number, order in enumerate(ORDERS):
        for each in (each for each in order if each < len(files)):
            take_in_files(tmp_path / f"S{number}", files[each])
        found = stored_bytes(tmp_path / f"S{number}", "declarations", "changes/declarations", "cancellations")
        assert found == expected, order


@pytest.mark.parametrize("sequence", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 2, 0, 3), (2, 0, 3, 1)])
def test_a_change_while_an_inventory_is_withdrawn_counts_and_is_not_undone(
    tmp_path: Path, sequence: Sequence[int]
) -> None:
    changed = inventory(
        INVENTORY | {"appType": "2", "appTime": "20261122120000"}, INVENTORY_LINE | {"totalPrice": "99"}
    )
    files = [
        written(tmp_path, "621", [DECLARED]),
        written(tmp_path, "623", [element("InvtCancel", CANCELLATION)]),
        written(tmp_path, "621", [changed], "changed"),
        written(tmp_path, "624", [element("InvtCancelReturn", STATE)]),
    ]
    for number in sequence:
        take_in_files(tmp_path / "S", files[number])
    take_in_files(tmp_path / "T", *files)
    assert stored_rows(tmp_path / "S", "declarations")["total_price"].to_list() == [99.0]
    one_by_one, together = (stored_bytes(tmp_path / name, "declarations", "changes") for name in ("S", "T"))
    assert one_by_one == together


def test_a_cancellation_that_comes_late_reopens_its_own_day(tmp_path: Path) -> None:
    take_in_files(tmp_path / "S", written(tmp_path, "621", [DECLARED]))
    layout = Store.open(tmp_path / "S").layout
    for day in (DAY, date(2026, 11, 22)):
        layout.partition(DayTable.PROFILES, day).mkdir(parents=True)
    report = take_in_files(tmp_path / "S", written(tmp_path, "623", [element("InvtCancel", CANCELLATION)]))
    assert report.reopened == date(2026, 11, 22)
    assert layout.days(DayTable.PROFILES) == [DAY]


def test_a_cancellation_reopens_no_closed_day(tmp_path: Path) -> None:
    other, late = (inventory(INVENTORY | {"invtNo": number}, INVENTORY_LINE) for number in ("B", "C"))
    take_in_files(tmp_path / "S", written(tmp_path, "621", [DECLARED, other]))
    layout = Store.open(tmp_path / "S").layout
    layout.partition(DayTable.PROFILES, DAY).mkdir(parents=True)
    report = take_in_files(tmp_path / "S", written(tmp_path, "623", [element("InvtCancel", CANCELLATION)]))
    assert (report.reopened, stored_rows(tmp_path / "S", "declarations").height) == (None, 1)
    again = take_in_files(tmp_path / "S", written(tmp_path, "621", [late], "late"))
    assert again.reopened == DAY


def test_a_changed_inventory_stays_with_the_moment_it_no_longer_held(tmp_path: Path) -> None:
    later = INVENTORY | {"appType": "2", "appTime": "20261121100000"}
    files = [
        written(tmp_path, "621", [DECLARED], "new"),
        written(tmp_path, "621", [inventory(later, INVENTORY_LINE | {"totalPrice": "99"})], "changed"),
        written(
            tmp_path,
            "621",
            [inventory(later | {"appTime": "20261120235959"}, INVENTORY_LINE | {"totalPrice": "5"})],
            "between",
        ),
    ]
    wanted = [(5.0, at(21, 2)), (301.0, datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC))]
    for number, sequence in enumerate(SEQUENCES):
        for each in sequence:
            take_in_files(tmp_path / f"S{number}", files[each])
        take_in_files(tmp_path / f"T{number}", *(files[each] for each in sequence))
        for store in (tmp_path / f"S{number}", tmp_path / f"T{number}"):
            ended = stored_rows(store, "changes/declarations").sort("total_price")
            assert ended.select("total_price", "held_until").rows() == wanted
            assert stored_rows(store, "declarations")["total_price"].to_list() == [99.0]
