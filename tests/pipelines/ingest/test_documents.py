"""Documents around a declaration: all are accounted for, the latest version counts, nobody is named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from configs.errors import UsageError
from configs.loader import load_settings
from features.contract.documents import DOCUMENT_TABLES, ORDERS, WAYBILLS
from pipelines.documents.known import known_documents
from pipelines.erasure.forget import forget
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.ingest.report import IngestReport
from pipelines.ingest.withdraw import withdraw
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, inventory
from tests.pipelines.document_messages import (
    CANCELLATION,
    EXPORT_RETURN,
    ORDER,
    ORDER_LINE,
    PAYMENT,
    RETURN,
    RETURN_LINE,
    STATE,
    STATUS,
    TALLY,
    TAX,
    TAX_LINE,
    WAYBILL,
    element,
    order,
    returned,
    tax_bill,
    written,
)
from tests.pipelines.quarantined import read_quarantine

DAY = date(2026, 11, 20)
HEAD = IMPORT_HEAD | {"invtNo": "INVENTORY1", "appTime": "20261120093000"}
LINE = IMPORT_LINE | {"itemNo": "ITEM-1"}
DECLARED = inventory(HEAD, LINE)
SEQUENCES = [(0, 1, 2), (2, 1, 0), (1, 2, 0)]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", "a key for tests, not a secret")


def run(store: Path, *files: Path) -> IngestReport:
    options = IngestOptions(now=datetime(2026, 12, 10, tzinfo=UTC))
    return ingest(files, store, options, settings=load_settings(), progress=Progress.silent())


def rows(store: Path, table: str) -> pl.DataFrame:
    """A table as any engine reads it."""
    files = sorted((store / table).rglob("*.parquet"))
    return (
        pl.read_parquet(files, hive_partitioning=False, missing_columns="insert") if files else pl.DataFrame()
    )


def content(store: Path, *tables: str) -> dict[str, bytes]:
    """The files of some tables."""
    files = [path for table in tables for path in sorted((store / table).rglob("*.parquet"))]
    return {str(path.relative_to(store)): path.read_bytes() for path in files}


def known(store: Path, table: str, moment: datetime) -> pl.DataFrame:
    return known_documents(Store.open(store).layout, DOCUMENT_TABLES[table], moment).collect()


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_every_official_sample_goes_in_with_one_call(tmp_path: Path, shared: Path) -> None:
    report = run(tmp_path / "S", shared / "ceb" / "samples")
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
        written(tmp_path, "621", [DECLARED]),
        written(tmp_path, "311", [order(ORDER, ORDER_LINE)]),
        written(tmp_path, "411", [f"<ceb:Payment>{element('PaymentHead', PAYMENT)}</ceb:Payment>"]),
        written(tmp_path, "511", [f"<ceb:Logistics>{element('LogisticsHead', WAYBILL)}</ceb:Logistics>"]),
        written(tmp_path, "312", [element("OrderReturn", STATE)]),
    ]
    report = run(tmp_path / "S", *files)

    assert report.exit_code == 0, list(report.lines())
    assert report.manifest["documents"] == {
        name: {"rows_in": 1, "rows_kept": 1, "rows_quarantined": 0, "rows_superseded": 0}
        for name in ("orders", "payments", "waybills")
    }
    assert report.manifest["messages_passed_over"] == {"312": 1}
    assert (report.manifest["rows_in"], report.manifest["rows_kept"]) == (4, 4)
    line = rows(tmp_path / "S", "declarations").row(0, named=True)
    of_order = rows(tmp_path / "S", "orders").row(0, named=True)
    payment = rows(tmp_path / "S", "payments").row(0, named=True)
    waybill = rows(tmp_path / "S", "waybills").row(0, named=True)
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


def test_nobody_is_named_in_any_file(tmp_path: Path) -> None:
    files = [
        written(tmp_path, "621", [DECLARED]),
        written(tmp_path, "311", [order(ORDER, ORDER_LINE), order(ORDER | {"orderNo": None}, ORDER_LINE)]),
        written(tmp_path, "411", [f"<ceb:Payment>{element('PaymentHead', PAYMENT)}</ceb:Payment>"]),
        written(tmp_path, "511", [f"<ceb:Logistics>{element('LogisticsHead', WAYBILL)}</ceb:Logistics>"]),
        written(tmp_path, "623", [element("InvtCancel", CANCELLATION)]),
        written(tmp_path, "625", [returned(RETURN, RETURN_LINE), returned(RETURN | {"invtNo": None})]),
        written(tmp_path, "624", [element("InvtCancelReturn", STATE)]),
        written(tmp_path, "215", [element("InvtRefundDetail", TALLY)]),
    ]
    run(tmp_path / "S", *files)
    told = []
    for path in sorted((tmp_path / "S").rglob("*")):
        if path.suffix == ".parquet":
            told.append(str(pl.read_parquet(path, hive_partitioning=False).to_dicts()))
        elif path.is_file():
            told.append(path.read_text(encoding="utf-8"))
    for text in told:
        for secret in ("11010519491231002", "欧阳", "13900001111", "示例路"):
            assert secret not in text


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
        run(tmp_path / "one by one", files[number])
    together = run(tmp_path / "together", *(files[number] for number in sequence))

    assert content(tmp_path / "one by one", "orders", "changes") == content(
        tmp_path / "together", "orders", "changes"
    )
    assert together.manifest["documents"]["orders"] == {
        "rows_in": 5, "rows_kept": 1, "rows_quarantined": 0, "rows_superseded": 4,
    }  # fmt: skip
    assert rows(tmp_path / "together", "orders")["paid_total"].to_list() == [250.0]
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
        report = run(tmp_path / "S", path)
    assert report.exit_code == 0
    assert report.manifest["documents"]["orders"]["rows_superseded"] == 2
    assert rows(tmp_path / "S", "orders").height == 1
    assert read_quarantine(tmp_path / "S").is_empty()


def test_what_is_no_document_is_told_and_quarantined(tmp_path: Path) -> None:
    twice = order(ORDER | {"orderNo": "ORDER2"}, ORDER_LINE, ORDER_LINE | {"qty": 3})
    wrong = order(ORDER | {"orderNo": None}, ORDER_LINE)
    later = order(ORDER | {"orderNo": "ORDER3", "appTime": "20300101000000"}, ORDER_LINE)
    report = run(tmp_path / "S", written(tmp_path, "311", [twice, wrong, later, order(ORDER)]))
    assert report.manifest["documents"]["orders"] == {
        "rows_in": 5, "rows_kept": 1, "rows_quarantined": 4, "rows_superseded": 0,
    }  # fmt: skip
    reasons = read_quarantine(tmp_path / "S")["reasons"].explode().sort().to_list()
    assert reasons == ["duplicate_key", "no_goods_lines", "order_id:missing", "sent_at:future_date"]
    assert report.exit_code == 3


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_status_joins_its_waybill(tmp_path: Path, sequence: Sequence[int]) -> None:
    files = [
        written(tmp_path, "511", [f"<ceb:Logistics>{element('LogisticsHead', WAYBILL)}</ceb:Logistics>"]),
        written(tmp_path, "513", [element("LogisticsStatus", STATUS)]),
        written(
            tmp_path,
            "513",
            [element("LogisticsStatus", STATUS | {"logisticsStatus": "R", "appTime": "20261120200000"})],
            "earlier",
        ),
    ]
    for number in sequence:
        run(tmp_path / "S", files[number])
    (row,) = rows(tmp_path / "S", "waybills").to_dicts()
    assert (row["gross_weight_kg"], row["status"]) == (1.2, "S")
    run(tmp_path / "T", *(files[number] for number in sequence))
    assert content(tmp_path / "S", "waybills", "changes") == content(tmp_path / "T", "waybills", "changes")
    (before,) = known(tmp_path / "S", "waybills", at(20)).to_dicts()
    assert (before["gross_weight_kg"], before["status"]) == (1.2, None)
    assert known_documents(Store.open(tmp_path / "S").layout, WAYBILLS, at(19)).collect().is_empty()


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_refused_tally_is_none(tmp_path: Path, sequence: Sequence[int]) -> None:
    files = [
        written(tmp_path, "213", [returned(EXPORT_RETURN, RETURN_LINE, RETURN_LINE | {"gnum": 2})]),
        written(tmp_path, "215", [element("InvtRefundDetail", TALLY)]),
        written(
            tmp_path,
            "216",
            [
                element("InvtRefundDetailReturn", {
                    "operatorCode": "OPERATOR1", "logisticsCode": "CARRIER1", "logisticsNo": "BACK1",
                    "coElNo": "RETURN9", "returnStatus": "-216001", "returnTime": "20261125130000000",
                })
            ],
        ),
    ]  # fmt: skip
    for number in sequence[:-1]:
        run(tmp_path / "S", files[number])
    report = run(tmp_path / "S", files[sequence[-1]])
    assert report.exit_code == 0
    lines = rows(tmp_path / "S", "returns").sort("line_no")
    assert lines["line_no"].to_list() == [1, 2]
    assert lines["tallied_at"].to_list() == [None, None]
    run(tmp_path / "T", *files[:2])
    assert rows(tmp_path / "T", "returns")["tallied_at"].null_count() == 0


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_cancellation_withdraws_until_it_is_refused(tmp_path: Path, sequence: Sequence[int]) -> None:
    files = [
        written(tmp_path, "621", [DECLARED]),
        written(tmp_path, "623", [element("InvtCancel", CANCELLATION)]),
        written(tmp_path, "624", [element("InvtCancelReturn", STATE)]),
    ]
    for number in [each for each in sequence if each != 2]:
        report = run(tmp_path / "cancelled", files[number])
        assert report.exit_code == 0
    assert rows(tmp_path / "cancelled", "declarations").is_empty()
    assert rows(tmp_path / "cancelled", "cancellations").height == 1
    (ended,) = rows(tmp_path / "cancelled", "changes/declarations").to_dicts() or [{}]
    assert (ended["declaration_id"], ended["held_until"]) == ("INVENTORY1", at(22, 1))
    for number in sequence:
        report = run(tmp_path / "refused", files[number])
        assert report.exit_code == 0
    assert rows(tmp_path / "refused", "declarations")["declaration_id"].to_list() == ["INVENTORY1"]
    assert rows(tmp_path / "refused", "cancellations").is_empty()
    together = run(tmp_path / "together", *(files[number] for number in sequence))
    assert (together.manifest["rows_in"], together.manifest["rows_kept"]) == (2, 1)
    assert together.manifest["messages_passed_over"] == {"624": 1}


def test_a_cancellation_reopens_no_closed_day(tmp_path: Path) -> None:
    run(tmp_path / "S", written(tmp_path, "621", [DECLARED, inventory(HEAD | {"invtNo": "B"}, LINE)]))
    layout = Store.open(tmp_path / "S").layout
    layout.partition(DayTable.PROFILES, DAY).mkdir(parents=True)
    report = run(tmp_path / "S", written(tmp_path, "623", [element("InvtCancel", CANCELLATION)]))
    assert (report.reopened, rows(tmp_path / "S", "declarations").height) == (None, 1)
    again = run(tmp_path / "S", written(tmp_path, "621", [inventory(HEAD | {"invtNo": "C"}, LINE)], "late"))
    assert again.reopened == DAY


def test_a_changed_inventory_stays_with_the_moment_it_no_longer_held(tmp_path: Path) -> None:
    later = HEAD | {"appType": "2", "appTime": "20261121100000"}
    files = [
        written(tmp_path, "621", [DECLARED], "new"),
        written(tmp_path, "621", [inventory(later, LINE | {"totalPrice": "99"})], "changed"),
        written(
            tmp_path,
            "621",
            [inventory(later | {"appTime": "20261120235959"}, LINE | {"totalPrice": "5"})],
            "between",
        ),
    ]
    wanted = [(5.0, at(21, 2)), (301.0, datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC))]
    for number, sequence in enumerate(SEQUENCES):
        for each in sequence:
            run(tmp_path / f"S{number}", files[each])
        run(tmp_path / f"T{number}", *(files[each] for each in sequence))
        for store in (tmp_path / f"S{number}", tmp_path / f"T{number}"):
            ended = (
                rows(store, "changes/declarations").select("total_price", "held_until").sort("total_price")
            )
            assert ended.rows() == wanted
            assert rows(store, "declarations")["total_price"].to_list() == [99.0]


def test_a_void_tax_bill_is_none(tmp_path: Path) -> None:
    bill = written(tmp_path, "816", [tax_bill(TAX, TAX_LINE)])
    void = {name: TAX[name] for name in ("guid", "invtNo", "taxNo")} | {"returnTime": "20261122180000000"}
    run(tmp_path / "S", bill)
    (row,) = rows(tmp_path / "S", "taxes").to_dicts()
    assert (row["declaration_id"], row["taxable_price"], row["value_added_tax"]) == (
        "INVENTORY1",
        404.5,
        36.7,
    )
    states = [f"<ceb:Tax>{element('TaxHeadStatus', void | {'status': 3})}</ceb:Tax>"]
    report = run(tmp_path / "S", written(tmp_path, "818", states))
    assert report.manifest["messages_passed_over"] == {"818": 1}
    assert rows(tmp_path / "S", "taxes").is_empty()


def test_receipts_of_a_moment_and_status_are_one(tmp_path: Path) -> None:
    receipt = STATE | {"ebcCode": "SELLER1", "ebpCode": "PLATFORM1", "copNo": "COP1"}
    texts = [element("InventoryReturn", receipt | {"returnStatus": status}) for status in (500, 800, 500)]
    texts.append(element("InventoryReturn", receipt | {"invtNo": None, "returnStatus": 120}))
    report = run(tmp_path / "S", written(tmp_path, "622", texts))
    assert report.manifest["documents"]["receipts"] == {
        "rows_in": 4, "rows_kept": 3, "rows_quarantined": 0, "rows_superseded": 1,
    }  # fmt: skip
    found = rows(tmp_path / "S", "receipts").sort("status")
    assert found["status"].to_list() == [120, 500, 800]
    assert found["declaration_id"].to_list() == [None, "INVENTORY1", "INVENTORY1"]


def test_a_file_of_documents_is_not_taken_back(tmp_path: Path) -> None:
    report = run(tmp_path / "S", written(tmp_path, "311", [order(ORDER, ORDER_LINE)]))
    (file,) = report.manifest["files"]
    with pytest.raises(UsageError, match=r"311\.xml brought orders"):
        withdraw(tmp_path / "S", file["fingerprint"], settings=load_settings())
    assert rows(tmp_path / "S", "orders").height == 1


def test_a_person_is_forgotten_in_documents_too(tmp_path: Path) -> None:
    files = [
        written(tmp_path, "311", [order(ORDER | {"appTime": f"2026112{day}080000"}, ORDER_LINE)], f"o{day}")
        for day in (0, 1)
    ]
    files.append(written(tmp_path, "411", [f"<ceb:Payment>{element('PaymentHead', PAYMENT)}</ceb:Payment>"]))
    run(tmp_path / "S", *files)
    (buyer,) = set(rows(tmp_path / "S", "orders")["buyer_id"])
    forget(tmp_path / "S", str(ORDER["buyerIdNumber"]), settings=load_settings())
    for table in ("orders", "payments", "changes/orders"):
        assert buyer not in str(rows(tmp_path / "S", table).to_dicts())


def test_many_documents_are_merged_some_at_a_time(tmp_path: Path) -> None:
    texts = [order(ORDER | {"orderNo": f"ORDER{number}"}, ORDER_LINE) for number in range(300)]
    run(tmp_path / "S", written(tmp_path, "311", texts))
    settings = load_settings()
    small = settings.pipeline.model_copy(
        update={
            "ingest": settings.pipeline.ingest.model_copy(update={"merge_rows": 40, "chunk_rows": 30}),
            "store": settings.pipeline.store.model_copy(update={"bucket_rows": 50}),
        }
    )
    few = settings.model_copy(update={"pipeline": small})
    options = IngestOptions(now=datetime(2026, 12, 10, tzinfo=UTC))
    half = [written(tmp_path, "311", texts[:150], "a"), written(tmp_path, "311", texts[100:], "b")]
    for path in half:
        ingest([path], tmp_path / "T", options, settings=few, progress=Progress.silent())
    key = [*ORDERS.row_key]
    assert rows(tmp_path / "S", "orders").sort(key).equals(rows(tmp_path / "T", "orders").sort(key))
    assert len(content(tmp_path / "T", "orders")) == 8
