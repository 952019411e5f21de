"""What each office would find with another capacity: a table and a page, from the stored scores of a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

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
from pipelines.store.files import write_table
from pipelines.store.layout import PLAN_PAGE, DayTable
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from pipelines.work.report import Report

_KEPT = [
    *("declaration_id", "customs_office", "risk"),
    *("expected_findings", "expected_tax_cny", "expected_value_cny"),
]


@dataclass(frozen=True)
class PlanReport(Report):
    """What more inspections would find; `table` is of `models.selection.planner.PLAN_SCHEMA`."""

    day: date
    table: pl.DataFrame
    page: Path

    def _lines(self) -> Iterator[str]:
        # A line an office, those first where more inspections find most.
        yield f"{self.day}: expected of the lists as they are, and of more inspections (by value, most first)"
        for row in _now(self.table).iter_rows(named=True):
            office, inspected = visible_text(row["customs_office"], 40), f"{row['places']:,}"
            yield (
                f"  {office}: {inspected} of {row['parcels']:,} parcels find "
                f"{row['expected_findings']:,.1f} and CNY {row['expected_tax_cny']:,.0f} of tax; "
                f"{row['more']:,} more find "
                f"{row['findings_of_more']:,.2f} and CNY {row['tax_of_more_cny']:,.0f}"
            )
        advice = _advice(self.table)
        if advice is not None:
            yield advice
        yield f"page: {self.page}"

    def _facts(self) -> dict[str, Any]:
        return {"day": self.day, "page": self.page, "offices": _now(self.table).to_dicts()}


def plan_day(store: Path, *, day: date, more: int, settings: Settings, progress: Progress) -> PlanReport:
    """Plans from the stored scores of a day and keeps table and page under `plans/` of the store.

    Raises:
        UsageError: the day was not scored, or no parcel has a score.
        DataError: its lines have changed since.
    """
    opened = Store.open(store)
    with opened.lock("plan"):
        scores, values = scored_folders(opened, day)
        buckets = require_whole(opened.layout, day)
        files = [bucket.path for bucket in buckets]
        check_unchanged(files, scores, day)
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
            (stage / PLAN_PAGE).write_text(plan_page(table, day), encoding="utf-8")
            rows = sum(bucket.lines or 0 for bucket in buckets)
            manifest.add_rows(rows_in=rows, kept=rows, scored=rows)
            opened.write_manifest(t, "plan", day, manifest.as_dict())
    return PlanReport(day, table, plans.with_name(PLAN_PAGE))


def plan_page(table: pl.DataFrame, day: date) -> str:
    """The plan as a page that needs nothing but itself; the same table gives the same text."""
    now = _now(table)
    return styled_page(
        page_environment("pipelines.night", {"number": lambda value, digits=1: f"{value:,.{digits}f}"}),
        "plan.html.j2",
        day=day.isoformat(),
        rows=now.to_dicts(),
        more=now["more"][0] if now.height else 0,
        gains=_gains(now),
        advice=_advice(table),
        charts=dict(_curves(table)),
    )


def _now(table: pl.DataFrame) -> pl.DataFrame:
    """The rows at the present capacity, where more inspections are worth most first."""
    present = table.filter(pl.col("places") == pl.col("places_now"))
    return present.sort("value_of_more_cny", "customs_office", descending=[True, False])


def _gains(now: pl.DataFrame) -> Markup | None:
    if now.is_empty():
        return None
    rows = [
        Bar(visible_text(office, 20), value)
        for office, value in now.select("customs_office", "value_of_more_cny").iter_rows()
    ]
    return bars(f"What {now['more'][0]} more inspections would be worth, CNY", rows, _whole)


def _advice(table: pl.DataFrame) -> str | None:
    """Where places would be worth more than where they are, if anywhere: from which office to which."""
    now = _now(table)
    fewer = now.drop_nulls("value_of_fewer_cny").sort("value_of_fewer_cny", "customs_office")
    if now.is_empty() or fewer.is_empty():
        return None
    to, of = now.row(0, named=True), fewer.row(0, named=True)
    worth = to["value_of_more_cny"] - of["value_of_fewer_cny"]
    if worth <= 0.0 or to["customs_office"] == of["customs_office"]:
        return None
    found = to["findings_of_more"] - of["findings_of_fewer"]
    names = [visible_text(row["customs_office"], 40) for row in (of, to)]
    return (
        f"{to['more']:,} places from {names[0]} to {names[1]} are worth CNY {worth:,.0f} more a day "
        f"({found:+.2f} findings)"
    )


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _curves(table: pl.DataFrame) -> Iterator[tuple[str, Sequence[Markup]]]:
    for (office,), rows in table.group_by("customs_office", maintain_order=True):
        name = visible_text(str(office), 40)
        today = rows["places"].to_list().index(rows["places_now"][0])
        places = [f"{count:,}" for count in rows["places"]]
        yield (
            name,
            [
                lines(
                    f"{name}: {what} by number of inspections",
                    places,
                    {what: rows[column].to_list()},
                    lambda value: f"{value:,.0f}" if value >= 10 else f"{value:.1f}",
                    marked=(today, "today"),
                )
                for what, column in (
                    ("expected findings", "expected_findings"),
                    ("expected tax, CNY", "expected_tax_cny"),
                )
            ],
        )
