"""Every returned row, kept for ever: what it said, what became of it, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from configs.schema.risk import RiskConfig
from pipelines.feedback.entries import Entries, together
from pipelines.feedback.places import Place
from pipelines.lists.fields import ENTRY_FIELDS, ResultValue, result_field, risk_of
from pipelines.store.files import read_tables, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import DayTable
from pipelines.store.store import Store

ACCEPTED, CORRECTED, REPEATED = "accepted", "corrected", "repeated"
CONFLICT, REJECTED = "conflict", "rejected"
OUTCOMES = (ACCEPTED, CORRECTED, REPEATED, CONFLICT, REJECTED)
WRITTEN = (ACCEPTED, CORRECTED)
LOG_COLUMNS: dict[str, pl.DataType] = {
    "source_file": pl.String(),
    "source_sha256": pl.String(),
    "source_row": pl.Int64(),
    "taken_at": pl.Datetime("us", "UTC"),
    "outcome": pl.String(),
    "reasons": pl.List(pl.String()),
    "message": pl.String(),
    "list_id": pl.String(),
    "customs_office": pl.String(),
    "shift": pl.String(),
    "rank": pl.Int32(),
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "risk": pl.String(),
    "selection": pl.String(),
    "inspection_probability": pl.Float64(),
    "reported_on": pl.Date(),
    "inspected_on": pl.Date(),
    "assessed_unit_price": pl.Float64(),
    "recovered_tax_cny": pl.Float64(),
    "note": pl.String(),
    "opened_instead": pl.String(),
    "override_reason": pl.String(),
    "rows_written": pl.Int32(),
}
"""Beside these there is a column `result_<risk>` (found, nothing, not_examined or null) for each risk that
was configured when the file was taken back. `reported_on` is the day that the row counted from;
`rows_written` how many inspections it added or changed.
"""


@dataclass
class Known:
    """What earlier returns said of a parcel on a list.

    Attributes:
        place: the parcel's place on the list by which it was returned first.
        entries: all returns together.
        days: days on which they were reported.
        source: the file of the latest.
    """

    place: Place
    entries: Entries
    days: set[date] = field(default_factory=set)
    source: str = ""


@dataclass(frozen=True)
class Logged:
    """A returned row and what became of it; place and entries are None as far as they could not be found."""

    source_file: str
    source_sha256: str
    source_row: int
    outcome: str
    place: Place | None = None
    entries: Entries | None = None
    reported_on: date | None = None
    reasons: tuple[str, ...] = ()
    message: str = ""
    rows_written: int = 0


def read_log(store: Store, day: date) -> pl.DataFrame:
    """The returned rows of a day's lists in the order in which they came: `LOG_COLUMNS` and the results."""
    paths = store.layout.files(DayTable.FEEDBACK, day)
    results = {
        name: pl.String()
        for path in paths
        for name in pl.read_parquet_schema(path)
        if risk_of(name) is not None
    }
    return read_tables(paths, LOG_COLUMNS | dict(sorted(results.items())), None)


def known_returns(store: Store, days: Collection[date]) -> dict[str, Known]:
    """What has been accepted of the lists of some days, by the listed parcel."""
    found: dict[str, Known] = {}
    for day in sorted(days):
        for row in read_log(store, day).filter(pl.col("outcome").is_in(WRITTEN)).iter_rows(named=True):
            entries = _entries(row)
            known = found.get(row["declaration_id"])
            if known is None:
                names = [name for name in Place.__dataclass_fields__ if name != "declared_on"]
                place = Place(declared_on=day, **{name: row[name] for name in names})
                known = found[row["declaration_id"]] = Known(place, Entries())
            known.entries = together(known.entries, entries, corrected=row["outcome"] == CORRECTED)
            known.days.add(row["reported_on"])
            known.source = row["source_file"]
    return found


def append_log(
    t: Transaction,
    store: Store,
    rows: Collection[Logged],
    risks: Mapping[str, RiskConfig],
    taken_at: datetime,
) -> None:
    """Add returned rows: one file for each day whose lists they belong to, with the next free number."""
    fields = [result_field(name) for name in risks]
    schema = LOG_COLUMNS | dict.fromkeys(fields, pl.String())
    days = sorted({None if row.place is None else row.place.declared_on for row in rows}, key=str)
    for day in days:
        of_day = [row for row in rows if (None if row.place is None else row.place.declared_on) == day]
        number = 1 + len(store.layout.files(DayTable.FEEDBACK, day))
        frame = pl.DataFrame([_row(row, taken_at) for row in of_day], schema=schema)
        write_table(frame, t.stage_file(store.layout.numbered_file(DayTable.FEEDBACK, day, number)))


def _row(row: Logged, taken_at: datetime) -> dict[str, Any]:
    entries = row.entries or Entries()
    place = (
        {}
        if row.place is None
        else {name: getattr(row.place, name) for name in row.place.__dataclass_fields__}
    )
    place.pop("declared_on", None)
    return {
        **{name: getattr(row, name) for name in ("source_file", "source_sha256", "source_row", "outcome")},
        **{name: getattr(row, name) for name in ("message", "reported_on", "rows_written")},
        **{name: getattr(entries, name) for name in ENTRY_FIELDS},
        **{result_field(risk): value for risk, value in entries.results.items()},
        **place,
        "taken_at": taken_at,
        "reasons": list(row.reasons),
    }


def _entries(row: Mapping[str, Any]) -> Entries:
    results: dict[str, ResultValue] = {}
    for name, value in row.items():
        risk = risk_of(name)
        if risk is not None and value is not None:
            results[risk] = value
    return Entries(results=results, **{name: row[name] for name in ENTRY_FIELDS})
