"""Finds the columns of a returned list by their headings, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from configs.schema.risk import RiskConfig
from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.feedback.values import text_of
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
_HEADERS_WITHIN = 60


@dataclass(frozen=True)
class RawRow:
    """A row as it came: its number in the file, the cells by field, and what is wrong with it as a whole.

    `twice` names fields that stand in the row more than once with different values.
    """

    number: int
    cells: Mapping[str, Cell]
    twice: tuple[str, ...] = ()
    fault: str | None = None


@dataclass(frozen=True)
class ListTable:
    """A returned list: the id that it shows, its rows, and headings of columns that were not understood."""

    list_id: str | None
    rows: list[RawRow]
    unread: list[str] = field(default_factory=list)


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

    def table(self, grid: Sequence[Sequence[Cell]]) -> ListTable | None:
        """The list in the cells of a sheet or a CSV file, None where none has a list's headings.

        The headings are the row that names most fields; the hidden row of technical names comes first.
        """
        head = max(
            range(min(len(grid), _HEADERS_WITHIN)),
            key=lambda number: (self._known_in(grid[number]), -number),
            default=None,
        )
        if head is None or self._known_in(grid[head]) < 2:
            return None
        fields = [self._of_cell(cell) for cell in grid[head]]
        if not set(fields) & set(_PLACE):
            return None
        rows = [
            _row(number, fields, cells)
            for number, cells in enumerate(grid[head + 1 :], start=head + 2)
            if not self._repeats(fields, cells)
        ]
        of_a_list = {"declared_on", *DECLARATION_COLUMNS, *(field.name for field in fields_of())}
        unread = [
            text_of(cell) or ""
            for place, (cell, known) in enumerate(zip(grid[head], fields, strict=True))
            if known is None and text_of(cell) and text_of(cell) not in of_a_list
            if any(len(cells) > place and text_of(cells[place]) for cells in grid[head + 1 :])
        ]
        return ListTable(self._list_id(grid[:head]), [row for row in rows if row is not None], unread)

    def _repeats(self, fields: Sequence[str | None], cells: Sequence[Cell]) -> bool:
        """Whether these are headings again, such as the words below the technical names."""
        places = [(known, cell) for known, cell in zip(fields, cells, strict=False) if known in _PLACE]
        return any(self._of_cell(cell) == known for known, cell in places)

    def _known_in(self, cells: Sequence[Cell]) -> int:
        return len({known for cell in cells if (known := self._of_cell(cell)) is not None})

    def _of_cell(self, cell: Cell) -> str | None:
        return self.field(cell) if isinstance(cell, str) and cell.strip() else None

    def _list_id(self, above: Sequence[Sequence[Cell]]) -> str | None:
        """What stands right of the label `list_id`, or behind it in the same cell, above the headings."""
        for cells in above:
            texts = [text_of(cell) for cell in cells]
            for place, text in enumerate(texts):
                if text is None:
                    continue
                if self.field(text.rstrip(":： ")) == LIST_ID:
                    return texts[place + 1] if len(texts) > place + 1 else None
                if match := re.fullmatch(r"list[ _]id\s*[:：]?\s*([0-9a-f]{12})", text, re.IGNORECASE):
                    return match[1]
        return None


def _row(number: int, fields: Sequence[str | None], cells: Sequence[Cell]) -> RawRow | None:
    """The row's cells by field, None where nothing stands in it that could be a row of a list."""
    by_field: dict[str, Cell] = {}
    twice = []
    for name, cell in zip(fields, cells, strict=False):
        text = text_of(cell)
        if name is None or text is None:
            continue
        if text_of(by_field.get(name)) not in (None, text):
            twice.append(name)
        by_field.setdefault(name, cell)
    ranked = (text_of(by_field.get("rank")) or "").isdecimal()
    if not (ranked or has_entry(by_field) or "declaration_id" in by_field):
        return None
    return RawRow(number, by_field, tuple(dict.fromkeys(twice)))


def has_entry(cells: Mapping[str, Cell]) -> bool:
    """Whether anything was filled in: the day of the report alone says nothing of a parcel."""
    entries = {field.name for field in fields_of("inspector")} - {"reported_on"}
    return any(
        text_of(cell) is not None and (name in entries or risk_of(name) is not None)
        for name, cell in cells.items()
    )


def _plain(words: str) -> str:
    return re.sub(r"[\W_]+", " ", words.casefold()).strip()
