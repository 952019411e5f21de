"""What was counted of goods that came back: CEB215."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import RETURNS, TALLY
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.message_format import Shape


class ReturnTallies(DocumentFormat):
    """One tally, which joins the lines of its application."""

    shapes: ClassVar = {"CEB215Message": Shape("InvtRefundDetail", "InvtRefundDetail")}
    plural = "tallies of returns"
    of = RETURNS
    part = TALLY
    required = ("own_number", "tallied_at")
    directions: ClassVar = {"CEB215Message": "export"}
    head_fields: ClassVar = {
        "declaration_id": "invtNo",
        "own_number": "coElNo",
        "customs_office": "customsCode",
        "carrier_id": "logisticsCode",
        "waybill_id": "logisticsNo",
    }
