"""Opens a returned list: a workbook, CSV, or what the page exports, each saved by any program."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from configs.errors import DataError
from configs.schema.risk import RiskConfig
from pipelines.feedback.columns import Headings, ListTable, RawRow, has_entry
from pipelines.feedback.values import text_of
from pipelines.feedback.workbooks import cell_of, sheets_of
from pipelines.ingest.tables.workbook_cells import COMPOUND, ZIPPED, Cell
from pipelines.lists.fields import JSON_FORMAT, LIST_ID, result_field

_WHAT = "a filled-in list: a workbook such as .xlsx, CSV, or the JSON that the page exports"
_COLUMNS = "the columns rank or declaration_id, and result_<risk> or the risks' label columns"
_MOST_BYTES = 200 * 2**20
_DELIMITERS = ",;\t|"
_TRIED_LINES = 80


@dataclass(frozen=True)
class ReturnedFile:
    """A file that came back, and what was read of it.

    Attributes:
        path: where it is.
        sha256: of its content, None where it was refused.
        list_id: the list that it names, None where it names none.
        rows: its rows.
        decimal_comma: whether a comma in `1,234` stands before the decimals.
        notes: what to tell of it.
        fault: why it was refused as a whole.
    """

    path: Path
    sha256: str | None = None
    list_id: str | None = None
    rows: Sequence[RawRow] = ()
    decimal_comma: bool = False
    notes: Sequence[str] = ()
    fault: str | None = None

    @property
    def not_filled_in(self) -> int:
        """Rows in which nothing was entered."""
        return sum(row.fault is None and not has_entry(row.cells) for row in self.rows)


def read_returned(path: Path, risks: Mapping[str, RiskConfig], overlay: Path | None = None) -> ReturnedFile:
    """Read a returned list; what it is, its content says. `overlay` is the folder of the configuration.

    Raises:
        DataError: it is none, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise DataError(f"{path} has {len(content):,} bytes: expected {_WHAT}, of at most {_MOST_BYTES:,}")
    file = ReturnedFile(path, hashlib.sha256(content).hexdigest())
    headings = Headings(risks, overlay)
    if content.startswith((ZIPPED, COMPOUND)):
        return _workbook(file, content, headings)
    text, notes = _decoded(path, content)
    if text.lstrip()[:1] in ("{", "["):
        return _json(file, text, headings)
    return _csv(replace(file, notes=notes), text, headings)


def _workbook(file: ReturnedFile, content: bytes, headings: Headings) -> ReturnedFile:
    for grid in sheets_of(file.path, content, _MOST_BYTES):
        table = headings.table(grid)
        if table is not None:
            return _with_rows(file, table)
    raise DataError(f"{file.path} has no sheet with a list: expected {_COLUMNS}")


def _with_rows(file: ReturnedFile, table: ListTable) -> ReturnedFile:
    notes = [*file.notes]
    if table.unread:
        unread = ", ".join(table.unread[:8])
        notes.append(f"{file.path}: columns that are no part of a list were not read: {unread}")
    return replace(file, list_id=table.list_id, rows=table.rows, notes=notes)


def _decoded(path: Path, content: bytes) -> tuple[str, list[str]]:
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    # GB 18030 is what spreadsheet programs in China write where they are not asked for UTF-8.
    for encoding in ["utf-16"] if marked else ["utf-8-sig", "gb18030"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text, [f"{path} was read as {encoding}"] if encoding == "gb18030" else []
    raise DataError(f"{path} is no text that can be read: expected {_WHAT}")


def _csv(file: ReturnedFile, text: str, headings: Headings) -> ReturnedFile:
    best: tuple[int, str] = (-1, ",")
    start = "".join(text.splitlines(keepends=True)[:_TRIED_LINES])
    for delimiter in _DELIMITERS:
        try:
            tried = headings.table(_records(start, delimiter))
        except csv.Error:
            continue
        if tried is not None:
            best = max(best, (1 + max((len(row.cells) for row in tried.rows), default=0), delimiter))
    if best[0] < 0:
        raise DataError(f"{file.path} is no list: expected {_WHAT}, with {_COLUMNS}; found no such headings")
    try:
        table = headings.table(_records(text, best[1]))
    except csv.Error as error:
        raise DataError(f"{file.path} is no CSV that can be read: {error}") from error
    assert table is not None
    return replace(_with_rows(file, table), decimal_comma=best[1] == ";")


def _records(text: str, delimiter: str) -> list[list[Cell]]:
    return [list(record) for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]


def _json(file: ReturnedFile, text: str, headings: Headings) -> ReturnedFile:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file.path} is no JSON that can be read: {error}") from error
    whole = content if isinstance(content, dict) else {"rows": content}
    if whole.get("format", JSON_FORMAT) != JSON_FORMAT or not isinstance(whole.get("rows"), list):
        raise DataError(
            f"{file.path} is no export of a list's page: expected format {JSON_FORMAT!r} and rows, "
            f"came format {whole.get('format')!r}"
        )
    rows = [_json_row(number, row, headings) for number, row in enumerate(whole["rows"], start=1)]
    return replace(file, list_id=text_of(_scalar(whole.get(LIST_ID))), rows=rows)


def _json_row(number: int, row: Any, headings: Headings) -> RawRow:
    if not isinstance(row, dict):
        return RawRow(number, {}, fault="not a row of a list")
    results = row.get("results", {})
    if not isinstance(results, dict):
        return RawRow(number, {}, fault="its results are not given by risk")
    given = [*row.items(), *((result_field(str(name)), value) for name, value in results.items())]
    cells: dict[str, Cell] = {}
    twice = []
    for name, value in given:
        known = headings.field(name)
        if (name == "results" and isinstance(value, dict)) or known is None:
            continue
        cell = _scalar(value)
        if text_of(cell) is None:
            continue
        if text_of(cells.get(known)) not in (None, text_of(cell)):
            twice.append(known)
        cells.setdefault(known, cell)
    return RawRow(number, cells, tuple(twice))


def _scalar(value: Any) -> Cell:
    return json.dumps(value) if isinstance(value, dict | list) else cell_of(value)
