"""What each office would find with another capacity: a table and a page, from the stored scores of a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from configs.language import Language, language
from configs.schema.settings import Settings
from features.text.visible import visible_text
from models.report.page import page_environment
from models.selection.planner import plan
from pipelines.night.select import check_unchanged, scored_folders
from pipelines.pages.report_page import styled_page
from pipelines.pages.svg_charts import Bar, bars, lines
from pipelines.scoring.line_scores import Scored
from pipelines.scoring.parcels import parcels_of_bucket
from pipelines.store.bucket_checks import require_whole
from pipelines.store.day_table import DayTable
from pipelines.store.files import write_table
from pipelines.store.layout import PLAN_PAGE
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from pipelines.work.report import Report

_KEPT = [
    *("declaration_id", "customs_office", "is_export", "risk"),
    *("expected_findings", "expected_tax_cny", "expected_value_cny"),
]


@dataclass(frozen=True)
class PlanReport(Report):
    """What more inspections would find; `table` is of `models.selection.planner.PLAN_SCHEMA`."""

    day: date
    table: pl.DataFrame
    page: Path
    language: Language

    def _lines(self) -> Iterator[str]:
        words = self.language
        # A line an office, those first where more inspections find most.
        yield words(
            "{day}: expected of the lists as they are, and of more inspections (by value, most first)",
            day=self.day,
        )
        for row in _now(self.table).iter_rows(named=True):
            yield words(
                "  {office}: {places:,} of {parcels:,} parcels find {expected_findings:,.1f} and "
                "CNY {expected_tax_cny:,.0f} of tax; {more:,} more find {findings_of_more:,.2f} and "
                "CNY {tax_of_more_cny:,.0f}",
                office=_named(row, words),
                **row,
            )
        advice = _advice(self.table, words)
        if advice is not None:
            yield advice
        yield words("page: {file}", file=self.page)

    def _facts(self) -> dict[str, Any]:
        return {"day": self.day, "page": self.page, "offices": _now(self.table).to_dicts()}


def plan_day(store: Path, *, day: date, more: int, settings: Settings, progress: Progress) -> PlanReport:
    """Plans from the stored scores of a day and keeps table and page under `plans/` of the store.

    Raises:
        UsageError: the day was not scored, or no parcel has a score.
        DataError: its lines have changed since.
    """
    opened = Store.open(store)
    words = language(settings.capacity.language, settings.overlay)
    with opened.lock("plan"):
        scores, values = scored_folders(opened, day)
        buckets = require_whole(opened.layout, day)
        files = [bucket.path for bucket in buckets]
        check_unchanged(opened, files, scores, day)
        manifest = ManifestBuilder("plan")
        with manifest.step("parcels"):
            parts = []
            with progress.task(f"parcels of {day}", len(files)) as task:
                for file in files:
                    scored = Scored.read(scores / file.name, values / file.name)
                    must_inspect = settings.capacity.must_inspect
                    parcels = parcels_of_bucket(opened, file, scored, settings.risks, must_inspect, day)
                    parts.append(parcels.select(_KEPT))
                    task.advance()
        with manifest.step("plan"):
            table = plan(parts, settings.capacity, more)
        plans = opened.layout.file(DayTable.PLANS, day)
        with opened.transaction() as t:
            stage = t.stage(plans.parent)
            write_table(table, stage / plans.name)
            (stage / PLAN_PAGE).write_text(plan_page(table, day, words), encoding="utf-8")
            rows = sum(bucket.lines or 0 for bucket in buckets)
            manifest.add_rows(rows_in=rows, kept=rows, scored=rows)
            opened.write_manifest(t, "plan", day, manifest.as_dict())
    return PlanReport(day, table, plans.with_name(PLAN_PAGE), words)


def plan_page(table: pl.DataFrame, day: date, words: Language) -> str:
    """The plan as a page that needs nothing but itself; the same table gives the same text."""
    now = _now(table)
    return styled_page(
        page_environment("pipelines.night", {"number": lambda value, digits=1: f"{value:,.{digits}f}"}),
        "plan.html.j2",
        _=words,
        day=day.isoformat(),
        rows=[row | {"list": _named(row, words)} for row in now.iter_rows(named=True)],
        more=now["more"][0] if now.height else 0,
        gains=_gains(now, words),
        advice=_advice(table, words),
        charts=dict(_curves(table, words)),
    )


def _now(table: pl.DataFrame) -> pl.DataFrame:
    """The rows at the present capacity, where more inspections are worth most first."""
    present = table.filter(pl.col("places") == pl.col("places_now"))
    return present.sort("value_of_more_cny", "customs_office", "exports", descending=[True, False, False])


def _named(row: Mapping[str, Any], words: Language, most: int = 40) -> str:
    """The list of a row: the office, or its exports."""
    office = visible_text(row["customs_office"], most)
    return words("{text} ({aside})", text=office, aside=words("exports")) if row["exports"] else office


def _gains(now: pl.DataFrame, words: Language) -> Markup | None:
    if now.is_empty():
        return None
    rows = [Bar(_named(row, words, 20), row["value_of_more_cny"]) for row in now.iter_rows(named=True)]
    return bars(words("What {more} more inspections would be worth, CNY", more=now["more"][0]), rows, _whole)


def _advice(table: pl.DataFrame, words: Language) -> str | None:
    """Where places would be worth more than where they are, if anywhere: from which office to which."""
    now = _now(table)
    fewer = now.drop_nulls("value_of_fewer_cny").sort("value_of_fewer_cny", "customs_office", "exports")
    if now.is_empty() or fewer.is_empty():
        return None
    to, of = now.row(0, named=True), fewer.row(0, named=True)
    worth = to["value_of_more_cny"] - of["value_of_fewer_cny"]
    names = [_named(row, words) for row in (of, to)]
    if worth <= 0.0 or names[0] == names[1]:
        return None
    found = to["findings_of_more"] - of["findings_of_fewer"]
    return words(
        "{places:,} places from {giver} to {taker} are worth CNY {worth:,.0f} more a day "
        "({found:+.2f} findings)",
        places=to["more"],
        giver=names[0],
        taker=names[1],
        worth=worth,
        found=found,
    )


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _curves(table: pl.DataFrame, words: Language) -> Iterator[tuple[str, Sequence[Markup]]]:
    for _, rows in table.group_by("customs_office", "exports", maintain_order=True):
        name = _named(rows.row(0, named=True), words)
        today = rows["places"].to_list().index(rows["places_now"][0])
        places = [f"{count:,}" for count in rows["places"]]
        yield (
            name,
            [
                lines(
                    words("{office}: {what} by number of inspections", office=name, what=what),
                    places,
                    {what: rows[column].to_list()},
                    lambda value: f"{value:,.0f}" if value >= 10 else f"{value:.1f}",
                    marked=(today, words("today")),
                )
                for what, column in (
                    (words("expected findings"), "expected_findings"),
                    (words("expected tax, CNY"), "expected_tax_cny"),
                )
            ],
        )
