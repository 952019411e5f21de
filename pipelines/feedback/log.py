"""Every returned row, kept for ever: what it said, what became of it, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from configs.schema.risk import RiskConfig
from configs.who import responsible
from pipelines.feedback.agreement import together
from pipelines.feedback.entries import Entries
from pipelines.feedback.places import Place
from pipelines.feedback.rows import CORRECTED, WRITTEN, ReturnedRow
from pipelines.lists.fields import columns_of, entry_fields, result_field, risk_of
from pipelines.lists.issued import LISTED_PLACE
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables, write_table
from pipelines.store.journal import Transaction
from pipelines.store.store import Store


def log_columns() -> dict[str, pl.DataType]:
    """Return the columns of the log with their types.

    Beside these there is a column `result_<risk>` (found, nothing, not_examined or null) for each risk that
    was configured when the file was taken back. `taken_by`, `taken_on` and `code_version` are the account,
    host and the program that took it back, `reported_on` is the day that the row counted from, and
    `rows_written` says how many inspections it added or changed.
    """
    return {
        "source_file": pl.String(),
        "source_sha256": pl.String(),
        "source_row": pl.Int64(),
        "taken_at": pl.Datetime("us", "UTC"),
        "taken_by": pl.String(),
        "taken_on": pl.String(),
        "code_version": pl.String(),
        "outcome": pl.String(),
        "reasons": pl.List(pl.String()),
        "message": pl.String(),
        **LISTED_PLACE,
        "reported_on": pl.Date(),
        **columns_of(entry_fields()),
        "rows_written": pl.Int32(),
    }


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


def read_log(store: Store, day: date) -> pl.DataFrame:
    """The returned rows of a day's lists in the order in which they came: `log_columns` and the results."""
    paths = store.layout.files(DayTable.FEEDBACK, day)
    results = {
        name: pl.String()
        for path in paths
        for name in pl.read_parquet_schema(path)
        if risk_of(name) is not None
    }
    return read_tables(paths, log_columns() | dict(sorted(results.items())), None)


def known_returns(store: Store, days: Collection[date]) -> dict[str, Known]:
    """What has been accepted of the lists of some days, by the listed parcel."""
    returns: dict[str, Known] = {}
    for day in sorted(days):
        for row in read_log(store, day).filter(pl.col("outcome").is_in(WRITTEN)).iter_rows(named=True):
            given = {name: value for name, value in row.items() if value is not None}
            results = {risk: value for name, value in given.items() if (risk := risk_of(name)) is not None}
            names = [field.name for field in entry_fields() if field.name in given]
            entries = Entries(results, {name: given[name] for name in names})
            known = returns.get(row["declaration_id"])
            if known is None:
                place = Place(declared_on=day, **{name: row[name] for name in LISTED_PLACE})
                known = returns[row["declaration_id"]] = Known(place, Entries())
            known.entries = together(known.entries, entries, corrected=row["outcome"] == CORRECTED)
            known.days.add(row["reported_on"])
            known.source = row["source_file"]
    return returns


@dataclass(frozen=True)
class SampleAway:
    """A sample of a listed parcel that was sent to the laboratory, and has no answer yet."""

    place: Place
    risk: str
    sent_on: date


def late_samples(store: Store, risks: Mapping[str, RiskConfig], before: date) -> list[SampleAway]:
    """Samples that were sent before a day and have no answer, neither returned nor ingested; oldest first."""
    sent = [
        (
            each.entries.opened_instead or each.place.declaration_id,
            SampleAway(each.place, risk, min(each.days)),
        )
        for each in known_returns(store, store.days(DayTable.FEEDBACK)).values()
        for risk, value in each.entries.results.items()
        if value == "sent" and risk in risks and min(each.days) < before
    ]
    if not sent:
        return []
    results = store.read_inspections().filter(
        pl.col("declaration_id").is_in(sorted({key for key, _ in sent}))
    )
    labels = {risks[sample.risk].label for _, sample in sent} & set(results.columns)
    answered = {
        (parcel, label)
        for label in labels
        for parcel in results.drop_nulls(label)["declaration_id"].to_list()
    }
    late = [sample for parcel, sample in sent if (parcel, risks[sample.risk].label) not in answered]
    return sorted(late, key=lambda sample: (sample.sent_on, sample.place.declaration_id))


def append_log(
    t: Transaction,
    store: Store,
    rows: Collection[ReturnedRow],
    risks: Mapping[str, RiskConfig],
    taken_at: datetime,
) -> None:
    """Add returned rows: one file for each day whose lists they belong to, with the next free number."""
    schema = log_columns() | dict.fromkeys(map(result_field, risks), pl.String())
    for day in sorted({row.declared_on for row in rows}, key=str):
        of_day = [_record(row, taken_at) for row in rows if row.declared_on == day]
        number = 1 + len(store.layout.files(DayTable.FEEDBACK, day))
        frame = pl.DataFrame(of_day, schema=schema)
        write_table(frame, t.stage_file(store.layout.numbered_file(DayTable.FEEDBACK, day, number)))


def _record(row: ReturnedRow, taken_at: datetime) -> dict[str, Any]:
    entries, by = row.entries or Entries(), responsible()
    return {
        "source_file": str(row.file.path),
        "source_sha256": row.file.sha256,
        "source_row": row.raw.number,
        "taken_at": taken_at,
        "taken_by": by["user"],
        "taken_on": by["host"],
        "code_version": by["code_version"],
        "outcome": row.outcome,
        "reasons": row.reasons,
        "message": row.message,
        **({} if row.place is None else {name: getattr(row.place, name) for name in LISTED_PLACE}),
        "reported_on": row.reported_on,
        **{field.name: entries[field.name] for field in entry_fields()},
        **{result_field(risk): value for risk, value in entries.results.items()},
        "rows_written": 0 if row.decision is None else row.decision.written,
    }
