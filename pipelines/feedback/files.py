"""Opens a returned list: a workbook, CSV, or what the page exports, each saved by any program."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from configs.errors import DataError
from configs.language import Message, language
from configs.language_codes import LANGUAGES
from configs.schema.risk import RiskConfig
from pipelines.feedback.columns import Headings, ListTable, RawRow, has_entry
from pipelines.feedback.values import text_of
from pipelines.feedback.workbooks import MOST_ROWS, Sheet, cell_of, sheets_of
from pipelines.ingest.delivered.names import is_leftover
from pipelines.ingest.tables.workbook_cells import COMPOUND, ZIPPED, Cell
from pipelines.lists.fields import GUIDE_TITLE, JSON_FORMAT, LIST_ID, PRINT_TITLE, result_field

_WHAT = Message("a filled-in list: a workbook such as .xlsx, CSV, or the JSON that the page exports")
_COLUMNS = Message("the columns rank or declaration_id, and result_<risk> or the risks' label columns")
# As it began in Chinese on lists that may still come back.
_EARLIER_GUIDE = "查看要点与清单说明"
_MOST_BYTES = 200 * 2**20
_DELIMITERS = ",;\t|"
_TRIED_LINES = 80


@dataclass(frozen=True)
class ReturnedFile:
    """A file that came back, and what was read of it.

    Attributes:
        path: where it is.
        sha256: of its content, None where it was refused.
        list_id: the first list that it names, None where it names none.
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
    notes: Sequence[Message] = ()
    fault: Message | str | None = None

    @property
    def not_filled_in(self) -> int:
        """Rows in which nothing was entered."""
        return sum(row.fault is None and not has_entry(row.cells) for row in self.rows)


def read_returned(path: Path, risks: Mapping[str, RiskConfig], overlay: Path | None = None) -> ReturnedFile:
    """Read a returned list; what it is, its content says. `overlay` is the folder of the configuration.

    Raises:
        DataError: it is none, or cannot be read.
    """
    if is_leftover(path.name):
        return ReturnedFile(
            path,
            notes=[
                Message("{file} was passed over: a program left it while the list was open", {"file": path})
            ],
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _refused(Message("{file} cannot be read: {why}"), path, why=error.strerror) from error
    if len(content) > _MOST_BYTES:
        raise _refused(
            Message("{file} has {bytes:,} bytes: expected {what}, of at most {most:,}"),
            path,
            bytes=len(content),
            what=_WHAT,
            most=_MOST_BYTES,
        )
    file = ReturnedFile(path, hashlib.sha256(content).hexdigest())
    headings = Headings(risks, overlay)
    if content.startswith((ZIPPED, COMPOUND)):
        return _workbook(file, content, headings)
    text, notes = _decoded(path, content)
    if text.lstrip()[:1] in ("{", "["):
        return _json(file, text, headings)
    return _csv(replace(file, notes=notes), text, headings)


def _refused(message: Message, path: Path, **values: object) -> DataError:
    return DataError(replace(message, values={"file": path, **values}))


def _workbook(file: ReturnedFile, content: bytes, headings: Headings) -> ReturnedFile:
    sheets = sheets_of(file.path, content, _MOST_BYTES)
    tables = [(sheet, [] if _is_of_words(sheet) else headings.tables(sheet)) for sheet in sheets]
    if not any(found for _, found in tables):
        raise _refused(
            Message("{file} has no sheet with a list: expected {columns}"), file.path, columns=_COLUMNS
        )
    return _with_rows(file, tables)


def _with_rows(file: ReturnedFile, tables: Sequence[tuple[Sheet, list[ListTable]]]) -> ReturnedFile:
    """The rows of all lists in a file, and notes of all that is not one of them."""
    several = sum(bool(found) for _, found in tables) > 1
    rows: list[RawRow] = []
    notes = [*file.notes]
    for sheet, found in tables:
        where = (
            str(file.path)
            if sheet.name is None
            else Message("{file}, sheet {sheet!r}", {"file": file.path, "sheet": sheet.name})
        )
        notes += [
            Message("{where}: {left_out}", {"where": where, "left_out": each})
            for each in _left_out(sheet, found)
        ]
        for table in found:
            rows += [replace(row, sheet=sheet.name) if several else row for row in table.rows]
    named = [table.list_id for _, found in tables for table in found if table.list_id]
    return replace(file, list_id=named[0] if named else None, rows=rows, notes=notes)


def _left_out(sheet: Sheet, tables: Sequence[ListTable]) -> Iterator[Message]:
    if not tables:
        cells = sum(text_of(cell) is not None for row in sheet.rows for cell in row)
        if cells and not _is_of_words(sheet):
            yield Message("it has no list: {cells:,} cells were not read", {"cells": cells})
    unread = [heading for table in tables for heading in table.unread]
    if unread:
        yield Message(
            "columns that are no part of a list were not read: {columns}", {"columns": tuple(unread)}
        )
    rows = [number for table in tables for number in table.unread_rows]
    if rows:
        yield Message("rows that are no rows of a list were not read: {rows}", {"rows": tuple(rows)})
    merged = list(dict.fromkeys(area for table in tables for area in table.merged))
    if merged:
        yield Message(
            "of merged cells the value counts for each of their rows: {cells}", {"cells": tuple(merged)}
        )
    if sheet.beyond:
        yield Message("cells far outside of the list were not read: {cells}", {"cells": tuple(sheet.beyond)})


def _is_of_words(sheet: Sheet) -> bool:
    """Whether it is an issued sheet that is there to read: what to look for, or the one to print."""
    first = text_of(sheet.rows[0][0]) if sheet.rows and sheet.rows[0] else None
    issued = {language(code)(title) for code in LANGUAGES for title in (GUIDE_TITLE, PRINT_TITLE)}
    return first in {*issued, _EARLIER_GUIDE}


def _decoded(path: Path, content: bytes) -> tuple[str, list[Message]]:
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    # GB 18030 is what spreadsheet programs in China write where they are not asked for UTF-8.
    for encoding in ["utf-16"] if marked else ["utf-8-sig", "gb18030"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            told = Message("{file} was read as {encoding}", {"file": path, "encoding": encoding})
            return text, [told] if encoding == "gb18030" else []
    raise _refused(Message("{file} is no text that can be read: expected {what}"), path, what=_WHAT)


def _csv(file: ReturnedFile, text: str, headings: Headings) -> ReturnedFile:
    best: tuple[int, str] = (-1, ",")
    start = "".join(text.splitlines(keepends=True)[:_TRIED_LINES])
    for delimiter in _DELIMITERS:
        try:
            tried = headings.tables(Sheet(_records(start, delimiter)))
        except csv.Error:
            continue
        if tried:
            widths = (len(row.cells) for table in tried for row in table.rows)
            best = max(best, (1 + max(widths, default=0), delimiter))
    if best[0] < 0:
        raise _refused(
            Message("{file} is no list: expected {what}, with {columns}; found no such headings"),
            file.path,
            what=_WHAT,
            columns=_COLUMNS,
        )
    try:
        sheet = Sheet(_records(text, best[1]))
    except csv.Error as error:
        raise _refused(
            Message("{file} is no CSV that can be read: {why}"), file.path, why=str(error)
        ) from error
    _check_length(file, sheet.rows)
    return replace(_with_rows(file, [(sheet, headings.tables(sheet))]), decimal_comma=best[1] == ";")


def _records(text: str, delimiter: str) -> list[list[Cell]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [list(record) for record in islice(reader, MOST_ROWS + 1)]


def _check_length(file: ReturnedFile, rows: Sequence[object]) -> None:
    if len(rows) > MOST_ROWS:
        raise _refused(
            Message("{file} has more than {most:,} rows: expected {what}"),
            file.path,
            most=MOST_ROWS,
            what=_WHAT,
        )


def _json(file: ReturnedFile, text: str, headings: Headings) -> ReturnedFile:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(
            Message("{file} is no JSON that can be read: {why}"), file.path, why=str(error)
        ) from error
    whole = content if isinstance(content, dict) else {"rows": content}
    if whole.get("format", JSON_FORMAT) != JSON_FORMAT or not isinstance(whole.get("rows"), list):
        raise _refused(
            Message(
                "{file} is no export of a list's page: expected format {format!r} and rows, "
                "came format {came!r}"
            ),
            file.path,
            format=JSON_FORMAT,
            came=whole.get("format"),
        )
    _check_length(file, whole["rows"])
    list_id = text_of(_scalar(whole.get(LIST_ID)))
    rows = [
        replace(_json_row(number, row, headings), list_id=list_id)
        for number, row in enumerate(whole["rows"], start=1)
    ]
    return replace(file, list_id=list_id, rows=rows)


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
