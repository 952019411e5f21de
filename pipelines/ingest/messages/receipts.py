"""What customs answered to inventories: CEB622 (import) and CEB604 (export)."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import RECEIPTS
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.message_format import Fields, Shape


class Receipts(DocumentFormat):
    """One answer, a row. What it says in words is not kept."""

    shapes: ClassVar = dict.fromkeys(
        ("CEB622Message", "CEB604Message"), Shape("InventoryReturn", "InventoryReturn")
    )
    plural = "receipts"
    of = RECEIPTS
    sent = "returnTime"
    directions: ClassVar = {"CEB622Message": "import", "CEB604Message": "export"}
    head_fields: ClassVar = {
        "declaration_id": "invtNo",
        "own_number": "copNo",
        "customs_office": "customsCode",
        "platform_id": "ebpCode",
        "seller_id": "ebcCode",
        "agent_id": "agentCode",
        "order_id": "orderNo",
        "status": "returnStatus",
    }

    def action(self, head: Fields) -> tuple[str | None, str | None]:
        """Each answer is a document of its own."""
        return "new", None
