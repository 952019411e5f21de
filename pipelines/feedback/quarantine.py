"""Returned rows that were not written, as rows for the quarantine: as they came, naming nobody, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from features.contract.reject_reasons import RejectReason
from pipelines.feedback.files import ReturnedFile
from pipelines.feedback.rows import ReturnedRow
from pipelines.feedback.values import text_of
from pipelines.lists.fields import fields_of
from pipelines.privacy.safe_records import RecordColumns, safe_records
from pipelines.store.quarantine import QUARANTINE_COLUMNS

_TABLE = "feedback"


def rows_for_quarantine(rows: Sequence[ReturnedRow], files: Sequence[ReturnedFile]) -> pl.DataFrame:
    """Return rows that were rejected or left in conflict, and files that were refused as a whole.

    The columns are those of the quarantine and `declared_on`, which is null where the list was not found.
    """
    values = [_row(row, record) for row, record in zip(rows, _records(rows), strict=True)]
    reasons = [RejectReason.UNREADABLE_FILE.value]
    values += [
        {"source_file": str(file.path), "reasons": reasons, "record": str(file.fault)}
        for file in files
        if file.fault is not None
    ]
    schema = QUARANTINE_COLUMNS | {"declared_on": pl.Date()}
    return pl.DataFrame([{"table": _TABLE, **each} for each in values], schema=schema)


def _records(rows: Sequence[ReturnedRow]) -> list[str]:
    """The rows as JSON, with what was wrong with them as `_why`."""
    names = sorted({name for row in rows for name in row.raw.cells})
    given: list[dict[str, str | None]] = [{} for _ in rows]
    if names:
        cells = pl.DataFrame(
            {name: [text_of(row.raw.cells.get(name)) for row in rows] for name in names},
            schema=dict.fromkeys(names, pl.String()),
        )
        free, numbers = (
            [field.name for field in fields_of() if field.text == kind] for kind in ("free", "number")
        )
        columns = RecordColumns(known=names, words=free, official={name: name for name in numbers})
        safe = safe_records(cells, columns, persons=None, pseudonymiser=None)
        given = [json.loads(text) for text in safe]
    records = []
    for row, values in zip(rows, given, strict=True):
        kept = {name: cell for name, cell in values.items() if cell is not None}
        records.append(json.dumps(kept | {"_why": row.message}, ensure_ascii=False))
    return records


def _row(row: ReturnedRow, record: str) -> dict[str, object]:
    values: dict[str, object] = {
        "source_file": str(row.file.path),
        "source_row": row.raw.number,
        "reasons": row.reasons,
        "record": record,
    }
    if row.place is not None:
        place = row.place
        values |= {name: getattr(place, name) for name in ("declaration_id", "line_no", "declared_on")}
    return values
