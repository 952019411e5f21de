"""Look-ups by the index find what reading all files finds, and read no others."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from configs.errors import StoreError
from configs.loader import load_settings
from features.arrays.hashing import hash_text
from pipelines.erasure.forget import forget
from pipelines.keys.key_index import DECLARATION, INDEXED, OWN_NUMBER, document_key, files_with
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, inventory
from tests.pipelines.document_messages import ORDER, ORDER_LINE, STATE, element, order, written
from tests.pipelines.taken_in import stored_bytes, take_in_files

pytestmark = pytest.mark.usefixtures("key")

DAYS = (18, 19, 20)


def inventories(folder: Path, day: int, *, total: str = "301") -> Path:
    at = f"202611{day}080000"
    head = IMPORT_HEAD | {"invtNo": f"INVENTORY{day}", "copNo": f"COP{day}", "appTime": at, "declTime": at}
    line = IMPORT_LINE | {"totalPrice": total}
    return written(folder, "621", [inventory(head, line)], f"inventories-{day}-{total}")


def orders(folder: Path, number: int, day: int, hour: int = 8) -> Path:
    fields = ORDER | {"orderNo": f"ORDER{number}", "appTime": f"202611{day}{hour:02d}0000", "appType": 2}
    return written(folder, "311", [order(fields, ORDER_LINE)], f"order-{number}-{day}-{hour}")


def receipts(folder: Path, day: int, number: str | None) -> Path:
    fields = STATE | {"ebcCode": "SELLER1", "copNo": f"COP{day}", "invtNo": number}
    texts = [
        element(
            "InventoryReturn", fields | {"returnStatus": status, "returnTime": f"202611{day + at}100000000"}
        )
        for at, status in enumerate((500, 800), start=1)
    ]
    return written(folder, "622", texts, f"receipts-{day}-{number}")


def sets_of_files(folder: Path) -> list[list[Path]]:
    """What comes in, call by call: changes, repeats, and receipts before and after their inventory."""
    return [
        [inventories(folder, 18), orders(folder, 1, 18), receipts(folder, 19, None)],
        [inventories(folder, 19), orders(folder, 2, 19), orders(folder, 3, 19)],
        [inventories(folder, 20), orders(folder, 1, 20), receipts(folder, 20, "INVENTORY20")],
        [orders(folder, 2, 18, 7), orders(folder, 3, 19), inventories(folder, 18, total="299")],
        [receipts(folder, 18, "INVENTORY18")],
    ]


def hashes(texts: Sequence[str]) -> np.ndarray:
    return np.sort(hash_text(pl.Series(texts)).to_numpy())


def test_files_are_found_by_each_of_their_keys(tmp_path: Path) -> None:
    for files in sets_of_files(tmp_path)[:3]:
        take_in_files(tmp_path / "S", *files)
    store = Store.open(tmp_path / "S")
    for table, keys in INDEXED.items():
        files = [file for day in store.days(table) for file in store.layout.files(table, day)]
        for key in keys:
            for file in files:
                own = key.hashes(pl.read_parquet(file)).drop_nulls().unique().sort().to_numpy()
                found = files_with(store.layout, files, key, own)
                holding = [
                    each for each in files if key.hashes(pl.read_parquet(each)).is_in(own.tolist()).any()
                ]
                assert found == holding, (table, key)
    days = [file for day in store.declaration_days() for file in store.layout.buckets(day)]
    assert len(days) == len(DAYS)
    assert files_with(store.layout, days, DECLARATION, hashes(["INVENTORY19"])) == days[1:2]
    assert files_with(store.layout, days, DECLARATION, hashes(["INVENTORY9"])) == []
    assert files_with(store.layout, days, DECLARATION, hashes([])) == []
    ledger = store.layout.ledger
    assert len(ledger) == len(DAYS)
    assert files_with(store.layout, ledger, DECLARATION, hashes(["INVENTORY19"])) == ledger[1:2]
    # A pair of numbers is another key than the same text in one of them.
    assert files_with(store.layout, days, OWN_NUMBER, hashes(["SELLER1\x1fCOP20"])) == days[2:]
    assert files_with(store.layout, days, OWN_NUMBER, hashes(["COP20"])) == []


def test_a_store_is_the_same_without_an_index(tmp_path: Path) -> None:
    tables = ("declarations", "inspections", "orders", "receipts", "changes", "ledger")
    for files in sets_of_files(tmp_path):
        take_in_files(tmp_path / "S", *files)
        take_in_files(tmp_path / "T", *files)
        assert (tmp_path / "T" / ".keys").is_dir()
        shutil.rmtree(tmp_path / "T" / ".keys")
        assert stored_bytes(tmp_path / "S", *tables) == stored_bytes(tmp_path / "T", *tables)
    inspected = Store.open(tmp_path / "S").read_inspections()
    assert sorted(inspected["declaration_id"]) == [f"INVENTORY{day}" for day in DAYS]


def test_only_files_with_a_key_are_read(tmp_path: Path) -> None:
    for files in sets_of_files(tmp_path)[:3]:
        take_in_files(tmp_path / "S", *files)
    # Nobody notices that a day's file is damaged until something of it is asked for.
    (damaged,) = (tmp_path / "S" / "orders" / "received_on=2026-11-19").glob("*.parquet")
    damaged.write_bytes(b"no Parquet at all")
    take_in_files(tmp_path / "S", orders(tmp_path, 1, 20, 9))
    with pytest.raises(StoreError, match=r"received_on=2026-11-19.* is damaged"):
        take_in_files(tmp_path / "S", orders(tmp_path, 2, 20, 9))


def test_a_damaged_index_is_told_with_what_to_do(tmp_path: Path) -> None:
    take_in_files(tmp_path / "S", orders(tmp_path, 1, 18))
    (index,) = (tmp_path / "S" / ".keys" / "orders").rglob("*-order_id.parquet")
    index.write_bytes(index.read_bytes()[:-1] + b"?")
    with pytest.raises(StoreError, match=r"Delete the folder .*\.keys.*looked up in the tables"):
        take_in_files(tmp_path / "S", orders(tmp_path, 1, 20))
    shutil.rmtree(index.parent)
    take_in_files(tmp_path / "S", orders(tmp_path, 1, 20))
    assert Store.open(tmp_path / "S").days(DayTable.ORDERS)[-1].day == 20


def test_what_is_written_anew_is_indexed_anew(tmp_path: Path) -> None:
    take_in_files(tmp_path / "S", inventories(tmp_path, 18), orders(tmp_path, 1, 18))
    before = set((tmp_path / "S" / ".keys").rglob("*.parquet"))
    forget(tmp_path / "S", str(ORDER["buyerIdNumber"]), settings=load_settings())
    after = set((tmp_path / "S" / ".keys").rglob("*.parquet"))
    assert len(after) == len(before)
    # The ledger holds nothing of a person, so it stays.
    assert {index.parent.name for index in after & before} == {"ledger"}
    layout = Store.open(tmp_path / "S").layout
    (day,) = layout.days(DayTable.ORDERS)
    files = layout.files(DayTable.ORDERS, day)
    assert files_with(layout, files, document_key("orders"), hashes(["PLATFORM1\x1fORDER1"])) == files
    assert files_with(layout, files, document_key("orders"), hashes(["PLATFORM1\x1fORDER2"])) == []
