"""Waybills: CEB511 (import) and CEB505 (export)."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import WAYBILLS
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.message_format import Shape


class Waybills(DocumentFormat):
    """One waybill, a row; exports name no consignee."""

    shapes: ClassVar = {
        "CEB511Message": Shape("Logistics", "LogisticsHead"),
        "CEB505Message": Shape("Logistics", "Logistics"),
    }
    plural = "waybills"
    of = WAYBILLS
    directions: ClassVar = {"CEB511Message": "import", "CEB505Message": "export"}
    head_fields: ClassVar = {
        "carrier_id": "logisticsCode",
        "waybill_id": "logisticsNo",
        "master_bill_id": "billNo",
        "order_id": "orderNo",
        "seller_id": "ebcCode",
        "item_name": "goodsInfo",
        "freight": "freight",
        "insurance": "insuredFee",
        "currency": "currency",
        "gross_weight_kg": "weight",
        "package_count": "packNo",
    }
    export_fields: ClassVar = {"gross_weight_kg": "grossWeight"}
    persons: ClassVar = {"telephone_id": "consigneeTelephone", "address_id": "consigneeAddress"}
    person_fields = ("consignee", "consigneeTelephone", "consigneeAddress", "ebcTelephone")
