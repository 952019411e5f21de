"""The rows that were not taken, in words for the office and as a workbook to correct and give back."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import xlsxwriter

from configs.language import Language, language
from configs.schema.settings import Settings
from features.contract.reject_reasons import RejectReason
from features.contract.result_words import RESULT_WORDS
from pipelines.feedback.places import Place
from pipelines.feedback.rows import CONFLICT, REJECTED, ReturnedRow
from pipelines.feedback.values import text_of
from pipelines.lists.fields import FIELDS, LIST_ID, fields_to_fill_in, result_field, result_heading

NOT_TAKEN = (REJECTED, CONFLICT)
WHAT_TO_CORRECT = "What to correct"
_PLACE = ("rank", "declaration_id", "line_no")
_ENDING = re.compile(r"-to-correct(?:-\d+)?$")
_RESULTS: Mapping[str, str] = {str(name): word for name, word in RESULT_WORDS.items()}
_WIDE = 60
_MOST_CHARS = 60
# A clock's moment would make two equal workbooks differ.
_CREATED = datetime.combine(date(2000, 1, 1), time())
KINDS: Mapping[str, str] = {
    RejectReason.NOT_A_NUMBER: "expected a number such as 12.50, without a mark between thousands",
    RejectReason.NOT_A_WHOLE_NUMBER: "expected a whole number",
    RejectReason.NOT_A_DATE: "expected one day, such as 2026-11-21",
    RejectReason.OUT_OF_RANGE: "outside of what can be: a day before that of the list, or an amount below 0",
    RejectReason.REPORTED_BEFORE_INSPECTED: "the day of inspection is after that of the report",
    RejectReason.NOT_IN_LIST: "not one of what can be chosen",
    RejectReason.CONTRADICTION: "contradicts something else in the row",
    RejectReason.CONFLICT: "not what was returned before: say which one holds",
    RejectReason.NOT_ON_LIST: "does not go together with the list: keep rank and parcel together",
    RejectReason.UNKNOWN_LIST: "this list was not issued here",
    RejectReason.UNKNOWN_DECLARATION: "no such declaration, waybill or order is known",
    RejectReason.SHARED_NUMBER: "several parcels have this number: give that of the declaration",
    RejectReason.ROUNDED_NUMBER: "rounded by a spreadsheet: format the cell as text, type the whole number",
    RejectReason.OTHER_CURRENCY: "no exchange rate is known: give it in the currency of the declaration",
    RejectReason.TEXT_TOO_LONG: "the text is too long",
    RejectReason.BAD_FORMAT: "the row has merged cells or a formula without its value",
    RejectReason.BAD_FORMAT.of("found_hs_code"): "expected 4 to 10 digits",
    RejectReason.CONTRADICTION.of("not_opened"): "a parcel that was not opened has no result",
}
"""What is wrong with a value, and what to do, by the reason: with its field, or its kind."""


class OfficeWords:
    """Rows in the language of the office whose list they are about, by the headings of its list."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def language_of(self, place: Place | None) -> Language:
        """The office's language; where the list was not found, that of all documents."""
        capacity = self._settings.capacity
        code = capacity.language if place is None else capacity.language_of(place.customs_office)
        return language(code, self._settings.overlay)

    def common(self, rows: Iterable[ReturnedRow]) -> Language:
        """The language of the offices that rows are about; where they have several, that of all documents."""
        spoken = {self.language_of(row.place).code for row in rows if row.place is not None}
        return language(spoken.pop(), self._settings.overlay) if len(spoken) == 1 else self.language_of(None)

    def heading(self, field: str, words: Language) -> str:
        """The heading of a field or a label, its name where the list has none."""
        for name, risk in self._settings.risks.items():
            if field in (result_field(name), risk.label):
                return result_heading(risk.title.in_language(words), words)
        return next((words(each.heading) for each in FIELDS if each.name == field and each.heading), field)

    def title(self, risk: str, words: Language) -> str:
        """The title of a risk."""
        return self._settings.risks[risk].title.in_language(words)

    def why(self, row: ReturnedRow) -> str:
        """Why the row was not taken, and what to do."""
        words = self.language_of(row.place)
        if words.code == "en":
            names = [*fields_to_fill_in(self._settings.risks), "declaration_id", "line_no"]
            pattern = rf"\b(?:{'|'.join(map(re.escape, names))})\b"
            return re.sub(pattern, lambda name: self.heading(name[0], words), row.message)
        return words("; ").join(self._translated(row, reason, words) for reason in row.reasons) or row.message

    def _translated(self, row: ReturnedRow, reason: str, words: Language) -> str:
        field, _, kind = reason.rpartition(":")
        message = KINDS.get(reason) or KINDS.get(kind)
        told = kind if message is None else words(message)
        came = (text_of(row.raw.cells.get(field)) or "")[:_MOST_CHARS]
        head = self.heading(field, words) if field else ""
        conflicts = {} if row.decision is None else row.decision.conflicts
        if field in conflicts:
            old, new = (self._value(field, value, words) for value in conflicts[field])
            told = words("was {before}, now {now}", before=old, now=new)
        elif came:
            told = words("{words} (came: {came})", words=told, came=came)
        return words("{field}: {words}", field=head, words=told) if head else told

    @staticmethod
    def _value(field: str, value: object, words: Language) -> str:
        if isinstance(value, bool):
            value = "found" if value else "nothing"
        known = (_choices_of(field) or _RESULTS).get(str(value))
        return words(known) if known else "" if value is None else str(value)

    def titles(self, words: Language) -> dict[str, str]:
        """The headings of a row's place and of all fields to fill in, by technical name."""
        names = [*_PLACE, *fields_to_fill_in(self._settings.risks)]
        return {name: self.heading(name, words) for name in names}


def write_beside(path: Path, rows: Sequence[ReturnedRow], office: OfficeWords) -> Path:
    """Write the rows of a file that were not taken into a workbook beside it; return where it is.

    A workbook that somebody may be correcting is left as it is: another one has the next number.

    Raises:
        OSError: it cannot be written there.
    """
    content = _workbook(rows, office)
    stem = _ENDING.sub("", path.stem)
    number = 1
    while True:
        target = path.with_name(f"{stem}-to-correct{'' if number == 1 else f'-{number}'}.xlsx")
        if not target.exists():
            target.write_bytes(content)
            return target
        if target.read_bytes() == content:
            return target
        number += 1


def _workbook(rows: Sequence[ReturnedRow], office: OfficeWords) -> bytes:
    words = office.language_of(rows[0].place)
    titles = office.titles(words)
    given = {name for row in rows for name in row.raw.cells if name != LIST_ID}
    columns = {name: titles.get(name, name) for name in [*titles, *sorted(given - titles.keys())]}
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": _CREATED})
        sheet = book.add_worksheet(words("List"))
        bold = book.add_format({"bold": True, "text_wrap": True, "border": 1, "bg_color": "#FFE9A8"})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top", "quote_prefix": True})
        day = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"})
        sheet.write_row(0, 1, [*columns, LIST_ID])
        sheet.set_row(0, None, None, {"hidden": True})
        sheet.write_row(
            1, 0, [words(WHAT_TO_CORRECT), *columns.values(), words("List {number}", number="")], bold
        )
        sheet.set_column(0, 0, _WIDE)
        sheet.set_column(1, len(columns) + 1, 16)
        sheet.freeze_panes(2, 1)
        for column, name in enumerate(columns, start=1):
            if offered := [words(word) for word in _choices_of(name).values()]:
                rule = {"validate": "list", "source": offered, "error_type": "warning"}
                sheet.data_validation(2, column, 1 + len(rows), column, rule)
        for number, row in enumerate(rows, start=2):
            listed = text_of(row.raw.cells.get(LIST_ID)) or row.raw.list_id
            cells = [office.why(row), *(row.raw.cells.get(name) for name in columns), listed]
            for column, cell in enumerate(cells):
                _put(sheet, (number, column), cell, text, day)
    return buffer.getvalue()


def _choices_of(field: str) -> Mapping[str, str]:
    """What can be chosen in a field, by what it means, in English words; empty where people write."""
    if field.startswith("result_"):
        return _RESULTS
    return next((each.choices for each in FIELDS if each.name == field), {})


def _put(sheet: Any, at: tuple[int, int], cell: object, text: Any, day: Any) -> None:
    if isinstance(cell, datetime | date):
        moment = cell if isinstance(cell, datetime) else datetime.combine(cell, time())
        sheet.write_datetime(*at, moment.replace(tzinfo=None), day)
    elif isinstance(cell, float | int) and not isinstance(cell, bool) and math.isfinite(cell):
        sheet.write_number(*at, cell)
    elif cell is not None:
        sheet.write_string(*at, str(cell), text)


def not_taken(rows: Iterable[ReturnedRow], path: Path) -> list[ReturnedRow]:
    """The rows of a file that were not taken."""
    return [row for row in rows if row.file.path == path and row.outcome in NOT_TAKEN]
