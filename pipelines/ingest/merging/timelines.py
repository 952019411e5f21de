"""What an inventory says from when until when, and what is left of it where applications withdraw it.

The ledger knows the inventories' own messages alone. What they say is cut where it is withdrawn, and put
together again before anything new is merged into it: so the order of messages makes no difference.
Pure functions of frames; a piece is a line that holds from `sent_at` until `held_until`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from features.contract.china_time import CHINA_ZONE, china_day
from features.contract.declarations import LINE_KEY
from pipelines.ingest.merging.ended_versions import added, ended_versions
from pipelines.ingest.merging.merge import LEDGER_COLUMNS, NEVER, Merged, merge
from pipelines.ingest.merging.withdrawals import Withdrawals
from pipelines.store.spool import complete

_PARCEL: Final = ["declaration_id", "_day"]
_PLACE: Final = ["_id_hash", "_day"]
_SAME: Final = [*LINE_KEY, "_day", "_content", "sent_at"]
_HOLDS: Final = pl.col("held_until").is_null()


@dataclass(frozen=True)
class Timelines:
    """What a run makes of some declarations.

    Attributes:
        merged: what became of the rows that came in, as if nothing was withdrawn.
        taken: those of them that hold in the end.
        kept: lines that the store is to hold and did not.
        removed: `declaration_id`, `line_no` and `_day` of stored lines that go.
        ended: all lines that no longer hold of the declarations and days in `whole`, with `ENDED` and `_day`.
        whole: `_id_hash` and `_day` of declarations of which these are not what they were.
        late: the days from which on what is known is not what it was.
    """

    merged: Merged
    taken: pl.DataFrame
    kept: pl.DataFrame
    removed: pl.DataFrame
    ended: pl.DataFrame
    whole: pl.DataFrame
    late: set[date]

    @property
    def touched(self) -> pl.DataFrame:
        """`_id_hash` and `_day` of declarations of which the store is to hold other lines."""
        return pl.concat([part.select(*_PLACE) for part in (self.kept, self.removed)]).unique()

    @classmethod
    def of(
        cls,
        rows: pl.DataFrame,
        stored: Sequence[pl.DataFrame],
        messages: pl.DataFrame,
        times: Withdrawals,
        schema: Mapping[str, pl.DataType],
    ) -> Timelines:
        """Merge what came in of whole declarations into what the store holds of them.

        Args:
            rows: what came in, see `merge`.
            stored: the lines that hold, and those that no longer do: columns of `schema`, `held_until`,
                `_day`, `_id_hash`, `_content`.
            messages: the inventories' own messages that were known.
            times: when the declarations were and are withdrawn.
            schema: columns of a line in the store.
        """
        columns = [*stored[0].columns]
        before = pl.concat([part.select(columns) for part in stored])
        whole = uncut(before, times.before, messages)
        now, past = (whole.filter(is_now) for is_now in (_HOLDS, ~_HOLDS))
        merged = merge(rows, now, messages.select(*LEDGER_COLUMNS))
        gone = now.join(merged.removed, on=[*LINE_KEY, "_day"], how="semi")
        ended = ended_versions(rows, gone, messages)
        said = [
            now.join(merged.removed, on=[*LINE_KEY, "_day"], how="anti"),
            complete(merged.kept, now.schema.items()),
            added(past, ended),
        ]
        after = cut(pl.concat(part.select(columns) for part in said), times.after)
        holding = after.filter(_HOLDS)
        changed = _unlike(before.filter(~_HOLDS), after.filter(~_HOLDS)).select(_PLACE).unique()
        return cls(
            merged,
            merged.kept.join(holding, on=[*LINE_KEY, "_day"], how="semi"),
            holding.join(stored[0], on=_SAME, how="anti", nulls_equal=True),
            stored[0].join(holding, on=_SAME, how="anti", nulls_equal=True).select(*LINE_KEY, *_PLACE),
            after.filter(~_HOLDS).join(changed, on=_PLACE, how="semi").select(*schema, "held_until", "_day"),
            changed,
            changing_from(before, after),
        )


def cut(pieces: pl.DataFrame, times: pl.DataFrame) -> pl.DataFrame:
    """Return what is left of pieces where declarations are withdrawn.

    Like a deletion, an application ends what was said before it was sent; what is said later holds. Once it
    is undone, what it ended is said again.

    Args:
        pieces: lines with `sent_at` and `held_until`, null where they hold.
        times: when declarations are withdrawn, in `WITHDRAWN`.
    """
    columns = pieces.columns
    for of_place in _by_place(times):
        joined = pieces.join(of_place, on="declaration_id", how="left")
        start, until, end = pl.col("start"), pl.col("until"), pl.col("held_until")
        begins_before = pl.col("sent_at").is_null() | (pl.col("sent_at") <= start)
        is_cut = start.is_not_null() & begins_before & (end.is_null() | (end > start))
        hit = joined.filter(is_cut.fill_null(False))
        before = hit.filter(pl.col("sent_at").is_null() | (pl.col("sent_at") < start))
        again = hit.filter(until.is_not_null() & (end.is_null() | (end > until)))
        parts = [
            joined.filter(~is_cut.fill_null(False)),
            before.with_columns(start.alias("held_until")),
            again.with_columns(until.alias("sent_at")),
        ]
        pieces = pl.concat(part.select(columns) for part in parts)
    return pieces


def uncut(pieces: pl.DataFrame, times: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """Return the pieces as they were before `cut`.

    Args:
        pieces: see `cut`.
        times: those with which they were cut.
        messages: `declaration_id` and `message_at` of the inventories' own messages.
    """
    columns = pieces.columns
    for of_place in reversed(_by_place(times)):
        joined = pieces.join(of_place, on="declaration_id", how="left")
        is_head = (pl.col("held_until") == pl.col("start")).fill_null(False)
        heads = joined.filter(is_head)
        began = heads.select(*_PARCEL, _began="sent_at").unique(_PARCEL)
        is_tail = (pl.col("sent_at") == pl.col("until")).fill_null(False)
        tails = joined.filter(is_tail, ~is_head).join(began, on=_PARCEL)
        others = joined.filter(~is_head).join(tails, on=[*_PARCEL, "sent_at"], how="anti", nulls_equal=True)
        alone = heads.join(tails, on=_PARCEL, how="anti")
        later = pl.concat(
            [messages.select("declaration_id", "message_at"), _sent(others), _sent(alone)]
        ).join(of_place.select("declaration_id", "start"), on="declaration_id")
        later = later.filter(pl.col("message_at") > pl.col("start"))
        following = later.group_by("declaration_id").agg(pl.col("message_at").min())
        parts = [
            others,
            tails.with_columns(pl.col("_began").alias("sent_at")),
            alone.join(following, on="declaration_id", how="left").with_columns(held_until="message_at"),
        ]
        pieces = pl.concat(part.select(columns) for part in parts)
    return pieces


def changing_from(before: pl.DataFrame, after: pl.DataFrame) -> set[date]:
    """Return the days from which on what was known of declarations changes.

    What was known before the first moment at which pieces differ stays. That is known of a declaration's own
    day if it is later, and the declaration held then or was sent before.

    Args:
        before: pieces with `_day` and `_content`.
        after: the same of the same declarations.
    """
    unlike = _unlike(before, after)
    # What only ended at another moment was the same until the earlier one.
    ends = unlike.group_by(_SAME).agg(pl.len(), pl.col("held_until").min())
    moment = pl.when(pl.col("len") > 1).then("held_until").otherwise("sent_at").fill_null(NEVER)
    first = ends.group_by(_PARCEL).agg(moment.min().alias("_at"))
    midnight = (pl.col("_day") + pl.duration(days=1)).cast(pl.Datetime("us"))
    close = midnight.dt.replace_time_zone(CHINA_ZONE).dt.convert_time_zone("UTC")
    held = before.join(first, on=_PARCEL).filter(
        pl.col("sent_at").is_null() | (pl.col("sent_at") < pl.col("_at")),
        pl.col("held_until").is_null() | (pl.col("held_until") >= close),
    )
    stays = first.join(held, on=_PARCEL, how="semi")
    days = stays.select(pl.max_horizontal("_day", china_day(stays["_at"]))).to_series()
    return {*days, *first.join(stays, on=_PARCEL, how="anti")["_day"]}


def _unlike(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """The pieces that only one of two frames has."""
    whole = [*_SAME, "held_until"]
    pairs = ((one, other), (other, one))
    return pl.concat(here.join(there, on=whole, how="anti", nulls_equal=True) for here, there in pairs)


def _sent(pieces: pl.DataFrame) -> pl.DataFrame:
    return pieces.select("declaration_id", message_at="sent_at").drop_nulls()


def _by_place(times: pl.DataFrame) -> list[pl.DataFrame]:
    """The first times of all declarations, the second ones, and so on."""
    parts = times.select("declaration_id", "start", "until", "place").partition_by("place", as_dict=True)
    return [parts[place].drop("place") for place in sorted(parts)]
