"""Fill a store with a simulated world: declarations, inspections reported by the last day, and truth."""

import logging
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NotRequired, TypedDict, Unpack

import polars as pl

from configs.errors import UsageError
from configs.schema.settings import Settings
from features.contract.declarations import LINE_KEY
from features.contract.inspections import CONTRACT_LABELS
from pipelines.simulation.days.day import SimulatedDay, simulate_days
from pipelines.simulation.documents.filing import DocumentFiling
from pipelines.simulation.inspections.inspectorate import Inspectorate
from pipelines.simulation.world.parameters import WorldParameters
from pipelines.simulation.world.seasons import days_until
from pipelines.simulation.world.state import World
from pipelines.store.day_table import DayTable
from pipelines.store.journal import Transaction
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from pipelines.work.report import Report

_log = logging.getLogger(__name__)


class SimulationOptions(TypedDict):
    """What is simulated.

    `days` days end on `end`, the last of which results are kept, with `parcels_per_day` parcels on an average
    day. The same `seed` and numbers give the same files. With `drift` behaviour changes in the last third of
    the days. `parameters` are those of the world; without them those for this volume, with the `officers`
    that are asked for. With `documents` each parcel has its orders, payments, waybills and what follows,
    some of them false; declarations, inspections and truth are the same without. With `rings` the world has
    what documents above all tell of: rings that borrow allowances, and shops whose sales come back.
    """

    days: int
    parcels_per_day: int
    end: date
    seed: int
    drift: bool
    parameters: NotRequired[WorldParameters]
    officers: NotRequired[str]
    documents: NotRequired[bool]
    rings: NotRequired[bool]


@dataclass
class SimulationReport(Report):
    """What `simulate` wrote; counts are lines unless they say otherwise."""

    store: Path
    first: date
    last: date
    seed: int
    drift: bool
    rows: int = 0
    parcels: int = 0
    inspected_parcels: int = 0
    inspection_rows: int = 0
    results_still_to_come: int = 0
    risks: dict[str, int] = field(default_factory=dict)
    documents: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def _lines(self) -> list[str]:
        shares = ", ".join(
            f"{name} {count:,} ({count / max(self.rows, 1):.2%})" for name, count in self.risks.items()
        )
        documents = ", ".join(f"{name} {count:,}" for name, count in self.documents.items())
        return [
            f"{self.store}: {self.first} to {self.last}, seed {self.seed}"
            + (", with drift" if self.drift else ""),
            f"declarations: {self.parcels:,} parcels, {self.rows:,} lines in {self.seconds:.1f} s",
            f"inspections: {self.inspected_parcels:,} parcels; {self.inspection_rows:,} rows reported by "
            f"{self.last}, {self.results_still_to_come:,} come later and are left out",
            f"lines with a risk, in truth: {shares}",
            *([f"rows of documents: {documents}"] if documents else []),
        ]

    def _facts(self) -> dict[str, Any]:
        return {**vars(self), "exit_code": self.exit_code}


def simulate(
    store: Path,
    *,
    settings: Settings,
    progress: Progress,
    **options: Unpack[SimulationOptions],
) -> SimulationReport:
    """Simulate days into a store, made where there is none; all of them appear there, or nothing.

    Raises:
        UsageError: the store already has declarations or results on these days.
        StoreLockedError: another run writes to the store.
    """
    began = time.perf_counter()
    days, volume, end, seed = options["days"], options["parcels_per_day"], options["end"], options["seed"]
    calendar = days_until(end, days)
    report = SimulationReport(
        Path(store), calendar[0], end, seed, options["drift"], risks=dict.fromkeys(CONTRACT_LABELS, 0)
    )
    target = Store.create(Path(store))
    with target.lock("simulate"):
        _refuse_taken_days(target, calendar)
        usual = options.get("parameters") or WorldParameters.for_volume(volume)
        chosen = usual.with_officers(options.get("officers", usual.officers))
        world = World.make(seed, chosen.with_rings() if options.get("rings") else chosen)
        inspectorate, bucket_rows = Inspectorate(), settings.pipeline.store.bucket_rows
        filing = DocumentFiling(end, bucket_rows) if options.get("documents") else None
        with target.transaction() as t, progress.task("simulate", total=days) as task:
            for day in simulate_days(world, days, volume, end, drift=report.drift):
                target.write_declarations(t, day.day, day.declarations, bucket_rows)
                _write_truth(t, target, day)
                results = inspectorate.inspect(day)
                _count(report, day, results)
                if filing:
                    filing.add(day, results)
                    filing.write(t, target.layout, day.day)
                    report.documents = dict(sorted(filing.counts.items()))
                _write_reports(t, target, inspectorate, day.day, report)
                task.advance()
            report.results_still_to_come = inspectorate.pending
            target.write_meta(t, {}, CONTRACT_LABELS)
            report.seconds = time.perf_counter() - began
            target.write_manifest(t, "simulate", end, _manifest(report, days, volume))
    _log.info("simulated %s lines on %s days", report.rows, days)
    return report


def _refuse_taken_days(store: Store, calendar: list[date]) -> None:
    taken = sorted({*store.declaration_days(), *store.inspection_days()} & set(calendar))
    if taken:
        shown = ", ".join(str(day) for day in taken[:5])
        raise UsageError(
            f"expected a store without data from {calendar[0]} to {calendar[-1]}; {store.path} has some on "
            f"{len(taken)} of these days ({shown}{', …' if len(taken) > 5 else ''}): "
            "simulate into another folder, or other days"
        )


def _write_truth(t: Transaction, store: Store, day: SimulatedDay) -> None:
    folder = t.stage(store.layout.partition(DayTable.TRUTH, day.day))
    if day.truth.height:
        day.truth.sort(*LINE_KEY).write_parquet(folder / DayTable.TRUTH.file)


def _write_reports(
    t: Transaction, store: Store, inspectorate: Inspectorate, day: date, report: SimulationReport
) -> None:
    # Complete by now: no parcel of a later day has a result before that day.
    for reported_on, frame in inspectorate.reports_until(day):
        store.write_inspections(t, reported_on, frame)
        report.inspection_rows += frame.height


def _count(report: SimulationReport, day: SimulatedDay, results: pl.DataFrame) -> None:
    report.rows += day.declarations.height
    report.parcels += len(day.parcels)
    report.inspected_parcels += results["declaration_id"].n_unique()
    for label in CONTRACT_LABELS:
        report.risks[label] += int(day.truth[label].sum())


def _manifest(report: SimulationReport, days: int, parcels_per_day: int) -> dict[str, Any]:
    return {
        "rows_in": report.rows,
        "rows_kept": report.rows,
        "rows_quarantined": 0,
        "rows_superseded": 0,
        "values_nulled": {},
        "inspection_rows_in": report.inspection_rows,
        "inspection_rows_kept": report.inspection_rows,
        "days": days,
        "parcels_per_day": parcels_per_day,
        "seed": report.seed,
        "drift": report.drift,
        "lines_with_a_risk_in_truth": report.risks,
        "seconds": {"simulate": round(report.seconds, 3)},
    } | ({"documents": report.documents} if report.documents else {})
