"""Applications to take goods back: CEB625 (import) and CEB213 (export)."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import RETURNS
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.message_format import Shape


class Returns(DocumentFormat):
    """One application, a line of it a row. Its reason, a free text, is not kept."""

    shapes: ClassVar = dict.fromkeys(
        ("CEB625Message", "CEB213Message"), Shape("InvtRefund", "InvtRefundHead", "InvtRefundList")
    )
    plural = "returns"
    of = RETURNS
    directions: ClassVar = {"CEB625Message": "import", "CEB213Message": "export"}
    head_fields: ClassVar = {
        "declaration_id": "invtNo",
        "own_number": "copNo",
        "customs_office": "customsCode",
        "trade_mode": "tradeMode",
        "platform_id": "ebpCode",
        "seller_id": "ebcCode",
        "agent_id": "agentCode",
        "carrier_id": "logisticsCode",
        "order_id": "orderNo",
        "waybill_id": "logisticsNo",
    }
    export_fields: ClassVar = {"own_number": "coElNo"}
    line_fields: ClassVar = {
        "line_no": "gnum",
        "hs_code": "gcode",
        "item_name": "gname",
        "item_model": "gmodel",
        "quantity": "qty",
        "unit": "unit",
        "legal_quantity": "qty1",
        "legal_unit": "unit1",
    }
    persons: ClassVar = {"buyer_id": "buyerIdNumber", "telephone_id": "buyerTelephone"}
    person_fields = ("buyerName", "buyerTelephone", "buyerIdNumber")
