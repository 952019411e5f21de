"""Waybills of exports: CEB505."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import WAYBILLS
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.message_format import Shape


class ExportWaybills(DocumentFormat):
    """One waybill, a row. It names no consignee."""

    shapes: ClassVar = {"CEB505Message": Shape("Logistics", "Logistics")}
    plural = "waybills"
    of = WAYBILLS
    directions: ClassVar = {"CEB505Message": "export"}
    head_fields: ClassVar = {
        "carrier_id": "logisticsCode",
        "waybill_id": "logisticsNo",
        "seller_id": "ebcCode",
        "item_name": "goodsInfo",
        "freight": "freight",
        "insurance": "insuredFee",
        "currency": "currency",
        "gross_weight_kg": "grossWeight",
        "package_count": "packNo",
    }
    person_fields = ("ebcTelephone",)
