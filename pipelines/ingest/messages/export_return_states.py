"""What became of applications to take goods back from an export: CEB214."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import RETURNS
from pipelines.ingest.reading.document_format import StateFormat
from pipelines.ingest.reading.message_format import Shape


class ExportReturnStates(StateFormat):
    """One state of an application. The official sample calls its first element by the number alone."""

    shapes: ClassVar = dict.fromkeys(("CEB214Message", "CEB214"), Shape("RefundReturn", "RefundReturn"))
    plural = "states of returns"
    of = RETURNS
    required = ("declaration_id", "sent_at")
    head_fields: ClassVar = {"declaration_id": "invtNo", "own_number": "coElNo"}
