"""What became of electronic tax bills: CEB818."""

from __future__ import annotations

from typing import ClassVar, Final

from features.contract.documents import TAXES
from pipelines.ingest.reading.document_format import StateFormat
from pipelines.ingest.reading.message_format import Shape

_VOID: Final = 3


class TaxBillStates(StateFormat):
    """One state of a bill."""

    shapes: ClassVar = {"CEB818Message": Shape("Tax", "TaxHeadStatus")}
    plural = "states of tax bills"
    of = TAXES
    required = ("tax_bill_id", "sent_at")
    head_fields: ClassVar = {"tax_bill_id": "taxNo"}
    state_field = "status"

    @staticmethod
    def undoes(state: int | None) -> bool:
        """Whether the bill is void."""
        return state == _VOID
