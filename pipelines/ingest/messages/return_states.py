"""What became of applications to take goods back: CEB626 (import) and CEB214 (export)."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import RETURNS
from pipelines.ingest.reading.document_format import StateFormat
from pipelines.ingest.reading.message_format import Shape


class ReturnStates(StateFormat):
    """One state of an application. The official sample of CEB214 calls its first element by the number."""

    shapes: ClassVar = {
        "CEB626Message": Shape("InvtRefundReturn", "InvtRefundReturn"),
        **dict.fromkeys(("CEB214Message", "CEB214"), Shape("RefundReturn", "RefundReturn")),
    }
    plural = "states of returns"
    of = RETURNS
    required = ("declaration_id", "sent_at")
    head_fields: ClassVar = {"declaration_id": "invtNo", "own_number": "copNo"}
    export_fields: ClassVar = {"own_number": "coElNo"}
