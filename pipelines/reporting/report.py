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
from models.estimates.office_figures import delays, hit_rates, lifts, skipped_draws
from pipelines.lists.issued import issued_days
from pipelines.lists.write import office_file_name
from pipelines.pages.naming import Naming
from pipelines.reporting.entries import (
    became_of,
    findings_by_risk,
    found_parcels,
    inspected_parcels,
    listed_entries,
    not_opened_because,
    other_inspections,
    seen_into,
)
from pipelines.reporting.page import office_page
from pipelines.reporting.printed import printed, whose
from pipelines.reporting.returned_lists import list_returns, within
from pipelines.store.files import write_table
from pipelines.store.layout import REPORT_PAGE, table_file
from pipelines.store.manifest import UNPROVEN, ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from pipelines.work.report import Report

_OFFICE = ["customs_office"]
_WEEK = ["customs_office", "week"]


@dataclass(frozen=True)
class OfficeReport(Report):
    """The figures of some days' lists, as tables, and where they were written.

    What is counted are parcels that stood on a list, by the channel that put them there: `lists` (one a
    list), `entries` (one a parcel, with what became of it), `became_of` (by office and channel),
    `draws_skipped` (offices), `not_opened_because` (the same, and why), `findings_by_risk` (by office and
    risk; `customs_office` null is all), `found_parcels`, `hit_rates` (by office, week and selection),
    `hit_rates_in_all` (by selection), `hit_rates_by_office`, `lifts` (by office; null is all),
    `lifts_by_week` (by office and week) and `delays` (by office; null is all). Apart from them stand
    `other_inspections`, of parcels on no list.
    """

    first: date
    last: date
    office: str | None
    tables: Mapping[str, pl.DataFrame]
    folder: Path
    least_findings: int
    naming: Naming
    unproven: Mapping[str, str] = field(default_factory=dict)

    def _lines(self) -> list[str]:
        words, lists = self.naming.words, self.tables["lists"]
        return [
            words(
                "{whose}, lists of {first} to {last}: {lists:,} lists of {parcels:,} parcels; {back:,} lists "
                "came back with {returned:,} parcels",
                whose=whose(self.office, words),
                first=self.first,
                last=self.last,
                lists=lists.height,
                parcels=lists["parcels"].sum(),
                back=lists.filter(pl.col("returned") > 0).height,
                returned=lists["returned"].sum(),
            ),
            *(
                words(
                    "{risk}: the model of these lists {doubt}",
                    risk=self.naming.risk(risk),
                    doubt=words(doubt),
                )
                for risk, doubt in self.unproven.items()
            ),
            *printed(self.tables, self.least_findings, self.naming),
            words("report: {file}", file=self.folder / REPORT_PAGE),
        ]

    def _facts(self) -> dict[str, Any]:
        # The weeks are in the Parquet files.
        told = (
            "became_of", "findings_by_risk", "other_inspections", "hit_rates_in_all", "hit_rates_by_office",
            "lifts", "delays",
        )  # fmt: skip
        lists = self.tables["lists"]
        return {
            "from": self.first,
            "to": self.last,
            "office": self.office,
            "lists": lists.height,
            "lists_missing": lists.filter(pl.col("returned") == 0).height,
            **{name: self.tables[name].to_dicts() for name in told},
            "draws_skipped_by": self.tables["draws_skipped"]["customs_office"].to_list(),
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
        inspected = inspected_parcels(opened, first)
        entries = listed_entries(opened, lists, inspected)
        days = within(opened.declaration_days(), first, last)
        labels = {name: risk.label for name, risk in settings.risks.items()}
        tables = {
            "lists": lists,
            "entries": entries,
            "became_of": (became := became_of(entries)),
            "draws_skipped": pl.DataFrame(
                {"customs_office": skipped_draws(seen_into(became))}, {"customs_office": pl.String()}
            ),
            "findings_by_risk": findings_by_risk(entries, labels),
            "not_opened_because": not_opened_because(entries),
            "found_parcels": found_parcels(entries, labels),
            "other_inspections": other_inspections(opened, inspected, entries, days, office),
            "hit_rates": hit_rates(entries, _WEEK, least),
            "hit_rates_in_all": hit_rates(entries, [], least),
            "hit_rates_by_office": hit_rates(entries, _OFFICE, least),
            "lifts": _with_all(lifts(entries, _OFFICE, least), lifts(entries, [], least)),
            "lifts_by_week": lifts(entries, _WEEK, least),
            "delays": _with_all(delays(entries, _OFFICE), delays(entries, [])),
        }
        task.advance()
    ending = "" if office is None else f"-{office_file_name(office)}"
    folder = out or opened.layout.report(first, last, ending)
    naming = Naming.of(settings, office)
    report = OfficeReport(first, last, office, tables, folder, least, naming, _unproven(opened, lists))
    if out is not None:
        with tempfile.TemporaryDirectory(prefix=".report-", dir=_made(out)) as beside:
            _write(Path(beside), report)
            for file in sorted(Path(beside).iterdir()):
                file.replace(out / file.name)
        return report
    with opened.lock("report"), opened.transaction() as t:
        _write(t.stage(folder), report)
        manifest.add_rows(rows_in=entries.height, kept=entries.height)
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
            (report.first, report.last),
            report.office,
            report.tables,
            report.least_findings,
            report.unproven,
            report.naming,
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
