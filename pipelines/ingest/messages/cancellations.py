"""Applications to withdraw an inventory: CEB623 (import) and CEB605 (export)."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import CANCELLATIONS
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.message_format import Shape


class Cancellations(DocumentFormat):
    """One application, a row. Its reason, a free text, is not kept."""

    shapes: ClassVar = dict.fromkeys(("CEB623Message", "CEB605Message"), Shape("InvtCancel", "InvtCancel"))
    plural = "cancellations"
    of = CANCELLATIONS
    directions: ClassVar = {"CEB623Message": "import", "CEB605Message": "export"}
    head_fields: ClassVar = {
        "declaration_id": "invtNo",
        "own_number": "copNo",
        "customs_office": "customsCode",
        "platform_id": "ebpCode",
        "seller_id": "ebcCode",
        "agent_id": "agentCode",
        "carrier_id": "logisticsCode",
        "order_id": "orderNo",
        "waybill_id": "logisticsNo",
    }
    persons: ClassVar = {"buyer_id": "buyerIdNumber", "telephone_id": "buyerTelephone"}
    person_fields = ("buyerName", "buyerTelephone", "buyerIdNumber")
