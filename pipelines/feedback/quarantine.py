"""Returned rows that were not written, as rows for the quarantine: as they came, naming nobody, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import polars as pl

from features.contract.reject_reasons import RejectReason
from pipelines.feedback.columns import RawRow
from pipelines.feedback.log import Logged
from pipelines.feedback.values import text_of
from pipelines.privacy.identity_screen import safe_records
from pipelines.store.quarantine import QUARANTINE_COLUMNS

_TABLE = "feedback"
_FREE_TEXT = ("note", "override_reason", "item_name", "item_model")
_NUMBERS = ("declaration_id", "opened_instead", "waybill_id", "list_id", "hs_code")


def rows_for_quarantine(aside: Sequence[tuple[Logged, RawRow]], refused: Mapping[str, str]) -> pl.DataFrame:
    """The columns of the quarantine and `declared_on`, which is null where the list was not found.

    Args:
        aside: rows that were rejected or left in conflict, as they are logged and as they came.
        refused: files that are no list, and why.
    """
    records = _records([raw for _, raw in aside], [row.message for row, _ in aside])
    found = [_row(row, record) for (row, _), record in zip(aside, records, strict=True)]
    found += [
        {"source_file": path, "reasons": [RejectReason.UNREADABLE_FILE.value], "record": fault}
        for path, fault in refused.items()
    ]
    schema = QUARANTINE_COLUMNS | {"declared_on": pl.Date()}
    return pl.DataFrame([{"table": _TABLE, **values} for values in found], schema=schema)


def _records(rows: Sequence[RawRow], messages: Sequence[str]) -> list[str]:
    """The rows as JSON, with what was wrong with them as `_why`."""
    names = sorted({name for row in rows for name in row.cells})
    given: list[dict[str, str | None]] = [{} for _ in rows]
    if names:
        cells = pl.DataFrame(
            {name: [text_of(row.cells.get(name)) for row in rows] for name in names},
            schema=dict.fromkeys(names, pl.String()),
        )
        safe = safe_records(
            cells, hash_always={}, known=names, free_text=_FREE_TEXT, exempt=_NUMBERS, pseudonymiser=None
        )
        given = [json.loads(text) for text in safe]
    kept = [{name: cell for name, cell in record.items() if cell is not None} for record in given]
    return [
        json.dumps(record | {"_why": message}, ensure_ascii=False)
        for record, message in zip(kept, messages, strict=True)
    ]


def _row(row: Logged, record: str) -> dict[str, object]:
    values: dict[str, object] = {
        "source_file": row.source_file,
        "source_row": row.source_row,
        "reasons": list(row.reasons),
        "record": record,
    }
    if row.place is not None:
        place = row.place
        values |= {name: getattr(place, name) for name in ("declaration_id", "line_no", "declared_on")}
    return values
