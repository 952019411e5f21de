"""What became of applications to take goods back from an import: CEB626."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import RETURNS
from pipelines.ingest.reading.document_format import StateFormat
from pipelines.ingest.reading.message_format import Shape


class ReturnStates(StateFormat):
    """One state of an application."""

    shapes: ClassVar = {"CEB626Message": Shape("InvtRefundReturn", "InvtRefundReturn")}
    plural = "states of returns"
    of = RETURNS
    required = ("declaration_id", "sent_at")
    head_fields: ClassVar = {"declaration_id": "invtNo", "own_number": "copNo"}
