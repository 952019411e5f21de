from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.ingest.sources.ceb import MESSAGE_SCHEMA
from tests.pipelines.ceb_documents import (
    IDENTITY,
    IMPORT_HEAD,
    IMPORT_LINE,
    NAMES,
    exported,
    frames,
    imported,
    inventory,
    message,
    read,
)


def test_an_import_inventory(tmp_path: Path) -> None:
    row = imported(tmp_path, {}, {})

    assert {column: row[column] for column in DECLARATION_COLUMNS} == {
        "declaration_id": NAMES.hash_key(["SELLER1", "COP1"], "declaration_id"),
        "line_no": "1",
        "declared_at": "20261120",
        "direction": "import",
        "trade_mode": "9610",
        "customs_office": "2991",
        "port": "2992",
        "transport_mode": "5",
        "platform_id": "PLATFORM1",
        "seller_id": "SELLER1",
        "agent_id": "AGENT1",
        "carrier_id": "CARRIER1",
        "order_id": "ORDER1",
        "waybill_id": "WAYBILL1",
        "buyer_id": NAMES.hash_value(IDENTITY["buyerIdNumber"], "buyer_id"),
        "address_id": NAMES.hash_value(IDENTITY["consigneeAddress"], "address_id"),
        "origin_country": "KR",
        "dispatch_country": "JP",
        "destination_country": None,
        "hs_code": "3304990039",
        "item_name": "保湿面霜",
        "item_model": "50 g",
        "barcode": "4901234567894",
        "quantity": "2",
        "unit": "007",
        "legal_quantity": "0.1",
        "legal_unit": "035",
        "unit_price": "150.5",
        "total_price": "301",
        "currency": "CNY",
        "gross_weight_kg": "1.2",
        "net_weight_kg": "1",
        "freight": "12.5",
        "insurance": "0",
        "package_count": "1",
    }
    assert row["_action"] == "new"
    assert row["_message_at"] == datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
    assert (row["_source_row"], row["_offset"], row["_reject"], row["_nulled"]) == (1, 1, None, None)


def test_an_export_inventory(tmp_path: Path) -> None:
    row = exported(tmp_path, {}, {"country": None})

    assert row["direction"] == "export"
    assert row["declared_at"] == "20261120093000"
    assert (row["origin_country"], row["dispatch_country"], row["destination_country"]) == (None, None, "US")
    assert (row["buyer_id"], row["address_id"], row["seller_id"]) == (None, None, "SELLER1")
    assert (row["freight"], row["insurance"], row["currency"]) == ("12.5", "0", "CNY")
    assert exported(tmp_path, {}, {"country": "133"})["destination_country"] == "KR"


def test_every_frame_has_the_schema(tmp_path: Path) -> None:
    path = tmp_path / "many.xml"
    lines = [{**IMPORT_LINE, "gnum": str(number)} for number in (1, 2, 3)]
    path.write_text(message([inventory(IMPORT_HEAD, *lines)] * 5), encoding="utf-8")

    chunks = frames(path, chunk_rows=4)

    assert [chunk.height for chunk in chunks] == [4, 4, 4, 3]
    schema = {name: dtype for name, dtype in MESSAGE_SCHEMA.items() if name != "_persons"}
    assert all(dict(chunk.schema) == schema for chunk in chunks)
    assert pl.concat(chunks)["_source_row"].to_list() == list(range(1, 16))
    assert pl.concat(chunks)["_offset"].to_list() == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]
    assert pl.concat(chunks).equals(pl.concat(frames(path)))


def test_long_texts_make_small_chunks(tmp_path: Path) -> None:
    path = tmp_path / "long.xml"
    path.write_text(
        message([inventory(IMPORT_HEAD, {**IMPORT_LINE, "gname": "x" * 5000})] * 3), encoding="utf-8"
    )

    assert [chunk.height for chunk in frames(path, chunk_chars=5000)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("fields", "same_as"),
    [
        ({"invtNo": "29912026I000000001"}, "29912026I000000001"),
        ({}, NAMES.hash_key(["SELLER1", "COP1"], "declaration_id")),
        ({"copNo": " "}, NAMES.hash_key(["PLATFORM1", "ORDER1", "WAYBILL1"], "declaration_id")),
        ({"ebcCode": None}, NAMES.hash_key(["PLATFORM1", "ORDER1", "WAYBILL1"], "declaration_id")),
        ({"copNo": None, "logisticsNo": None}, None),
    ],
)
def test_the_key_of_a_declaration(tmp_path: Path, fields: dict[str, str | None], same_as: str | None) -> None:
    assert imported(tmp_path, fields, {})["declaration_id"] == same_as


def test_one_guid_in_several_inventories_keeps_them_apart(tmp_path: Path) -> None:
    inventories = [inventory({**IMPORT_HEAD, "copNo": number}, IMPORT_LINE) for number in ("A", "B", "A")]

    ids = read(tmp_path, inventories)["declaration_id"]

    assert ids[0] == ids[2] != ids[1]


@pytest.mark.parametrize(
    ("fields", "action", "reject"),
    [
        ({"appType": "1"}, "new", None),
        ({"appType": "2"}, "change", None),
        ({"appType": "3"}, "delete", None),
        ({"appType": None}, "new", None),
        ({"appType": "4"}, None, "bad_app_type"),
        ({"appType": "３"}, "delete", None),
        ({"appType": "02"}, "change", None),
        ({"appType": "change"}, None, "bad_app_type"),
        ({"appStatus": "01"}, "draft", None),
        ({"appStatus": "1.0"}, "draft", None),
        ({"appStatus": "null"}, None, "bad_app_status"),
        ({"appTime": "late"}, "new", None),
        ({"appTime": "late", "appType": "2"}, "change", "appTime:not_a_time"),
        ({"appTime": None, "appType": "3"}, "delete", "appTime:missing"),
        ({"appTime": "20310101000000", "appType": "3"}, "delete", "appTime:future_date"),
        ({"appTime": "19000101000000", "appType": "2"}, "change", "appTime:out_of_range"),
        ({"appStatus": "1"}, "draft", None),
        ({"appStatus": "1", "appType": "3"}, "draft", None),
        ({"appStatus": "100", "appType": "2"}, "change", None),
        ({"appStatus": None}, None, "missing_app_status"),
    ],
)
def test_what_a_message_does(
    tmp_path: Path, fields: dict[str, str | None], action: str | None, reject: str | None
) -> None:
    row = imported(tmp_path, fields, {})

    assert (row["_action"], row["_reject"]) == (action, reject)


def test_every_inventory_is_accounted_for(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        [
            inventory({**IMPORT_HEAD, "appType": "3"}),
            inventory(IMPORT_HEAD),
            inventory({**IMPORT_HEAD, "appStatus": "1"}),
            inventory(None, IMPORT_LINE, {**IMPORT_LINE, "gnum": "2"}),
            inventory(None),
            inventory(IMPORT_HEAD, IMPORT_LINE),
        ],
    )

    assert found["_offset"].to_list() == [1, 2, 3, 4, 4, 5, 6]
    assert found["line_no"].to_list() == [None, None, None, "1", "2", None, "1"]
    assert found["_action"].to_list() == ["delete", "new", "draft", None, None, None, "new"]
    assert found["_reject"].to_list() == [
        None,
        "no_goods_lines",
        "no_goods_lines",
        "no_inventory_head",
        "no_inventory_head",
        "no_inventory_head",
        None,
    ]
    assert found["declaration_id"].is_null().to_list() == [False, False, False, True, True, True, False]


def test_a_line_before_its_head_does_not_taint_the_next(tmp_path: Path) -> None:
    late = inventory(IMPORT_HEAD, IMPORT_LINE)
    head = re.search(r"<ceb:InventoryHead>.*</ceb:InventoryHead>", late)
    assert head is not None
    line = late.replace(head[0], "").removeprefix("<ceb:Inventory>").removesuffix("</ceb:Inventory>")

    found = read(tmp_path, [f"<ceb:Inventory>{line}{head[0]}{line}</ceb:Inventory>"])

    assert found["_reject"].to_list() == ["no_inventory_head", None]
    assert found["declaration_id"].is_null().to_list() == [True, False]


def test_a_field_stated_twice_before_the_head_is_no_fault_of_the_program(tmp_path: Path) -> None:
    whole = inventory(IMPORT_HEAD, IMPORT_LINE)
    line = whole[whole.index("<ceb:InventoryList>") :].removesuffix("</ceb:Inventory>")
    number = f"<ceb:gnum>{IMPORT_LINE['gnum']}</ceb:gnum>"
    early = line.replace(number, number * 2)

    found = read(tmp_path, [whole.replace("<ceb:Inventory>", f"<ceb:Inventory>{early}")])

    assert found["_reject"].to_list() == ["no_inventory_head", None]


def test_the_record_keeps_the_row_as_it_came_but_for_who_it_was(tmp_path: Path) -> None:
    row = imported(tmp_path, {"newField": "欧阳测试"}, {"gname": 'a "quoted" name', "secret": "13900001111"})

    record = json.loads(row["_record"])

    assert record["message"] == "CEB621Message"
    assert record["line"]["gname"] == 'a "quoted" name'
    assert record["head"]["copNo"] == "COP1"
    assert record["head"]["buyerIdNumber"] == f"hashed:{row['buyer_id']}"
    hashed = {
        field for part in ("head", "line") for field, value in record[part].items() if "hashed:" in value
    }
    assert hashed == {
        *IDENTITY,
        *("ebpName", "ebcName", "logisticsName", "agentName", "areaName", "note", "newField", "secret"),
    }


def test_no_frame_names_anybody(tmp_path: Path) -> None:
    found = read(
        tmp_path, [inventory(IMPORT_HEAD, IMPORT_LINE), inventory({**IMPORT_HEAD, "appStatus": "1"})]
    )

    text = found.with_columns(pl.col("_nulled").list.join(";")).write_csv()

    assert [value for value in IDENTITY.values() if value in text] == []
    assert "某某" not in text


def test_a_truncated_file_keeps_its_good_rows(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    path.write_text(message([inventory(IMPORT_HEAD, IMPORT_LINE)] * 300)[:-400], encoding="utf-8")

    chunks = frames(path, chunk_rows=100)

    assert [chunk.height for chunk in chunks] == [100, 100, 100]
    assert chunks[-1]["_reject"].to_list() == [None] * 99 + ["unreadable_text"]
    fault = chunks[-1]["_fault"][-1]
    assert "inventory 300" in fault
    assert "truncated" in fault


def test_the_official_sample(shared: Path) -> None:
    path = shared / "ceb" / "samples" / "CEB621Message.xml"
    found = pl.concat(frames(path))

    assert found.height == 20
    assert found["_offset"].n_unique() == 10
    assert found["line_no"].to_list() == ["1", "2"] * 10
    assert found["_action"].value_counts().sort("_action").rows() == [("draft", 10), ("new", 10)]
    # `invtNo` is empty and one guid stands in all of them: two company numbers make two declarations.
    assert found.group_by("_action").agg(pl.col("declaration_id").n_unique())["declaration_id"].to_list() == [
        1,
        1,
    ]
    assert found["declaration_id"].n_unique() == 2
    assert set(found["item_name"]) >= {"小米盒子", "花王纸尿裤"}
    personal = {
        element.text
        for element in ElementTree.parse(path).iter()
        if element.text
        and re.search(r"buyer(IdNumber|Name|Telephone)$|consigneeAddress$|areaName$", element.tag)
    }
    text = found.with_columns(pl.col("_nulled").list.join(";")).write_csv()
    assert len(personal) >= 4
    assert [value for value in personal if value in text] == []
