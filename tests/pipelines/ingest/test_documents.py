"""Documents around a declaration: all are accounted for, the latest version counts, nobody is named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from configs.errors import UsageError
from configs.loader import load_settings
from features.contract.documents import DOCUMENT_TABLES, ORDERS
from pipelines.documents.known import known_documents
from pipelines.erasure.forget import forget
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.ingest.withdraw import withdraw
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.ceb_documents import inventory
from tests.pipelines.document_messages import (
    CANCELLATION,
    INVENTORY,
    INVENTORY_LINE,
    ORDER,
    ORDER_LINE,
    PAYMENT,
    RETURN,
    RETURN_LINE,
    STATE,
    TALLY,
    WAYBILL,
    at,
    element,
    order,
    returned,
    written,
)
from tests.pipelines.quarantined import read_quarantine
from tests.pipelines.taken_in import LATER_THAN_MESSAGES, stored_bytes, stored_rows, take_in_files

pytestmark = pytest.mark.usefixtures("key")


def known(store: Path, table: str, moment: datetime) -> pl.DataFrame:
    return known_documents(Store.open(store).layout, DOCUMENT_TABLES[table], moment).collect()


def test_every_official_sample_goes_in_with_one_call(tmp_path: Path, shared: Path) -> None:
    report = take_in_files(tmp_path / "S", shared / "ceb" / "samples")
    assert report.exit_code == 0, list(report.lines())
    # Of documents and their lines, as the samples' README counts them.
    documents = report.manifest["documents"]
    assert {name: counts["rows_in"] for name, counts in documents.items()} == {
        "orders": 12 + 10, "payments": 10 + 10, "waybills": 6 + 10 + 10, "cancellations": 10 + 10,
        "returns": 10 + 10 + 10, "receipts": 10 + 10,
    }  # fmt: skip
    for counts in documents.values():
        kept = counts["rows_kept"] + counts["rows_quarantined"] + counts["rows_superseded"]
        assert counts["rows_in"] == kept
    counted = {
        *("214", "216", "304", "312", "404", "412", "506", "507", "508", "509", "510", "512", "514"),
        *("606", "607", "608", "624", "626", "701", "702", "711", "712", "792"),
    }
    assert report.manifest["messages_passed_over"] == dict.fromkeys(counted, 1)
    assert len(list((shared / "ceb" / "samples").glob("*.xml"))) == 38 == len(report.files)
    # Those of 623 and 625 are drafts, as are those of 621.
    assert report.manifest["reasons"] == {"draft": 10}


def test_documents_join_their_inventory(tmp_path: Path) -> None:
    files = [
        written(tmp_path, "621", [inventory(INVENTORY, INVENTORY_LINE)]),
        written(tmp_path, "311", [order(ORDER, ORDER_LINE)]),
        written(tmp_path, "411", [f"<ceb:Payment>{element('PaymentHead', PAYMENT)}</ceb:Payment>"]),
        written(tmp_path, "511", [f"<ceb:Logistics>{element('LogisticsHead', WAYBILL)}</ceb:Logistics>"]),
        written(tmp_path, "312", [element("OrderReturn", STATE)]),
    ]
    report = take_in_files(tmp_path / "S", *files)

    assert report.exit_code == 0, list(report.lines())
    assert report.manifest["documents"] == {
        name: {"rows_in": 1, "rows_kept": 1, "rows_quarantined": 0, "rows_superseded": 0}
        for name in ("orders", "payments", "waybills")
    }
    assert report.manifest["messages_passed_over"] == {"312": 1}
    assert (report.manifest["rows_in"], report.manifest["rows_kept"]) == (4, 4)
    line = stored_rows(tmp_path / "S", "declarations").row(0, named=True)
    of_order = stored_rows(tmp_path / "S", "orders").row(0, named=True)
    payment = stored_rows(tmp_path / "S", "payments").row(0, named=True)
    waybill = stored_rows(tmp_path / "S", "waybills").row(0, named=True)
    assert line["buyer_id"] == of_order["buyer_id"] == payment["payer_id"]
    # They differ in width, blanks and punctuation.
    assert line["address_id"] == of_order["address_id"] == waybill["address_id"]
    assert of_order["telephone_id"] == payment["telephone_id"] == waybill["telephone_id"]
    assert line["item_no"] == of_order["item_no"] == "ITEM-1"
    assert of_order["discount"] == 0.0
    assert (of_order["paid_total"], payment["amount"], waybill["gross_weight_kg"]) == (342.0, 342.0, 1.2)
    assert (of_order["currency"], of_order["origin_country"], of_order["unit"]) == ("CNY", "KR", "007")
    assert payment["paid_at"] == datetime(2026, 11, 19, 23, 59, tzinfo=UTC)
    assert "item_no" not in Store.open(tmp_path / "S").declaration_schema()


@pytest.mark.parametrize("nothing", [None, "", "\u65e0"])
def test_a_buyer_without_an_identity_number_is_marked(tmp_path: Path, nothing: str | None) -> None:
    """Nobody who gave a number can be compared with them; a word that means nothing is none."""
    nameless = {"buyerIdNumber": nothing}
    files = [
        written(tmp_path, "621", [inventory(INVENTORY | nameless, INVENTORY_LINE)]),
        written(
            tmp_path,
            "311",
            [order(ORDER | nameless, ORDER_LINE), order(ORDER | {"orderNo": "O2"}, ORDER_LINE)],
        ),
    ]
    take_in_files(tmp_path / "S", *files)
    line = stored_rows(tmp_path / "S", "declarations").row(0, named=True)
    orders = stored_rows(tmp_path / "S", "orders").sort("order_id", descending=True)
    named = dict(orders.select("order_id", "buyer_named_by").iter_rows())
    assert line["buyer_named_by"] == "name"
    assert named == {"O2": None, ORDER["orderNo"]: "name"}
    assert orders["buyer_id"].null_count() == 0


def test_nobody_is_named_in_any_file(tmp_path: Path) -> None:
    files = [
        written(tmp_path, "621", [inventory(INVENTORY, INVENTORY_LINE)]),
        written(tmp_path, "311", [order(ORDER, ORDER_LINE), order(ORDER | {"orderNo": None}, ORDER_LINE)]),
        written(tmp_path, "411", [f"<ceb:Payment>{element('PaymentHead', PAYMENT)}</ceb:Payment>"]),
        written(tmp_path, "511", [f"<ceb:Logistics>{element('LogisticsHead', WAYBILL)}</ceb:Logistics>"]),
        written(tmp_path, "623", [element("InvtCancel", CANCELLATION)]),
        written(tmp_path, "625", [returned(RETURN, RETURN_LINE), returned(RETURN | {"invtNo": None})]),
        written(tmp_path, "624", [element("InvtCancelReturn", STATE)]),
        written(tmp_path, "215", [element("InvtRefundDetail", TALLY)]),
    ]
    take_in_files(tmp_path / "S", *files)
    told = []
    for path in sorted((tmp_path / "S").rglob("*")):
        if path.suffix == ".parquet":
            told.append(str(pl.read_parquet(path, hive_partitioning=False).to_dicts()))
        elif path.is_file():
            told.append(path.read_text(encoding="utf-8"))
    for text in told:
        for secret in ("11010519491231002", "欧阳", "13900001111", "示例路"):
            assert secret not in text


def test_a_telephone_in_the_place_of_an_amount_is_none(tmp_path: Path) -> None:
    telephone = {"buyerTelephone": "13900001111", "telephone": "13900001111"}
    misplaced = {"discount": "13900001111", "acturalPaid": "13900001111", "amountPaid": "13900001111"}
    payment = element("PaymentHead", PAYMENT | telephone | misplaced)
    files = [
        written(tmp_path, "311", [order(ORDER | telephone | misplaced, ORDER_LINE)]),
        written(tmp_path, "411", [f"<ceb:Payment>{payment}</ceb:Payment>"]),
    ]
    report = take_in_files(tmp_path / "S", *files)
    assert stored_rows(tmp_path / "S", "orders").select("discount", "paid_total").row(0) == (None, None)
    assert stored_rows(tmp_path / "S", "payments")["amount"].to_list() == [None]
    assert report.manifest["values_masked"] == {"discount": 1, "paid_total": 1, "amount": 1}


@pytest.mark.parametrize("sequence", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (1, 3, 0, 2)])
def test_the_latest_order_counts_whatever_the_sequence(tmp_path: Path, sequence: Sequence[int]) -> None:
    second = {"gnum": 2, "itemNo": "ITEM-2", "totalPrice": 5}
    texts = [
        order(ORDER, ORDER_LINE, ORDER_LINE | second),
        order(ORDER | {"appType": 2, "appTime": "20261121080000", "acturalPaid": 300}, ORDER_LINE),
        order(ORDER | {"appType": 3, "appTime": "20261122080000"}),
        order(ORDER | {"appType": 1, "appTime": "20261123080000", "acturalPaid": 250}, ORDER_LINE),
    ]
    files = [written(tmp_path, "311", [text], f"order-{number}") for number, text in enumerate(texts)]
    for number in sequence:
        take_in_files(tmp_path / "one by one", files[number])
    together = take_in_files(tmp_path / "together", *(files[number] for number in sequence))

    assert stored_bytes(tmp_path / "one by one", "orders", "changes") == stored_bytes(
        tmp_path / "together", "orders", "changes"
    )
    assert together.manifest["documents"]["orders"] == {
        "rows_in": 5, "rows_kept": 1, "rows_quarantined": 0, "rows_superseded": 4,
    }  # fmt: skip
    assert stored_rows(tmp_path / "together", "orders")["paid_total"].to_list() == [250.0]
    seen = [known(tmp_path / "together", "orders", at(day)) for day in (19, 20, 21, 22, 23)]
    assert [sorted(found["paid_total"].to_list()) for found in seen] == [
        [],
        [342.0, 342.0],
        [300.0],
        [],
        [250.0],
    ]


def test_a_repeat_counts_once_and_a_draft_never(tmp_path: Path) -> None:
    files = [
        written(tmp_path, "311", [order(ORDER, ORDER_LINE)]),
        written(
            tmp_path, "311", [order(ORDER, ORDER_LINE), order(ORDER | {"appStatus": 1}, ORDER_LINE)], "more"
        ),
    ]
    for path in files:
        report = take_in_files(tmp_path / "S", path)
    assert report.exit_code == 0
    assert report.manifest["documents"]["orders"]["rows_superseded"] == 2
    assert stored_rows(tmp_path / "S", "orders").height == 1
    assert read_quarantine(tmp_path / "S").is_empty()


def test_what_is_no_document_is_told_and_quarantined(tmp_path: Path) -> None:
    twice = order(ORDER | {"orderNo": "ORDER2"}, ORDER_LINE, ORDER_LINE | {"qty": 3})
    wrong = order(ORDER | {"orderNo": None}, ORDER_LINE)
    later = order(ORDER | {"orderNo": "ORDER3", "appTime": "20300101000000"}, ORDER_LINE)
    report = take_in_files(tmp_path / "S", written(tmp_path, "311", [twice, wrong, later, order(ORDER)]))
    assert report.manifest["documents"]["orders"] == {
        "rows_in": 5, "rows_kept": 1, "rows_quarantined": 4, "rows_superseded": 0,
    }  # fmt: skip
    reasons = read_quarantine(tmp_path / "S")["reasons"].explode().sort().to_list()
    assert reasons == ["duplicate_key", "no_goods_lines", "order_id:missing", "sent_at:future_date"]
    assert report.exit_code == 3


def test_a_file_of_documents_is_not_taken_back(tmp_path: Path) -> None:
    report = take_in_files(tmp_path / "S", written(tmp_path, "311", [order(ORDER, ORDER_LINE)]))
    (file,) = report.manifest["files"]
    with pytest.raises(UsageError, match=r"311\.xml brought orders"):
        withdraw(tmp_path / "S", file["fingerprint"], settings=load_settings())
    assert stored_rows(tmp_path / "S", "orders").height == 1


def test_a_person_is_forgotten_in_documents_too(tmp_path: Path) -> None:
    files = [
        written(tmp_path, "311", [order(ORDER | {"appTime": f"2026112{day}080000"}, ORDER_LINE)], f"o{day}")
        for day in (0, 1)
    ]
    files.append(written(tmp_path, "411", [f"<ceb:Payment>{element('PaymentHead', PAYMENT)}</ceb:Payment>"]))
    take_in_files(tmp_path / "S", *files)
    (buyer,) = set(stored_rows(tmp_path / "S", "orders")["buyer_id"])
    forget(tmp_path / "S", str(ORDER["buyerIdNumber"]), settings=load_settings())
    for table in ("orders", "payments", "changes/orders"):
        assert buyer not in str(stored_rows(tmp_path / "S", table).to_dicts())


def test_many_documents_are_merged_some_at_a_time(tmp_path: Path) -> None:
    texts = [order(ORDER | {"orderNo": f"ORDER{number}"}, ORDER_LINE) for number in range(300)]
    take_in_files(tmp_path / "S", written(tmp_path, "311", texts))
    settings = load_settings()
    small = settings.pipeline.model_copy(
        update={
            "ingest": settings.pipeline.ingest.model_copy(update={"merge_rows": 40, "chunk_rows": 30}),
            "store": settings.pipeline.store.model_copy(update={"bucket_rows": 50}),
        }
    )
    few = settings.model_copy(update={"pipeline": small})
    options = IngestOptions(now=LATER_THAN_MESSAGES)
    half = [written(tmp_path, "311", texts[:150], "a"), written(tmp_path, "311", texts[100:], "b")]
    for path in half:
        ingest([path], tmp_path / "T", options, settings=few, progress=Progress.silent())
    whole, cut = (stored_rows(tmp_path / name, "orders").sort(ORDERS.row_key) for name in ("S", "T"))
    assert whole.equals(cut)
    assert len(stored_bytes(tmp_path / "T", "orders")) == 8
