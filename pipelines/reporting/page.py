"""The page of the report for the head of an office: tables and charts in one file that asks for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import polars as pl
from jinja2 import Environment
from markupsafe import Markup

from configs.language import Language
from features.contract.inspections import SELECTIONS
from features.contract.result_words import NOT_OPENED
from models.estimates.office_figures import LEAST_PARCELS
from models.report.page import page_environment
from models.stats.intervals import too_few
from pipelines.pages.naming import Naming
from pipelines.pages.report_page import styled_page
from pipelines.pages.svg_charts import Bar, intervals, lines
from pipelines.reporting.entries import AT_LABORATORY, OPENED
from pipelines.reporting.printed import glance, whose

NO_WHY = "nobody said why"


def office_page(
    days: tuple[date, date],
    office: str | None,
    tables: Mapping[str, pl.DataFrame],
    least_findings: int,
    unproven: Mapping[str, str],
    naming: Naming,
) -> str:
    """Return the page as text; `tables` and `unproven` are those of an `OfficeReport`, `days` its ends."""
    return styled_page(
        _environment(naming.words),
        "office_report.html.j2",
        _=naming.words,
        naming=naming,
        first=days[0],
        last=days[1],
        whose=whose(office, naming.words),
        office=office or naming.words("all offices"),
        tables={name: table.to_dicts() for name, table in tables.items()},
        glance=[line[:1].upper() + line[1:] for line in glance(tables, least_findings, naming.words)],
        grid=_grid(tables["findings_by_risk"]),
        became=_in_all(tables["became_of"]),
        draws=_unopened_draws(tables["entries"]),
        missing=tables["lists"].filter(pl.col("returned") == 0).to_dicts(),
        charts=_charts(tables, least_findings, naming),
        least_parcels=LEAST_PARCELS,
        least_findings=least_findings,
        unproven=unproven,
    )


def _grid(table: pl.DataFrame) -> dict[str | None, list[dict[str, Any]]]:
    """The cells of each office, None for all together, in the order of the risks."""
    offices = table["customs_office"].unique(maintain_order=True)
    return {
        office: table.filter(pl.col("customs_office").eq_missing(office)).to_dicts() for office in offices
    }


def _in_all(became_of: pl.DataFrame) -> list[dict[str, Any]]:
    """What became of the parcels of each channel, all offices together."""
    counts = pl.exclude("customs_office", "selection").sum()
    return became_of.group_by("selection").agg(counts).sort("selection", nulls_last=True).to_dicts()


def _unopened_draws(entries: pl.DataFrame) -> list[dict[str, Any]]:
    drawn, opened = pl.col("selection") == "random", pl.col("state").is_in([OPENED, AT_LABORATORY])
    return entries.filter(drawn & ~opened).sort("declared_on", "customs_office", "shift", "rank").to_dicts()


def _charts(tables: Mapping[str, pl.DataFrame], least_findings: int, naming: Naming) -> dict[str, Markup]:
    charts, words = {}, naming.words
    weeks = tables["hit_rates"].group_by("week", "selection").agg(pl.col("findings", "examined").sum())
    places = sorted(set(weeks["week"]))
    known = {
        (week, selection): findings / examined
        for week, selection, findings, examined in weeks.iter_rows()
        if examined >= LEAST_PARCELS and findings >= least_findings
    }
    series = {
        naming.channel(name): [known.get((week, name)) for week in places]
        for name in SELECTIONS
        if any((week, name) in known for week in places)
    }
    if series:
        charts["weeks"] = lines(words("Hit rate by week and channel"), [str(week) for week in places], series)
    rows = [
        Bar(row["customs_office"] or words("all"), row["lift"], row["low"], row["high"], row["high"] < 1.0)
        for row in tables["lifts"].iter_rows(named=True)
        if row["lift"] is not None
    ]
    if rows:
        charts["lifts"] = intervals(words("Lift over the concurrent random share"), rows, reference=1.0)
    return charts


@cache
def _environment(words: Language) -> Environment:
    few = words("too few")
    return page_environment(
        "pipelines.reporting",
        {
            "share": lambda value: few if value is None else f"{value:.1%}",
            "tax": lambda value: "–" if value is None else f"{value:,.2f}",
            "number": lambda value, digits=2: few if value is None else f"{value:,.{digits}f}",
            "whole": lambda value: f"{value:,}",
            "days": lambda value: few if value is None else f"{value:.0f}",
            "too_few": lambda findings: too_few(findings, words),
            "why": lambda value: words(NOT_OPENED.get(value, NO_WHY)),
        },
    )
