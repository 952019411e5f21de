"""What became of applications to withdraw an inventory: CEB624 (import) and CEB606 (export)."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import CANCELLATIONS
from pipelines.ingest.reading.document_format import StateFormat
from pipelines.ingest.reading.message_format import Shape


class CancellationStates(StateFormat):
    """One state of an application."""

    shapes: ClassVar = dict.fromkeys(
        ("CEB624Message", "CEB606Message"), Shape("InvtCancelReturn", "InvtCancelReturn")
    )
    plural = "states of cancellations"
    of = CANCELLATIONS
    head_fields: ClassVar = {"declaration_id": "invtNo", "own_number": "copNo"}
