"""The statistics of a month as a workbook: totals, months, tables, cells, revisions, notes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

import polars as pl
import xlsxwriter

from pipelines.statistics.day_cells import BY_DIRECTION, DIMENSIONS
from pipelines.statistics.documents.wording import (
    BY,
    HIDDEN,
    NOTES,
    STATUS_WORDS,
    SUPPRESSED_NOTE,
    UNVALUED_WORDS,
    StatisticsWords,
)
from pipelines.statistics.issue import Issue
from pipelines.statistics.line_values import CELL_KEY
from pipelines.statistics.month_cells import FIGURES, STATISTICS_COLUMNS
from pipelines.statistics.suppression.suppress import VALUES_SHOWN

MOST_CELLS: Final = 500_000
"""Rows of cells in the workbook; more stand in the CSV file alone."""
COMPARED_COLUMNS: Final = (
    *("declarations", "lines", "net_weight_kg", "value_cny", "value_usd", "returned_value_cny"),
    *("net_value_cny", "value_cny_before", "value_cny_year_ago", "change", "value_cny_year"),
    *("value_usd_year", "returned_value_cny_year", "net_value_cny_year", "value_cny_year_before"),
    "year_change",
)
"""The figures of an entry."""
_WHOLE: Final = ("declarations", "lines")
_SHARES: Final = ("change", "year_change")
_WIDTH: Final = 18


def statistics_workbook(issue: Issue, wording: StatisticsWords) -> bytes:
    """Return the workbook as a file's content; the same issue gives the same bytes.

    Texts are written as text, so that none becomes a formula. What is not shown says so.
    """
    buffer = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    words = wording.words
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"author": "parcel-risk", "created": datetime.combine(issue.as_of, time())})
        writer = _Writer(book, wording, issue)
        writer.compared(words("Totals"), issue.totals, BY_DIRECTION)
        writer.months(words("Months"), issue.months)
        for name in DIMENSIONS:
            rows = [row for direction in issue.directions for row in issue.table(name, direction).to_dicts()]
            writer.compared(words(BY[name]), rows, name)
        writer.cells(words("Cells"), issue.cells)
        if issue.revision is not None:
            writer.revision(words("Revisions"), issue.revision.cells)
        writer.texts(words("Notes"), _notes(issue, wording))
    return buffer.getvalue()


def _notes(issue: Issue, wording: StatisticsWords) -> Iterable[str]:
    words = wording.words
    yield words(
        "{month}, {status}, as of {day}", month=issue.name, status=words(STATUS_WORDS[issue.status]),
        day=issue.as_of,
    )  # fmt: skip
    if issue.suppressed is not None:
        yield words(SUPPRESSED_NOTE)
    yield from map(words, NOTES)
    for reason, currency, lines in issue.unvalued.iter_rows():
        yield words(
            "{lines:,} lines without a value: {why} {currency}", lines=lines,
            why=words(UNVALUED_WORDS[reason]), currency=currency or "",
        )  # fmt: skip
    if issue.cells.height > MOST_CELLS:
        yield words(
            "Only the first {rows:,} cells are in this file; all are in the CSV file.", rows=MOST_CELLS
        )


class _Writer:
    """Writes sheets of a workbook, row after row."""

    def __init__(self, book: Any, wording: StatisticsWords, issue: Issue) -> None:
        self._book = book
        self._wording = wording
        self._issue = issue
        self._hidden = wording.words(HIDDEN)
        self._head = book.add_format({"bold": True, "text_wrap": True, "bg_color": "#DCE6F1", "border": 1})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        formats = {"whole": "#,##0", "money": "#,##0.00", "share": "0.0%", "day": "yyyy-mm-dd"}
        self._formats = {kind: book.add_format({"num_format": form}) for kind, form in formats.items()}
        self._right = book.add_format({"align": "right"})

    def compared(self, title: str, entries: Sequence[Mapping[str, Any]], dimension: str) -> None:
        """A table of entries, with the direction of each."""
        heads = ["direction"] if dimension == BY_DIRECTION else ["direction", dimension]
        is_short = self._issue.suppressed is not None and dimension != BY_DIRECTION
        columns = VALUES_SHOWN if is_short else COMPARED_COLUMNS
        sheet = self._sheet(title, [self._wording.heading(name) for name in (*heads, *columns)])
        for number, row in enumerate(entries, start=1):
            names = [self._wording.direction(row["direction"], row["dimension"])]
            if dimension != BY_DIRECTION:
                names.append(self._wording.entry(dimension, row["entry"]))
            self._row(sheet, number, names, [(name, self._shown(row, name)) for name in columns])

    def months(self, title: str, months: pl.DataFrame) -> None:
        """The values of directions by month."""
        figures = ("declarations", "lines", "value_cny", "value_usd", "returned_value_cny")
        heads = [self._wording.heading(name) for name in ("month", "direction", *figures)]
        sheet = self._sheet(title, heads)
        for number, row in enumerate(months.iter_rows(named=True), start=1):
            names = [row["month"], self._wording.direction(row["direction"], row["dimension"])]
            self._row(sheet, number, names, [(name, row[name]) for name in figures])

    def cells(self, title: str, cells: pl.DataFrame) -> None:
        """The cells, with codes as they are in the files."""
        sheet = self._sheet(title, [self._wording.heading(name) for name in STATISTICS_COLUMNS])
        for number, row in enumerate(cells.head(MOST_CELLS).iter_rows(named=True), start=1):
            names = [row["month"], *(row[name] or "" for name in CELL_KEY)]
            hidden = self._hidden if row["lines"] is None else None
            figures = [
                *((name, row[name] if hidden is None else hidden) for name in FIGURES),
                ("status", self._wording.words(STATUS_WORDS[row["status"]])),
                ("as_of", row["as_of"]),
            ]
            self._row(sheet, number, names, figures)

    def revision(self, title: str, cells: pl.DataFrame) -> None:
        """Cells that have changed since the issue before, without those that are not shown."""
        heads = [self._wording.heading(name) for name in CELL_KEY]
        both = {name: (f"{name}_before", f"{name}_after") for name in FIGURES}
        for name in FIGURES:
            heading = self._wording.heading(name)
            heads += [
                self._wording.words("{figure}: before", figure=heading),
                self._wording.words("{figure}: now", figure=heading),
            ]
        sheet = self._sheet(title, heads)
        shown = cells.filter(~pl.col("suppressed")).head(MOST_CELLS)
        for number, row in enumerate(shown.iter_rows(named=True), start=1):
            figures = [(name, row[each]) for name, pair in both.items() for each in pair]
            self._row(sheet, number, [row[name] or "" for name in CELL_KEY], figures)

    def texts(self, title: str, lines: Iterable[str]) -> None:
        """Sentences, one a row."""
        sheet = self._book.add_worksheet(title)
        sheet.set_column(0, 0, 110)
        for number, line in enumerate(lines):
            sheet.write_string(number, 0, line, self._wrapped)

    def _shown(self, row: Mapping[str, Any], name: str) -> Any:
        return self._hidden if self._issue.hides(row, name) else row[name]

    def _sheet(self, title: str, heads: Sequence[str]) -> Any:
        sheet = self._book.add_worksheet(title)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(heads) - 1, _WIDTH)
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, self._head)
        return sheet

    def _row(
        self,
        sheet: Any,
        number: int,
        names: Sequence[str],
        figures: Sequence[tuple[str, Any]],
    ) -> None:
        for column, name in enumerate(names):
            sheet.write_string(number, column, name)
        for column, (kind, value) in enumerate(figures, start=len(names)):
            if value is None:
                sheet.write_string(number, column, "–", self._right)
            elif isinstance(value, str):
                sheet.write_string(number, column, value, self._right)
            elif isinstance(value, date):
                sheet.write_datetime(number, column, datetime.combine(value, time()), self._formats["day"])
            else:
                form = "whole" if kind in _WHOLE else "share" if kind in _SHARES else "money"
                sheet.write_number(number, column, value, self._formats[form])
