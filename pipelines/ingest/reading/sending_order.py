"""When messages were sent: it decides which of several about one document counts."""

from __future__ import annotations

from datetime import datetime
from typing import Final, cast

import polars as pl

from features.contract.china_time import CHINA_ZONE
from features.contract.declarations import EARLIEST
from features.contract.moments import NOT_A_TIME, to_moment
from features.contract.reject_reasons import RejectReason

_FIELD: Final = "appTime"
_OVERTAKES: Final = ("change", "delete")


def in_order_of_sending(rows: pl.DataFrame, latest: datetime | None) -> pl.DataFrame:
    """Rows of messages with `_message_at` from their `appTime`, and what follows where it cannot be read.

    A change or a deletion whose moment is not known would be lost behind what it changes, or undo what came
    after it: it is rejected. A new document without one counts as sent before all others, with a reason.
    Moments after `latest` are errors: nothing could follow them.
    """
    moments = rows["_message_at"]
    # Of a file with one message a plan of Polars' would cost more than all the rest.
    if not moments.null_count():
        first, last = cast(tuple[datetime, datetime], (moments.min(), moments.max()))
        if first >= EARLIEST and (latest is None or last <= latest):
            return rows
    moments = moments.zip_with(moments.is_not_null(), to_moment(rows[_FIELD], CHINA_ZONE))
    kinds = {
        RejectReason.NOT_A_TIME: moments.dt.year() == NOT_A_TIME.year,
        RejectReason.OUT_OF_RANGE: moments < EARLIEST,
    }
    if latest is not None:
        kinds[RejectReason.FUTURE_DATE] = moments > latest
    reason = pl.Series("_reason", [None], dtype=pl.String).new_from_index(0, rows.height)
    for kind, applies in kinds.items():
        reason = reason.set(applies.fill_null(False) & reason.is_null(), kind.of(_FIELD))
    readable = moments.set(reason.is_not_null(), None).alias("_message_at")
    overtakes = pl.col("_action").is_in(_OVERTAKES)
    lacks = pl.when(overtakes & pl.col(_FIELD).is_null()).then(pl.lit(RejectReason.MISSING.of(_FIELD)))
    is_new = pl.col("_action") == "new"
    return rows.with_columns(
        readable,
        pl.coalesce("_reject", pl.when(overtakes).then(reason), lacks).alias("_reject"),
        pl.when(is_new & reason.is_not_null())
        .then(pl.concat_str("_nulled", reason, separator=";", ignore_nulls=True))
        .otherwise("_nulled")
        .alias("_nulled"),
    )
