"""The page of a month's statistics: tables and pictures in one file that asks for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import polars as pl
from jinja2 import Environment
from markupsafe import Markup

from configs.language import ENGLISH, Language
from models.report.page import page_environment
from pipelines.pages.report_page import styled_page
from pipelines.pages.svg_charts import Bar, bars, lines
from pipelines.statistics.day_cells import BY_DIRECTION, DIMENSIONS
from pipelines.statistics.documents.wording import (
    BY,
    CHINESE_UNITS,
    HEADINGS,
    HIDDEN,
    NOTES,
    SECTIONS,
    STATUS_WORDS,
    SUPPRESSED_NOTE,
    UNITS,
    UNVALUED_WORDS,
    StatisticsWords,
)
from pipelines.statistics.issue import Issue
from pipelines.statistics.issues import ADDITIVE
from pipelines.statistics.line_values import CELL_KEY

MOST_ROWS: Final = 20
"""Entries of a table on the page; all are in the workbook."""
_MOST_BARS: Final = 10
_MOST_LETTERS: Final = 26
_TOTAL_COLUMNS: Final = (
    *("value_cny", "value_usd", "returned_value_cny", "net_value_cny", "value_cny_before"),
    *("value_cny_year_ago", "change", "declarations", "lines", "net_weight_kg"),
)
_YEAR_COLUMNS: Final = (
    *("value_cny_year", "value_usd_year", "returned_value_cny_year", "net_value_cny_year"),
    *("value_cny_year_before", "year_change"),
)
_ENTRY_COLUMNS: Final = (
    *("value_cny", "value_usd", "returned_value_cny", "net_value_cny", "value_cny_year_ago", "change"),
    *("value_cny_year", "year_change", "declarations"),
)
_VALUE_COLUMNS: Final = ("value_cny", "value_usd")
_SHARES: Final = ("change", "year_change")
_WHOLE: Final = ("declarations", "lines")


def statistics_page(issue: Issue, wording: StatisticsWords) -> str:
    """Return the page as text; the same issue gives the same text."""
    words = wording.words
    columns = _ENTRY_COLUMNS if issue.suppressed is None else _VALUE_COLUMNS
    return styled_page(
        _environment(words),
        "statistics.html.j2",
        _=words,
        issue=issue,
        wording=wording,
        status=words(STATUS_WORDS[issue.status]),
        totals=issue.totals,
        total_columns=_TOTAL_COLUMNS,
        year_columns=_YEAR_COLUMNS,
        columns=columns,
        figure=lambda row, name: _figure(
            row[name], name, words, hides="entry" in row and issue.hides(row, name)
        ),
        money=lambda value: _figure(value, "value_cny", words, hides=False),
        months=issue.months.sort("month", descending=True).to_dicts(),
        months_chart=_months_chart(issue, wording),
        sections=[_section(issue, direction, wording) for direction in issue.directions],
        revised=_revised(issue),
        cell_key=CELL_KEY,
        additive=ADDITIVE,
        headings=HEADINGS,
        notes=NOTES,
        suppressed_note=SUPPRESSED_NOTE,
        unvalued=issue.unvalued.sort("lines", "currency", descending=[True, False])
        .head(MOST_ROWS)
        .to_dicts(),
        unvalued_words=UNVALUED_WORDS,
        most_rows=MOST_ROWS,
    )


def _section(issue: Issue, direction: str | None, wording: StatisticsWords) -> dict[str, Any]:
    tables = []
    for dimension in DIMENSIONS:
        table = issue.table(dimension, direction)
        rows = table.head(MOST_ROWS).with_columns(
            pl.Series("name", [wording.entry(dimension, name) for name in table["entry"].head(MOST_ROWS)])
        )
        tables.append(
            {
                "dimension": dimension,
                "title": BY[dimension],
                "rows": rows.to_dicts(),
                "count": table.height,
                "chart": _bars(rows.to_dicts(), BY[dimension], wording.words),
            }
        )
    return {"name": wording.words(SECTIONS[direction or ""]), "tables": tables}


def _bars(rows: Sequence[dict[str, Any]], title: str, words: Language) -> tuple[Markup, str] | None:
    """The picture of the largest entries, and the unit of its figures."""
    known = [row for row in rows[:_MOST_BARS] if row["value_cny"]]
    if not known:
        return None
    scale, unit = _unit_of(known[0]["value_cny"], words)
    chosen = [Bar(_cut(row["name"]), row["value_cny"] / scale) for row in known]
    return bars(words(title), chosen, _in_few_digits), words(unit)


def _months_chart(issue: Issue, wording: StatisticsWords) -> tuple[Markup, str] | None:
    places = issue.months["month"].unique().sort().to_list()
    rows = issue.months.filter(pl.col("dimension") == BY_DIRECTION)
    if rows.is_empty():
        rows = issue.months
    words = wording.words
    scale, unit = _unit_of(rows["value_cny"].max() or 0.0, words)  # type: ignore[arg-type]
    series: dict[str, list[float | None]] = {}
    for (dimension, direction), part in rows.group_by("dimension", "direction", maintain_order=True):
        known = {
            month: value / scale for month, value in part.select("month", "value_cny").iter_rows() if value
        }
        name = wording.direction(None if direction is None else str(direction), str(dimension))
        series[name] = [known.get(place) for place in places]
    return lines(words("Value by month"), places, series, _in_few_digits), words(unit)


def _unit_of(largest: float, words: Language) -> tuple[float, str]:
    """The unit in which an amount has few digits, as readers of the language count, and what it is called."""
    units = UNITS if words.code == ENGLISH.code else CHINESE_UNITS
    return next((each for each in units if largest >= each[0]), units[-1])


def _in_few_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:,.3g}"


def _revised(issue: Issue) -> list[dict[str, Any]]:
    """The cells that changed most since the issue before, of those that are shown."""
    if issue.revision is None:
        return []
    change = pl.col("value_cny_after").fill_null(0.0) - pl.col("value_cny_before").fill_null(0.0)
    shown = issue.revision.cells.filter(~pl.col("suppressed"))
    return shown.sort(change.abs(), descending=True, maintain_order=True).head(MOST_ROWS).to_dicts()


def _cut(name: str) -> str:
    return name if len(name) <= _MOST_LETTERS else name[: _MOST_LETTERS - 1] + "…"


def _figure(value: float | None, name: str, words: Language, *, hides: bool) -> str:
    if value is None:
        return words(HIDDEN) if hides else "–"
    if name in _SHARES:
        return f"{value:+.1%}"
    return f"{value:,.0f}" if name in _WHOLE else f"{value:,.2f}"


@cache
def _environment(words: Language) -> Environment:
    return page_environment("pipelines.statistics.documents", {"whole": lambda value: f"{value:,}"})
