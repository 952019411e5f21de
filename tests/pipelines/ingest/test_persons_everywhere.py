"""A person's number, name or address in any text or code of any source is nowhere in the store."""

from __future__ import annotations

import logging
from pathlib import Path

import polars as pl
import pytest

from pipelines.store.store import Store
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, inventory, message
from tests.pipelines.ingest.test_ingest_privacy import DAY, GOOD, assert_silent, put, run
from tests.pipelines.quarantined import read_quarantine

pytestmark = pytest.mark.usefixtures("key")

BUYER = {
    "buyerIdNumber": "110101199003070791",
    "buyerName": "王小明",
    "buyerTelephone": "13800138000",
    "consigneeAddress": "12 High Street, Leeds",
}


def test_a_buyer_repeated_in_texts_and_codes_of_a_message_is_masked_or_hashed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    head = {**IMPORT_HEAD, **BUYER, "orderNo": "110101199003070791", "ebcCode": "B13800138000"}
    line = {
        **IMPORT_LINE,
        "gname": "保湿面霜 王 小明 收 １３８００１３８０００",
        "gmodel": "50 g 12 high street leeds",
    }
    broken = {**line, "gcode": "?", "gname": "面霜 138-0013-8000", "itemName": "110101 19900307 0791"}
    path = tmp_path / "a.xml"
    kept = [inventory({**head, "invtNo": f"X{number}"}, line) for number in range(2)]
    path.write_text(message([*kept, inventory({**head, "invtNo": "110101199003070791"}, broken)]))
    report = run(tmp_path / "S", path)

    stored = Store.open(tmp_path / "S").read_declarations(DAY)
    assert stored["item_name"].unique().to_list() == ["保湿面霜 [masked] 收 [masked]"]
    assert stored["item_model"].unique().to_list() == ["50 g [masked]"]
    assert stored["order_id"].n_unique() == 1, "what was one number joins still"
    assert stored["order_id"].str.contains("^[0-9a-f]{32}$").all()
    assert stored["seller_id"].str.contains("^[0-9a-f]{32}$").all()
    assert report.manifest["values_masked"] == {"item_name": 3, "item_model": 3}
    assert report.manifest["values_hashed"] == {"declaration_id": 1, "order_id": 3, "seller_id": 3}
    (record,) = read_quarantine(tmp_path / "S")["record"]
    assert "面霜 [masked]" in record
    assert f'"orderNo":"hashed:{stored["order_id"][0]}"' in record
    assert_silent(tmp_path / "S", report, caplog.text)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_person_in_item_order_and_seller_columns_of_a_table(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str
) -> None:
    caplog.set_level(logging.DEBUG)
    persons = {"收件人": "王小明", "phone": "13800138000", "consignee_address": "12 High Street, Leeds"}
    row = {
        **GOOD,
        **persons,
        "item_name": "红茶杯 给王小明",
        "item_model": "110101-19900307-0791",
        "order_id": "110101199003070791",
        "seller_id": "S-13800138000",
        "waybill_id": "W12 HIGH STREET LEEDS",
    }
    broken = {**row, "declaration_id": "110101199003070791", "currency": "王小明", "hs_code": "13800138000"}
    twice = {**row, "declaration_id": "D3"}
    rows = [row, broken, twice, {**twice, "total_price": "6"}]
    path = tmp_path / f"a.{suffix}"
    put(path, *rows) if suffix == "csv" else pl.DataFrame(rows).write_parquet(path)
    report = run(tmp_path / "S", path)

    stored = Store.open(tmp_path / "S").read_declarations(DAY)
    assert stored["item_name"].unique().to_list() == ["红茶杯 给[masked]"]
    assert stored["item_model"].unique().to_list() == ["[masked]"]
    assert stored.select("order_id", "seller_id", "waybill_id").unique().height == 1
    assert read_quarantine(tmp_path / "S").height == 2
    assert_silent(tmp_path / "S", report, caplog.text)


def test_further_columns_of_a_mapping_are_screened(tmp_path: Path) -> None:
    mapping = tmp_path / "shop.yaml"
    names = ("declaration_id", "declared_at", "hs_code", "total_price", "currency", "item_name")
    renamed = "".join(f"  {name}: {name}\n" for name in names)
    mapping.write_text(
        f"rename:\n{renamed}constants: {{line_no: 1}}\n"
        "extra: {categories: {remark: remark, courier: courier}, numbers: {box: box, score: score}}\n"
    )
    further = {"remark": "call 138 0013 8000", "courier": "SF", "box": "13800138000", "score": "2.5"}
    report = run(tmp_path / "S", put(tmp_path / "a.csv", {**GOOD, **further}), mapping=str(mapping))

    stored = Store.open(tmp_path / "S").read_declarations(DAY)
    assert stored.select("remark", "courier", "box", "score").row(0) == ("call [masked]", "SF", None, 2.5)
    assert report.manifest["values_masked"] == {"remark": 1, "box": 1}
    assert_silent(tmp_path / "S", report, "")


def test_results_of_a_hashed_number_join_their_declaration(tmp_path: Path) -> None:
    number = "110101199003070791"
    run(tmp_path / "S", put(tmp_path / "a.csv", {**GOOD, "declaration_id": number}))
    result = {"declaration_id": number, "line_no": 1, "inspected_on": DAY, "reported_on": DAY,
              "food_safety": True}  # fmt: skip
    run(tmp_path / "S", put(tmp_path / "b.csv", result))

    store = Store.open(tmp_path / "S")
    assert store.read_inspections()["declaration_id"][0] == store.read_declarations(DAY)["declaration_id"][0]


def test_a_table_without_headings_does_not_quote_its_first_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("D1,138-0013-8000,110101199003070791,茶\nD2,1,2,3\n")
    report = run(tmp_path / "S", path)
    assert report.exit_code == 3
    assert_silent(tmp_path / "S", report, "")
