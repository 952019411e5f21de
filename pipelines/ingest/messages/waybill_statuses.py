"""What became of waybills on their way: CEB513."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import STATUS, WAYBILLS
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.message_format import Shape


class WaybillStatuses(DocumentFormat):
    """One status of a waybill, a row that joins it."""

    shapes: ClassVar = {"CEB513Message": Shape("LogisticsStatus", "LogisticsStatus")}
    plural = "statuses of waybills"
    of = WAYBILLS
    part = STATUS
    required = ("carrier_id", "waybill_id", "status_sent_at")
    head_fields: ClassVar = {
        "carrier_id": "logisticsCode",
        "waybill_id": "logisticsNo",
        "status": "logisticsStatus",
        "status_at": "logisticsTime",
    }
