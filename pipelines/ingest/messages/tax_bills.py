"""Electronic tax bills: CEB816."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import TAXES
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.message_format import Fields, Shape


class TaxBills(DocumentFormat):
    """One bill, a line of it a row."""

    shapes: ClassVar = {"CEB816Message": Shape("Tax", "TaxHeadRd", "TaxListRd")}
    plural = "tax bills"
    of = TAXES
    sent = "returnTime"
    head_fields: ClassVar = {
        "declaration_id": "invtNo",
        "tax_bill_id": "taxNo",
        "customs_office": "customsCode",
        "seller_id": "ebcCode",
        "agent_id": "agentCode",
        "carrier_id": "logisticsCode",
        "status": "status",
    }
    line_fields: ClassVar = {
        "line_no": "gnum",
        "hs_code": "gcode",
        "taxable_price": "taxPrice",
        "customs_duty": "customsTax",
        "value_added_tax": "valueAddedTax",
        "consumption_tax": "consumptionTax",
    }

    def action(self, head: Fields) -> tuple[str | None, str | None]:
        """The latest bill of a number counts."""
        return "new", None
