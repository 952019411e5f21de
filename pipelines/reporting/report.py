"""The report for the head of an office: lists that came back, hit rates, lift, revenue and delay."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypedDict, Unpack

import polars as pl

from configs.errors import UsageError
from configs.schema.settings import Settings
from features.text.visible import visible_text
from models.estimates.office_figures import LEAST_PARCELS, delays, hit_rates, lifts
from models.stats.intervals import too_few
from pipelines.lists.issued import issued_days
from pipelines.lists.parcel import CODE_CHARACTERS
from pipelines.lists.write import office_file_name
from pipelines.pages.text_table import text_table
from pipelines.reporting.page import office_page
from pipelines.reporting.results import inspected_parcels, list_returns
from pipelines.store.files import write_table
from pipelines.store.layout import REPORT_PAGE, table_file
from pipelines.store.manifest import UNPROVEN, ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from pipelines.work.report import Report

_OFFICE = ["customs_office"]
_WEEK = ["customs_office", "week"]
_MOST_NAMED = 12


@dataclass(frozen=True)
class OfficeReport(Report):
    """The figures of some days' lists, as tables, and where they were written.

    `tables` has `lists` (one a list), `hit_rates` (by office, week and selection), `hit_rates_in_all` (by
    selection), `hit_rates_by_office`, `lifts` (by office; `customs_office` null is all), `lifts_by_week` (by
    office and week) and `delays` (by office; null is all).
    """

    first: date
    last: date
    office: str | None
    tables: Mapping[str, pl.DataFrame]
    folder: Path
    least_findings: int
    unproven: Mapping[str, str] = field(default_factory=dict)

    def _lines(self) -> list[str]:
        whose = "all offices" if self.office is None else f"office {_shown(self.office)}"
        lists = self.tables["lists"]
        missing = lists.filter(pl.col("returned") == 0)
        return [
            f"{whose}, lists of {self.first} to {self.last}: {lists.height:,} lists of "
            f"{lists['parcels'].sum():,} parcels; {lists.height - missing.height:,} lists came back with "
            f"{lists['returned'].sum():,} parcels",
            *_missing(missing),
            *(f"{risk}: the model of these lists {doubt}" for risk, doubt in self.unproven.items()),
            "",
            *_by_office(self),
            "",
            *_by_selection(self.tables["hit_rates_in_all"]),
            "",
            _lift(self.tables["lifts"], self.least_findings),
            _delay(self.tables["delays"]),
            f"report: {self.folder / REPORT_PAGE}",
        ]

    def _facts(self) -> dict[str, Any]:
        # The weeks are in the Parquet files.
        shown = ("hit_rates_in_all", "hit_rates_by_office", "lifts", "delays")
        lists = self.tables["lists"]
        return {
            "from": self.first,
            "to": self.last,
            "office": self.office,
            "lists": lists.height,
            "lists_missing": lists.filter(pl.col("returned") == 0).height,
            **{name: self.tables[name].to_dicts() for name in shown},
            UNPROVEN: self.unproven,
            "report": self.folder,
        }


class ReportOptions(TypedDict):
    """What is reported, and where it is written.

    The lists of the days from `first` to `last` (None: the four weeks up to the newest list) of an `office`
    (None: of all), into `reports/` of the store or into the folder `out`.
    """

    first: date | None
    last: date | None
    office: str | None
    out: Path | None


def office_report(
    store: Path, *, settings: Settings, progress: Progress, **options: Unpack[ReportOptions]
) -> OfficeReport:
    """Write what is known of the lists of some days, as tables and as a page.

    Raises:
        UsageError: no list of these days, or of the office, was issued.
    """
    opened = Store.open(store)
    days = issued_days(opened)
    office, out, least = options["office"], options["out"], settings.pipeline.gate.least_findings
    last = options["last"] or max(days, default=date.min)
    first = options["first"] or max(min(days, default=last), date.fromordinal(max(1, last.toordinal() - 27)))
    manifest = ManifestBuilder("report")
    with manifest.step("count"), progress.task("count", total=1) as task:
        lists = list_returns(opened, first, last, office)
        if lists.is_empty():
            raise UsageError(_nothing(days, first, last, office))
        parcels = inspected_parcels(opened, first, last, office)
        tables = {
            "lists": lists,
            "hit_rates": hit_rates(parcels, _WEEK, least),
            "hit_rates_in_all": hit_rates(parcels, [], least),
            "hit_rates_by_office": hit_rates(parcels, _OFFICE, least),
            "lifts": _with_all(lifts(parcels, _OFFICE, least), lifts(parcels, [], least)),
            "lifts_by_week": lifts(parcels, _WEEK, least),
            "delays": _with_all(delays(parcels, _OFFICE), delays(parcels, [])),
        }
        task.advance()
    whose = "" if office is None else f"-{office_file_name(office)}"
    folder = out or opened.layout.report(first, last, whose)
    report = OfficeReport(first, last, office, tables, folder, least, _unproven(opened, lists))
    if out is not None:
        with tempfile.TemporaryDirectory(prefix=".report-", dir=_made(out)) as beside:
            _write(Path(beside), report)
            for file in sorted(Path(beside).iterdir()):
                file.replace(out / file.name)
        return report
    with opened.lock("report"), opened.transaction() as t:
        _write(t.stage(folder), report)
        manifest.add_rows(rows_in=parcels.height, kept=parcels.height)
        opened.write_manifest(t, "report", last, manifest.as_dict())
    return report


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be made: {error.strerror}") from error
    return folder


def _write(folder: Path, report: OfficeReport) -> None:
    for name, table in report.tables.items():
        write_table(table, folder / table_file(name))
    (folder / REPORT_PAGE).write_text(
        office_page(
            report.first, report.last, report.office, report.tables, report.least_findings, report.unproven
        ),
        "utf-8",
    )


def _unproven(store: Store, lists: pl.DataFrame) -> dict[str, str]:
    """What is to be said of the models that scored the days of some lists, by risk."""
    doubts: dict[str, str] = {}
    for day in lists["declared_on"].unique().sort():
        doubts |= store.newest_manifest("score", day).get(UNPROVEN, {})
    return doubts


def _with_all(by_office: pl.DataFrame, in_all: pl.DataFrame) -> pl.DataFrame:
    """The rows of the offices, and first that of all together, whose office is null."""
    whole = in_all.with_columns(pl.lit(None, dtype=pl.String).alias("customs_office"))
    return pl.concat([whole.select(by_office.columns), by_office])


def _nothing(days: Sequence[date], first: date, last: date, office: str | None) -> str:
    whose = "" if office is None else f" of office {office}"
    held = f"lists were issued from {days[0]} to {days[-1]}" if days else "no list was issued at all"
    return (
        f"expected lists{whose} from {first} to {last}, found none; {held}. Score a day with "
        "`parcel-risk score`."
    )


def _shown(text: str) -> str:
    return visible_text(text, CODE_CHARACTERS)


def _missing(missing: pl.DataFrame) -> list[str]:
    if missing.is_empty():
        return []
    named = [
        f"{_shown(office)}{'' if shift is None else f' ({_shown(shift)})'} of {day}"
        for day, office, shift in missing.select("declared_on", "customs_office", "shift").iter_rows()
    ]
    more = f" and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
    return [f"not returned: {', '.join(named[:_MOST_NAMED])}{more}"]


def _by_office(report: OfficeReport) -> list[str]:
    lists = (
        report.tables["lists"]
        .group_by("customs_office")
        .agg(
            pl.len().alias("lists"),
            (pl.col("returned") > 0).sum().alias("came_back"),
            pl.col("parcels", "returned", "in_conflict", "rejected").sum(),
        )
    )
    rows = [["office", "lists", "back", "parcels", "back", "in conflict", "rejected", "days to result"]]
    delay = dict(report.tables["delays"].select("customs_office", "half_within_days").iter_rows())
    for office, *counts in lists.sort("customs_office").iter_rows():
        days = delay.get(office)
        rows.append(
            [
                _shown(office),
                *(f"{count:,}" for count in counts),
                "too few" if days is None else f"{days:.0f}",
            ]
        )
    return text_table(rows)


def _by_selection(rates: pl.DataFrame) -> list[str]:
    rows = [["chosen by", "inspected", "examined", "findings", "hit rate (95%)", "tax an inspection, CNY"]]
    for row in rates.iter_rows(named=True):
        tax = row["tax_per_inspection"]
        rows.append(
            [
                row["selection"] or "not known",
                *(f"{row[name]:,}" for name in ("inspected", "examined", "findings")),
                _rate(row),
                too_few(row["findings"]) if tax is None else f"{tax:,.2f}",
            ]
        )
    return text_table(rows) if len(rows) > 1 else ["no inspection of these days is known"]


def _rate(row: Mapping[str, Any]) -> str:
    if row["hit_rate"] is None:
        return too_few(row["findings"])
    return f"{row['hit_rate']:.1%} ({row['low']:.1%} to {row['high']:.1%})"


def _lift(table: pl.DataFrame, least_findings: int) -> str:
    row = table.row(0, named=True)
    sides = (
        f"{row['chosen_findings']:,} of {row['chosen']:,} chosen by risk, {row['random_findings']:,} of "
        f"{row['random']:,} drawn at random, same offices and weeks"
    )
    if row["lift"] is None:
        few = too_few(row["chosen_findings"] + row["random_findings"])
        return (
            f"lift over the random share: {few} or parcels ({sides}; it takes {LEAST_PARCELS} parcels "
            f"each and {least_findings} findings, one of them at random)"
        )
    return f"lift over the random share: {row['lift']:.1f} ({row['low']:.1f} to {row['high']:.1f}); {sides}"


def _delay(table: pl.DataFrame) -> str:
    row = table.row(0, named=True) if table.height else {"half_within_days": None}
    if row["half_within_days"] is None:
        return "days from list to result: too few are known"
    return (
        f"days from list to result: half within {row['half_within_days']:.0f}, 90% within "
        f"{row['most_within_days']:.0f}"
    )
