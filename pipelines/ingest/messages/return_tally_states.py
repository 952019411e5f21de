"""What became of tallies of goods that came back: CEB216."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import RETURNS, TALLY
from pipelines.ingest.reading.document_format import StateFormat
from pipelines.ingest.reading.message_format import Shape


class ReturnTallyStates(StateFormat):
    """One state of a tally."""

    shapes: ClassVar = {"CEB216Message": Shape("InvtRefundDetailReturn", "InvtRefundDetailReturn")}
    plural = "states of tallies"
    of = RETURNS
    part = TALLY
    required = ("own_number", "tallied_at")
    head_fields: ClassVar = {
        "own_number": "coElNo",
        "carrier_id": "logisticsCode",
        "waybill_id": "logisticsNo",
    }
