"""Which days a night has to list: those that it is asked for, and earlier ones that were missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from configs.errors import UsageError
from features.contract.china_time import china_date
from pipelines.store.buckets import declared_days
from pipelines.store.day_table import DayTable
from pipelines.store.layout import Layout


def listed_days(layout: Layout) -> set[date]:
    """Return the days of which lists were ever issued."""
    return {*layout.days(DayTable.LISTS), *layout.days(DayTable.ISSUED)}


def missed_days(layout: Layout, last: date) -> list[date]:
    """Return the declared days up to and including `last` that were never listed, oldest first.

    Days before the first one that ever was are history: nobody has waited for their lists.
    """
    listed = listed_days(layout)
    if not listed:
        return []
    first = min(listed)
    return [day for day in declared_days(layout) if first < day <= last and day not in listed]


def asked_days(layout: Layout, first: date, last: date) -> list[date]:
    """Return the declared days from `first` to `last`, oldest first; none where nothing was delivered.

    Raises:
        UsageError: no declarations can be expected there: the days lie in the future, or before all of the
            store's.
    """
    declared = declared_days(layout)
    days = [day for day in declared if first <= day <= last]
    if days or (declared and last > declared[0] and first <= china_date(datetime.now(UTC))):
        return days
    raise UsageError(f"expected declarations {_nothing(layout, declared, first, last)}")


def not_delivered(layout: Layout, first: date, last: date) -> str:
    """Return what to say of days that may have declarations and have none."""
    missing = _nothing(layout, declared_days(layout), first, last)
    return f"no list was made: expected declarations {missing}"


def _nothing(layout: Layout, declared: Sequence[date], first: date, last: date) -> str:
    wanted = f"on {first}" if first == last else f"from {first} to {last}"
    held = f"it holds {declared[0]} to {declared[-1]}" if declared else "it holds none at all"
    return f"{wanted} in {layout.root}, found none; {held}. Bring them in with `parcel-risk ingest`."
