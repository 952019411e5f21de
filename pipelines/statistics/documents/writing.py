"""The files of a month's statistics."""

from __future__ import annotations

from pathlib import Path

from configs.reference.facts import ReferenceDay
from pipelines.lists.csv import csv_bytes
from pipelines.pages.naming import Naming
from pipelines.statistics.documents.page import statistics_page
from pipelines.statistics.documents.wording import StatisticsWords
from pipelines.statistics.documents.workbook import statistics_workbook
from pipelines.statistics.issue import Issue
from pipelines.store.files import write_table


def write_statistics(folder: Path, issue: Issue, naming: Naming, reference: ReferenceDay) -> None:
    """Write cells as Parquet and CSV, the workbook and the page into a folder."""
    table, text, book, page = _files(folder)
    wording = StatisticsWords(naming.words, reference)
    write_table(issue.cells, table)
    text.write_bytes(csv_bytes(issue.cells))
    book.write_bytes(statistics_workbook(issue, wording))
    page.write_text(statistics_page(issue, wording), encoding="utf-8")


def _files(folder: Path) -> tuple[Path, Path, Path, Path]:
    """Return the table, the text, the workbook and the page of a month's statistics."""
    table, text, book, page = (folder / f"statistics.{kind}" for kind in ("parquet", "csv", "xlsx", "html"))
    return table, text, book, page
