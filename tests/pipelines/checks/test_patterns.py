"""The patterns of a day, in stores whose tables hold what messages would have brought."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from configs.loader import load_settings
from features.check import FINDINGS
from features.pattern import RETURN_KEYS, returned_column, ring_column
from pipelines.cli.main import run
from pipelines.history.checked import with_checked
from pipelines.simulation.run import simulate
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.features.checked_days import CLOSE, DAY, LINE, ORDER, PAYMENT, RETURN, RETURNED_LINE, Row
from tests.pipelines.documents_in_store import make_documents

_DAY = timedelta(days=1)
SENT = LINE | {"sent_at": CLOSE - timedelta(hours=8), "item_name": "cream", "seller_id": "SHOP"}
OLD = RETURNED_LINE | {"seller_id": "SHOP", "own_number": "OWN0"}


def check(store: Store, first: date = DAY, last: date = DAY) -> None:
    assert run(["check", "--store", str(store.path), "--date", str(first), "--to", str(last), "--quiet"]) == 0


def known(store: Store, day: date = DAY) -> dict[str, dict[str, Any]]:
    """By declaration of a day, what is known of its patterns."""
    lines = with_checked(store.layout, day, store.read_declarations(day))
    return {row["declaration_id"]: row for row in lines.iter_rows(named=True)}


def parcels(count: int, day: date = DAY, **same: Any) -> list[Row]:
    """Parcels of a day, each with a buyer of its own."""
    return [
        SENT
        | {
            "declaration_id": f"{day:%d}-{number}",
            "order_id": f"O{day:%d}-{number}",
            "waybill_id": f"W{day:%d}-{number}",
            "buyer_id": f"buyer {day:%d}-{number}",
            "address_id": f"lane {day:%d}-{number}",
            "declared_at": SENT["declared_at"] + (day - DAY),
            "sent_at": SENT["sent_at"] + (day - DAY),
        }
        | same
        for number in range(count)
    ]


def ordered(lines: Sequence[Row], **same: Any) -> list[Row]:
    moved = ({"sent_at": line["sent_at"]} | {name: line[name] for name in _SHARED} for line in lines)
    return [ORDER | row | same for row in moved]


def paid(lines: Sequence[Row], payer: str | None = None) -> list[Row]:
    return [
        PAYMENT
        | {"order_id": line["order_id"], "payer_id": payer or line["buyer_id"], "sent_at": line["sent_at"]}
        for line in lines
    ]


_SHARED = ("order_id", "buyer_id", "address_id")


def test_payers_and_telephones_are_looked_up_in_the_days_before(tmp_path: Path) -> None:
    today, before = parcels(2), parcels(3, DAY - 20 * _DAY)
    long_ago, tomorrow = parcels(9, DAY - 30 * _DAY), parcels(9, DAY + _DAY)
    every = [*today[:1], *before, *long_ago, *tomorrow]
    store = make_documents(
        tmp_path / "S",
        [*every, *today[1:]],
        orders=[*ordered(every, telephone_id="T"), *ordered(today[1:], telephone_id="U")],
        payments=[*paid(every, "boss"), *paid(today[1:])],
    )
    check(store)
    shares, alone = known(store)["20-0"], known(store)["20-1"]
    assert (shares[ring_column("payer_buyers")], shares[ring_column("telephone_buyers")]) == (4, 4)
    assert (alone[ring_column("payer_buyers")], alone[ring_column("telephone_buyers")]) == (0, 1)


def test_an_order_that_was_changed_later_counts_as_it_was_known(tmp_path: Path) -> None:
    lines = parcels(2)
    first, second = ordered(lines, telephone_id="T")
    later = CLOSE + timedelta(hours=1)
    told = [second | {"telephone_id": "U", "sent_at": later, "action": "change"}]
    was = [second | {"held_until": later, "part": "", "action": "new"}]
    store = make_documents(tmp_path / "S", lines, orders=[first, *told, *was])
    check(store)
    assert {row[ring_column("telephone_buyers")] for row in known(store).values()} == {2}


def test_the_same_goods_to_one_place_are_counted_over_few_days(tmp_path: Path) -> None:
    place = {"address_id": "store 1"}
    today = parcels(2, **place)
    other = [*parcels(3, DAY - 6 * _DAY, **place), *parcels(9, DAY - 7 * _DAY, **place)]
    mail = [
        row | {"trade_mode": "mail", "declaration_id": f"M{n}"} for n, row in enumerate(parcels(4, **place))
    ]
    else_goods = [
        row | {"declaration_id": f"E{n}", "quantity": 9.0} for n, row in enumerate(parcels(4, **place))
    ]
    store = make_documents(tmp_path / "S", [*today, *other, *mail, *else_goods], orders=ordered(today))
    check(store)
    row = known(store)["20-0"]
    assert (row[ring_column("basket_parcels")], row[ring_column("basket_buyers")]) == (5, 5)
    assert known(store)["M0"][ring_column("basket_parcels")] == 1
    # Of these four two have the buyers of today's parcels.
    assert known(store)["E0"][ring_column("basket_parcels")] == 4


def returned(number: int, day: date) -> Row:
    return RETURN | {
        "declaration_id": f"OLD{number}",
        "own_number": f"R{number}",
        "sent_at": RETURN["sent_at"] + (day - DAY),
    }  # fmt: skip


def test_returns_count_over_the_days_that_were_checked(tmp_path: Path) -> None:
    days = [DAY, DAY - _DAY, DAY - 3 * _DAY, DAY - 89 * _DAY, DAY - 90 * _DAY]
    sold = [
        OLD
        | {
            "declaration_id": f"OLD{number}",
            "declared_at": OLD["declared_at"] + (day - DAY),
            "buyer_id": f"buyer {number}",
            "sent_at": OLD["declared_at"] + (day - DAY),
        }
        for number, day in enumerate(days)
    ]
    returns = [returned(number, day) for number, day in enumerate(days)]
    store = make_documents(tmp_path / "S", [*parcels(1), *sold], returns=returns)
    lines = returned_column("seller", "lines")
    check(store)
    assert known(store)["20-0"][lines] == 1
    check(store, days[-1], DAY)
    row = known(store)["20-0"]
    assert (row[lines], row[returned_column("seller", "days")]) == (4, 11.0)
    assert row[returned_column("seller", "value_fen")] == 4 * 10_000
    assert row[returned_column("buyer", "lines")] == 0
    assert row[returned_column("goods", "lines")] == 4
    # A day that is checked again is as it was.
    before = files_of(store)
    check(store)
    assert files_of(store) == before


def files_of(store: Store) -> dict[str, bytes]:
    root = store.layout.table(DayTable.PATTERNS)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.parquet"))}


def test_a_day_that_was_not_checked_is_not_known_and_a_store_without_has_no_columns(tmp_path: Path) -> None:
    store = make_documents(tmp_path / "S", [*parcels(1), *parcels(1, DAY - _DAY)])
    lines = store.read_declarations(DAY)
    assert with_checked(store.layout, DAY, lines) is lines
    check(store)
    before = with_checked(store.layout, DAY - _DAY, store.read_declarations(DAY - _DAY))
    now = with_checked(store.layout, DAY, lines)
    assert set(before.columns) == set(now.columns)
    assert before.select(pl.exclude(lines.columns)).null_count().row(0) == (1,) * (before.width - lines.width)
    assert now[ring_column("payer_buyers")].to_list() == [0]


def test_a_store_whose_days_were_checked_before_there_were_patterns(tmp_path: Path) -> None:
    store = make_documents(tmp_path / "S", parcels(1))
    check(store)
    shutil.rmtree(store.layout.table(DayTable.PATTERNS))
    lines = with_checked(store.layout, DAY, store.read_declarations(DAY))
    assert [name for name in lines.columns if name.startswith("_")] == [FINDINGS]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Forty days with rings, of which all were checked."""
    path = tmp_path_factory.mktemp("rings") / "S"
    simulate(
        path, days=40, parcels_per_day=300, end=DAY, seed=7, drift=False, documents=True, rings=True,
        settings=load_settings(None), progress=Progress.silent(),
    )  # fmt: skip
    store = Store.open(path)
    check(store, store.declaration_days()[0], DAY)
    return store


def test_rings_and_circles_stand_out_and_families_do_not(world: Store) -> None:
    days = world.declaration_days()[-10:]
    lines = pl.concat(with_checked(world.layout, day, world.read_declarations(day)) for day in days)
    truth = pl.concat(
        pl.read_parquet(world.layout.file(DayTable.TRUTH, day), hive_partitioning=False) for day in days
    )
    known = lines.join(truth, on=["declaration_id", "line_no"])
    ring, circle = (known["mechanism"].str.contains(name) for name in ("borrowed", "refund"))
    assert ring.sum() > 10
    assert circle.sum() > 3
    shared = known["_ring_telephone_buyers"]
    family = (shared > 1) & ~ring
    assert family.sum() > 20
    assert shared.filter(ring).median() > shared.filter(family).quantile(0.9)
    # The most shared parcels are a ring's.
    top = known["_ring_payer_buyers"].top_k(int(ring.sum() / 2)).min()
    assert ring.filter(known["_ring_payer_buyers"] >= top).all()
    baskets = known["_ring_basket_buyers"]
    assert ring.filter(baskets >= 2).mean() > 0.9
    near = known[returned_column("seller", "near_limit")]
    assert near.filter(circle).mean() > 0.9 > 0.2 > near.filter(~circle).mean()
    assert known[returned_column("seller", "differs")].filter(circle).mean() > 0.9
    assert known[returned_column("seller", "lines")].filter(circle).mean() > 2


def test_the_cutting_of_files_plays_no_part(world: Store, tmp_path: Path) -> None:
    shutil.copytree(world.path, tmp_path / "S")
    store = Store.open(tmp_path / "S")
    for table in (DayTable.ORDERS, DayTable.PAYMENTS, DayTable.RETURNS, DayTable.DECLARATIONS):
        for day in store.days(table)[-12:]:
            for file in store.layout.files(table, day):
                rows = pl.read_parquet(file, hive_partitioning=False)
                rows.sample(fraction=1.0, shuffle=True, seed=3).write_parquet(file, row_group_size=50)
            store.layout.digests(store.layout.partition(table, day)).unlink(missing_ok=True)
    check(store, DAY - 5 * _DAY, DAY)
    assert files_of(store) == files_of(world)


def test_no_person_of_a_ring_is_told_but_by_pseudonym(world: Store) -> None:
    for name, content in files_of(world).items():
        columns = set(pl.read_parquet(content).columns)
        assert columns & {"payer_id", "telephone_id"} == set(), name
        if name.endswith("rings.parquet"):
            assert columns & set(RETURN_KEYS.values()) == set()
