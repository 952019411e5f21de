"""Opens a returned list: a workbook, CSV, or what the page exports, each saved by any program."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from configs.errors import DataError
from configs.schema.risk import RiskConfig
from pipelines.feedback.columns import Headings, RawRow
from pipelines.feedback.values import Cell, text_of
from pipelines.lists.fields import JSON_FORMAT, LIST_ID

_WHAT = "a filled-in list: an .xlsx workbook, CSV, or the JSON that the page exports"
_COLUMNS = "the columns rank or declaration_id, and result_<risk> or the risks' label columns"
_MOST_BYTES = 200 * 2**20
_DELIMITERS = ",;\t|"
_TRIED_LINES = 80


@dataclass(frozen=True)
class ReturnedFile:
    """A file that came back: its SHA-256, the list that it names (None where it names none), and its rows."""

    path: Path
    sha256: str
    kind: str
    list_id: str | None
    rows: Sequence[RawRow]
    decimal_comma: bool = False
    notes: list[str] = field(default_factory=list)


def read_returned(path: Path, risks: Mapping[str, RiskConfig], overlay: Path | None = None) -> ReturnedFile:
    """Read a returned list; what it is, its content says. `overlay` is the folder of the configuration.

    Raises DataError where it is none, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise DataError(f"{path} has {len(content):,} bytes: expected {_WHAT}, of at most {_MOST_BYTES:,}")
    headings = Headings(risks, overlay)
    sha256 = hashlib.sha256(content).hexdigest()
    if content.startswith(b"PK"):
        return _workbook(path, content, sha256, headings)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError(f"{path} is an old or an encrypted workbook: save it as .xlsx without a password")
    text, note = _decoded(path, content)
    if text.lstrip()[:1] in ("{", "["):
        return _json(path, text, sha256, headings)
    return _csv(path, text, note, sha256, headings)


def _workbook(path: Path, content: bytes, sha256: str, headings: Headings) -> ReturnedFile:
    for grid in _sheets(path, content):
        table = headings.table(grid)
        if table is not None:
            notes = _unread(path, table.unread)
            return ReturnedFile(path, sha256, "xlsx", table.list_id, table.rows, notes=notes)
    raise DataError(f"{path} has no sheet with a list: expected {_COLUMNS}")


def _sheets(path: Path, content: bytes) -> list[list[list[Cell]]]:
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            size = sum(part.file_size for part in parts.infolist())
        if size > _MOST_BYTES:
            raise DataError(f"{path} unpacks to {size:,} bytes: expected a list, of at most {_MOST_BYTES:,}")
        # Formulas come as the values that the program saved with them.
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        return [_cells(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path} is no workbook that can be read ({type(error).__name__}): expected {_WHAT}; "
            "open it in a spreadsheet program and save it as .xlsx"
        ) from error


def _cells(rows: Any) -> list[list[Cell]]:
    return [[_cell(value) for value in row] for row in rows]


def _cell(value: Any) -> Cell:
    from datetime import date

    return value if value is None or isinstance(value, str | int | float | bool | date) else str(value)


def _decoded(path: Path, content: bytes) -> tuple[str, str | None]:
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    # GB 18030 is what spreadsheet programs in China write where they are not asked for UTF-8.
    for encoding in ["utf-16"] if marked else ["utf-8-sig", "gb18030"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text, f"{path} was read as {encoding}" if encoding == "gb18030" else None
    raise DataError(f"{path} is no text that can be read: expected {_WHAT}")


def _csv(path: Path, text: str, note: str | None, sha256: str, headings: Headings) -> ReturnedFile:
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
        raise DataError(f"{path} is no list: expected {_WHAT}, with {_COLUMNS}; found no such headings")
    try:
        table = headings.table(_records(text, best[1]))
    except csv.Error as error:
        raise DataError(f"{path} is no CSV that can be read: {error}") from error
    assert table is not None
    return ReturnedFile(
        path, sha256, "csv", table.list_id, table.rows,
        decimal_comma=best[1] == ";",
        notes=[*filter(None, [note]), *_unread(path, table.unread)],
    )  # fmt: skip


def _records(text: str, delimiter: str) -> list[list[Cell]]:
    return [list(record) for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]


def _json(path: Path, text: str, sha256: str, headings: Headings) -> ReturnedFile:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON that can be read: {error}") from error
    whole = found if isinstance(found, dict) else {"rows": found}
    if whole.get("format", JSON_FORMAT) != JSON_FORMAT or not isinstance(whole.get("rows"), list):
        raise DataError(
            f"{path} is no export of a list's page: expected format {JSON_FORMAT!r} and rows, "
            f"came format {whole.get('format')!r}"
        )
    rows = [_json_row(number, row, headings) for number, row in enumerate(whole["rows"], start=1)]
    return ReturnedFile(path, sha256, "json", text_of(_scalar(whole.get(LIST_ID))), rows)


def _json_row(number: int, row: Any, headings: Headings) -> RawRow:
    if not isinstance(row, dict):
        return RawRow(number, {}, fault="not a row of a list")
    results = row.get("results", {})
    if not isinstance(results, dict):
        return RawRow(number, {}, fault="its results are not given by risk")
    given = [*row.items(), *((f"result_{name}", value) for name, value in results.items())]
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
    return json.dumps(value) if isinstance(value, dict | list) else _cell(value)


def _unread(path: Path, headings: Sequence[str]) -> list[str]:
    if not headings:
        return []
    return [f"{path}: columns that are no part of a list were not read: {', '.join(headings[:8])}"]
