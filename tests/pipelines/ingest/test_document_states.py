"""What later messages say of documents: they join them, or undo them, whatever comes first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from features.contract.documents import WAYBILLS
from pipelines.documents.known import known_documents
from pipelines.store.store import Store
from tests.pipelines.document_messages import (
    EXPORT_RETURN,
    RETURN_LINE,
    SEQUENCES,
    STATE,
    STATUS,
    TALLY,
    TAX,
    TAX_LINE,
    WAYBILL,
    at,
    element,
    returned,
    tax_bill,
    written,
)
from tests.pipelines.taken_in import stored_bytes, stored_rows, take_in_files

pytestmark = pytest.mark.usefixtures("key")


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
        take_in_files(tmp_path / "S", files[number])
    (row,) = stored_rows(tmp_path / "S", "waybills").to_dicts()
    assert (row["gross_weight_kg"], row["status"]) == (1.2, "S")
    take_in_files(tmp_path / "T", *(files[number] for number in sequence))
    one_by_one, together = (stored_bytes(tmp_path / name, "waybills", "changes") for name in ("S", "T"))
    assert one_by_one == together
    (before,) = known_documents(Store.open(tmp_path / "S").layout, WAYBILLS, at(20)).collect().to_dicts()
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
        take_in_files(tmp_path / "S", files[number])
    report = take_in_files(tmp_path / "S", files[sequence[-1]])
    assert report.exit_code == 0
    lines = stored_rows(tmp_path / "S", "returns").sort("line_no")
    assert lines["line_no"].to_list() == [1, 2]
    assert lines["tallied_at"].to_list() == [None, None]
    take_in_files(tmp_path / "T", *files[:2])
    assert stored_rows(tmp_path / "T", "returns")["tallied_at"].null_count() == 0


def test_a_void_tax_bill_is_none(tmp_path: Path) -> None:
    bill = written(tmp_path, "816", [tax_bill(TAX, TAX_LINE)])
    void = {name: TAX[name] for name in ("guid", "invtNo", "taxNo")} | {"returnTime": "20261122180000000"}
    take_in_files(tmp_path / "S", bill)
    (row,) = stored_rows(tmp_path / "S", "taxes").to_dicts()
    assert (row["declaration_id"], row["taxable_price"], row["value_added_tax"]) == (
        "INVENTORY1",
        404.5,
        36.7,
    )
    states = [f"<ceb:Tax>{element('TaxHeadStatus', void | {'status': 3})}</ceb:Tax>"]
    report = take_in_files(tmp_path / "S", written(tmp_path, "818", states))
    assert report.manifest["messages_passed_over"] == {"818": 1}
    assert stored_rows(tmp_path / "S", "taxes").is_empty()


def test_receipts_of_a_moment_and_status_are_one(tmp_path: Path) -> None:
    receipt = STATE | {"ebcCode": "SELLER1", "ebpCode": "PLATFORM1", "copNo": "COP1"}
    texts = [element("InventoryReturn", receipt | {"returnStatus": status}) for status in (500, 800, 500)]
    texts.append(element("InventoryReturn", receipt | {"invtNo": None, "returnStatus": 120}))
    report = take_in_files(tmp_path / "S", written(tmp_path, "622", texts))
    assert report.manifest["documents"]["receipts"] == {
        "rows_in": 4, "rows_kept": 3, "rows_quarantined": 0, "rows_superseded": 1,
    }  # fmt: skip
    found = stored_rows(tmp_path / "S", "receipts").sort("status")
    assert found["status"].to_list() == [120, 500, 800]
    assert found["declaration_id"].to_list() == [None, "INVENTORY1", "INVENTORY1"]


def test_exports_call_some_fields_otherwise(tmp_path: Path) -> None:
    waybill = {name: WAYBILL[name] for name in WAYBILL if name not in ("weight", "orderNo")}
    refused = {"guid": "G", "customsCode": 2991, "coElNo": "RETURN9", "invtNo": "INVENTORY9"}
    refused |= {"returnStatus": "-214001", "returnTime": "20261125130000000"}
    files = [
        written(tmp_path, "505", [element("Logistics", waybill | {"grossWeight": "0.7"})]),
        written(tmp_path, "213", [returned(EXPORT_RETURN, RETURN_LINE)]),
    ]
    take_in_files(tmp_path / "S", *files)
    assert stored_rows(tmp_path / "S", "waybills")["gross_weight_kg"].to_list() == [0.7]
    assert stored_rows(tmp_path / "S", "returns")["own_number"].to_list() == ["RETURN9"]
    take_in_files(tmp_path / "S", written(tmp_path, "214", [element("RefundReturn", refused)]))
    assert stored_rows(tmp_path / "S", "returns").is_empty()
