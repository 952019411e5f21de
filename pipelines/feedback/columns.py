"""Finds the columns of a returned list by their headings, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path

from configs.language import Language
from configs.schema.risk import RiskConfig
from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.feedback.values import text_of
from pipelines.feedback.workbooks import Position, Sheet
from pipelines.ingest.tables.workbook_cells import Cell
from pipelines.lists.fields import (
    LIST_ID,
    field_of_heading,
    fields_of,
    fields_read_back,
    result_field,
    risk_of,
)

_PLACE = ("rank", "declaration_id")
_FREE_TEXT = {field.name for field in fields_of("inspector") if field.text == "free"}


@dataclass(frozen=True)
class RawRow:
    """A row as it came.

    Attributes:
        number: its number in the sheet or file, from 1.
        cells: by field.
        twice: fields that stand in the row more than once with different values.
        fault: what is wrong with it as a whole.
        list_id: the list that is named above it, None where none is.
        sheet: the name of its sheet, where the file has several with a list.
    """

    number: int
    cells: Mapping[str, Cell]
    twice: tuple[str, ...] = ()
    fault: str | None = None
    list_id: str | None = None
    sheet: str | None = None

    def where(self, words: Language) -> str:
        """Where it stands in its file."""
        if self.sheet is None:
            return words("row {number}", number=self.number)
        return words("sheet {sheet!r}, row {number}", sheet=self.sheet, number=self.number)


@dataclass(frozen=True)
class ListTable:
    """A returned list, and what stands in it or below it that was not understood.

    Attributes:
        list_id: the id that it shows, None where it shows none.
        rows: its rows.
        unread: headings of columns with content that are no part of a list.
        unread_rows: numbers of rows with content that are no rows of a list.
        merged: ranges of merged cells whose value counts for each of their rows.
    """

    list_id: str | None
    rows: list[RawRow]
    unread: list[str] = field(default_factory=list)
    unread_rows: list[int] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)


class Headings:
    """Which field a heading names, in any case, with blanks or underscores.

    >>> known = Headings({})
    >>> [known.field(words) for words in ("Declaration ID", "RESULT", "Inspected_on", "colour")]
    ['declaration_id', 'result', 'inspected_on', None]
    """

    def __init__(self, risks: Mapping[str, RiskConfig], overlay: Path | None = None) -> None:
        self._risks, self._overlay = risks, overlay
        self._seen: dict[str, str | None] = {}
        known = {
            _plain(words): field.name
            for field in fields_read_back()
            for words in (field.name, *field.spellings)
        }
        titles = [(words, name) for name, risk in risks.items() for words in (risk.title.zh, risk.title.en)]
        labels = [(risk.label, name) for name, risk in risks.items()]
        # A risk's own name comes before the label or title of another one.
        for words, name in (*titles, *labels, *((name, name) for name in risks)):
            if words:
                known[_plain(words)] = known[f"result {_plain(words)}"] = result_field(name)
        self._known = known

    def field(self, words: str) -> str | None:
        """The technical name of the field with this heading, None where it is none that is read.

        A heading `result_…` of a risk that is not configured is a field too: whoever reads it says so.
        """
        if words not in self._seen:
            self._seen[words] = self._look_up(words)
        return self._seen[words]

    def _look_up(self, words: str) -> str | None:
        known = field_of_heading(words, self._risks, self._overlay) or self._known.get(_plain(words))
        if known is None and re.fullmatch(r"result_\w+", words.strip().casefold()):
            return words.strip().casefold()
        return known

    def tables(self, sheet: Sheet) -> list[ListTable]:
        """The lists in a sheet, one below the other; none where no row has a list's headings.

        The headings are the row that names most fields; the hidden row of technical names comes first.
        """
        heads = self._heads(sheet.rows)
        tables: list[ListTable] = []
        before: tuple[int, list[str | None]] = (0, [])
        for head, following in pairwise([*heads, len(sheet.rows)]):
            fields = [self._of_cell(cell) for cell in sheet.rows[head]]
            list_id = self._list_id(sheet.rows[before[0] : head])
            if list_id is None and tables and fields == before[1]:
                # The same headings again, as at the top of a further page.
                list_id = tables[-1].list_id
            tables.append(self._table(sheet, (head, following), fields, list_id))
            before = head + 1, fields
        return tables

    def _heads(self, grid: Sequence[Sequence[Cell]]) -> list[int]:
        """The rows of headings; of those that follow one another, the one that names most fields."""
        known = [self._fields_in(cells) for cells in grid]
        candidates = [row for row, fields in enumerate(known) if len(fields) > 1 and fields & set(_PLACE)]
        groups = groupby(enumerate(candidates), lambda item: item[1] - item[0])
        return [
            max((row for _, row in group), key=lambda row: (len(known[row]), -row)) for _, group in groups
        ]

    def _table(
        self, sheet: Sheet, span: tuple[int, int], fields: Sequence[str | None], list_id: str | None
    ) -> ListTable:
        head, end = span
        table = ListTable(list_id, [])
        for number in range(head + 1, end):
            cells = sheet.rows[number]
            if self._names_list(cells):
                # What follows belongs to the next list.
                end = number
                break
            if self._repeats(fields, cells):
                continue
            row = _row(number, fields, sheet, list_id)
            if row is not None:
                table.rows.append(row)
                table.merged.extend(_merged_in(sheet.merged, number, fields))
            elif any(text_of(cell) for cell in cells):
                table.unread_rows.append(number + 1)
        of_a_list = {"declared_on", *DECLARATION_COLUMNS, *(field.name for field in fields_of())}
        below = sheet.rows[head + 1 : end]
        table.unread.extend(
            text_of(cell) or ""
            for place, (cell, known) in enumerate(zip(sheet.rows[head], fields, strict=True))
            if known is None and text_of(cell) and text_of(cell) not in of_a_list
            if any(len(cells) > place and text_of(cells[place]) for cells in below)
        )
        return table

    def _repeats(self, fields: Sequence[str | None], cells: Sequence[Cell]) -> bool:
        """Whether these are headings again, such as the words below the technical names."""
        places = [(known, cell) for known, cell in zip(fields, cells, strict=False) if known in _PLACE]
        return any(self._of_cell(cell) == known for known, cell in places)

    def _fields_in(self, cells: Sequence[Cell]) -> set[str]:
        return {known for cell in cells if (known := self._of_cell(cell)) is not None}

    def _names_list(self, cells: Sequence[Cell]) -> bool:
        """Whether the label `list_id` stands in the row, alone of all fields but the office."""
        return self._list_id([cells]) is not None and not self._fields_in(cells) & set(_PLACE)

    def _of_cell(self, cell: Cell) -> str | None:
        return self.field(cell) if isinstance(cell, str) and cell.strip() else None

    def _list_id(self, above: Sequence[Sequence[Cell]]) -> str | None:
        """What stands right of the label `list_id`, or behind it in the same cell, above the headings."""
        for cells in reversed(above):
            texts = [text_of(cell) for cell in cells]
            for place, text in enumerate(texts):
                if text is None:
                    continue
                if self.field(text.rstrip(":： ")) == LIST_ID:
                    return texts[place + 1] if len(texts) > place + 1 else None
                if match := re.fullmatch(r"list[ _]id\s*[:：]?\s*([0-9a-f]{12})", text, re.IGNORECASE):
                    return match[1]
        return None


def _row(number: int, fields: Sequence[str | None], sheet: Sheet, list_id: str | None) -> RawRow | None:
    """The row's cells by field, None where nothing stands in it that could be a row of a list."""
    by_field: dict[str, Cell] = {}
    twice = []
    for name, cell in zip(fields, sheet.rows[number], strict=False):
        text = text_of(cell)
        if name is None or text is None:
            continue
        if text_of(by_field.get(name)) not in (None, text):
            twice.append(name)
        by_field.setdefault(name, cell)
    fault = None
    for column, name in enumerate(fields):
        if name in _FREE_TEXT and (number, column) in sheet.formulas:
            # Somebody began a remark with "=".
            by_field.setdefault(name, sheet.formulas[number, column])
        elif name is not None and fault is None:
            fault = sheet.faults.get((number, column))
    ranked = (text_of(by_field.get("rank")) or "").isdecimal()
    if not (ranked or has_entry(by_field) or "declaration_id" in by_field):
        return None
    return RawRow(number + 1, by_field, tuple(dict.fromkeys(twice)), fault, list_id)


def _merged_in(merged: Mapping[Position, str], number: int, fields: Sequence[str | None]) -> list[str]:
    return [
        merged[number, column]
        for column, name in enumerate(fields)
        if name is not None and (number, column) in merged
    ]


def has_entry(cells: Mapping[str, Cell]) -> bool:
    """Whether anything was filled in: the day of the report alone says nothing of a parcel."""
    entries = {field.name for field in fields_of("inspector")} - {"reported_on"}
    return any(
        text_of(cell) is not None and (name in entries or risk_of(name) is not None)
        for name, cell in cells.items()
    )


def _plain(words: str) -> str:
    return re.sub(r"[\W_]+", " ", words.casefold()).strip()
