"""What became of electronic tax bills: CEB818."""

from __future__ import annotations

from typing import ClassVar, Final

from features.contract.documents import TAXES
from pipelines.ingest.reading.document_format import StateFormat, state_of
from pipelines.ingest.reading.message_format import Fields, Shape

_VOID: Final = 3


class TaxBillStates(StateFormat):
    """One state of a bill."""

    shapes: ClassVar = {"CEB818Message": Shape("Tax", "TaxHeadStatus")}
    plural = "states of tax bills"
    of = TAXES
    required = ("tax_bill_id", "sent_at")
    head_fields: ClassVar = {"tax_bill_id": "taxNo"}

    def action(self, head: Fields) -> tuple[str | None, str | None]:
        """A deletion where the bill is void, else nothing that matters."""
        return ("delete" if state_of(head.get("status")) == _VOID else "state"), None
