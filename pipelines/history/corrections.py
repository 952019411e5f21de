"""What messages of a day say of lines of earlier days: which no longer hold, and which took their place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from features.contract.china_time import china_day, closing_moment
from features.history.corrections import DECLARED, SIGN
from pipelines.store.buckets import COUNTED, ended_lines
from pipelines.store.day_table import DayTable
from pipelines.store.digests import file_digest
from pipelines.store.files import reading, scan_tables
from pipelines.store.layout import Layout
from pipelines.store.spool import complete
from pipelines.store.store import Store

_MESSAGE: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "sent_at": pl.Datetime("us", "UTC"),
}
_MOST_DAYS: Final = 10_000


def correction_days(layout: Layout) -> set[date]:
    """Return the days on which messages said something else of earlier declarations.

    Raises:
        StoreError: a file cannot be read, or is damaged.
    """
    return {later for day in layout.days(DayTable.CHANGED_DECLARATIONS) for later in _later_days(layout, day)}


def corrected_lines(store: Store, after: date, day: date) -> list[tuple[date, pl.DataFrame]]:
    """Return what messages after the close of one day, up to that of another, say of lines declared before.

    By day of declaration, oldest first: its columns for models, with `DECLARED` and `SIGN`. Lines of which
    both are sent in between are not among them.

    Raises:
        StoreError: a file cannot be read, or is damaged.
    """
    layout = store.layout
    found = []
    for declared in layout.days(DayTable.CHANGED_DECLARATIONS):
        if declared <= after and any(after < later <= day for later in _later_days(layout, declared)):
            lines = _signed(store, declared, after, day)
            if lines.height:
                found.append((declared, lines.with_columns(pl.lit(declared).alias(DECLARED))))
    return found


def _signed(store: Store, declared: date, after: date, day: date) -> pl.DataFrame:
    """The lines of a day that hold at the close of `day` and did not at that of `after`, and the reverse."""
    layout, columns = store.layout, store.declaration_schema()
    start, end = closing_moment(after), closing_moment(day)
    ended = ended_lines(layout, declared)
    # What counts on its day counts from then on, also where it was sent later.
    before, by_now = (pl.col(COUNTED) | (pl.col("sent_at") < moment) for moment in (start, end))
    held_before, holds = before & (pl.col("held_until") >= start), by_now & (pl.col("held_until") >= end)
    sign = holds.cast(pl.Int64).fill_null(0) - held_before.cast(pl.Int64).fill_null(0)
    changed = ended.with_columns(sign.alias(SIGN)).filter(pl.col(SIGN) != 0)
    schema = columns | {SIGN: pl.Int64()}
    files, others = layout.buckets(declared), ended.filter(COUNTED).select("declaration_id").unique()
    parts = [complete(changed, schema.items())]
    if files and others.height:
        with reading(layout.partition(DayTable.DECLARATIONS, declared)):
            stored = scan_tables(files, columns | _MESSAGE).filter(
                pl.col("sent_at") >= start, pl.col("sent_at") < end
            )
            began = stored.join(others.lazy(), on="declaration_id", how="semi").collect()
        parts.append(complete(began.with_columns(pl.lit(1, pl.Int64).alias(SIGN)), schema.items()))
    return pl.concat(parts).sort(pl.all())


def _later_days(layout: Layout, day: date) -> frozenset[date]:
    """The days after a day on which lines of it began or ceased to hold."""
    ended = layout.files(DayTable.CHANGED_DECLARATIONS, day)
    stored = layout.buckets(day)
    states = tuple((file, file.stat().st_mtime_ns, file.stat().st_ino) for file in stored)
    return _days_of(layout.root, day, tuple(map(file_digest, ended)), states)


# Asked for with every day that is folded.
@lru_cache(maxsize=_MOST_DAYS)
def _days_of(
    root: Path, day: date, _ended: tuple[bytes, ...], _stored: tuple[object, ...]
) -> frozenset[date]:
    layout, close = Layout(root), closing_moment(day)
    ended = ended_lines(layout, day)
    ids, files = ended.filter(COUNTED).select("declaration_id").unique(), layout.buckets(day)
    moments = [ended["held_until"], ended.filter(~pl.col(COUNTED))["sent_at"]]
    if files and ids.height:
        with reading(layout.partition(DayTable.DECLARATIONS, day)):
            stored = scan_tables(files, _MESSAGE).filter(pl.col("sent_at") >= close)
            moments.append(stored.join(ids.lazy(), on="declaration_id", how="semi").collect()["sent_at"])
    return frozenset(_days_from(moments, day))


def _days_from(moments: Iterable[pl.Series], day: date) -> Iterable[date]:
    for each in moments:
        days = china_day(each.drop_nulls().unique()).unique()
        yield from (later for later in days if later > day)
