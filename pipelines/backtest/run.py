"""The verb `backtest`: every strategy goes through the nights of a period, findings are set side by side."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from configs.errors import StoreError, TrackingError, UsageError
from configs.reference.facts import load_reference
from configs.schema.settings import Settings
from models.report.strategy_plots import draw_backtest
from models.tracking.run_content import RunContent
from models.tracking.tracker import Tracker
from pipelines.backtest.figures import by_selection, by_week, differences, totals
from pipelines.backtest.learning import trainings
from pipelines.backtest.oracle import Oracle, oracle_of
from pipelines.backtest.replay import Plan, replay
from pipelines.backtest.report import BacktestReport
from pipelines.backtest.start import prepare_start
from pipelines.backtest.strategies import chosen_strategies
from pipelines.backtest.working_store import read_nights, strategy_store, write_text
from pipelines.history.source_keys import found_extra_keys, with_source_keys
from pipelines.store.day_table import OBSERVED, DayTable
from pipelines.store.digests import file_digest
from pipelines.store.files import write_table
from pipelines.store.layout import Layout, table_file
from pipelines.store.locking import hold_lock
from pipelines.store.store import Store
from pipelines.work.progress import Progress

logger = logging.getLogger(__name__)

KIND = "backtest"
_ASKED, _PICTURE = "asked.json", "backtest.png"
_LOGGED_KINDS = (".json", ".parquet", ".png", ".txt")
_TABLES = ("strategies", "weeks", "selections", "differences", "opened", "nights")


def backtest(
    store: Path,
    *,
    plan: Plan,
    strategies: Sequence[str],
    out: Path | None,
    settings: Settings,
    progress: Progress,
) -> BacktestReport:
    """Replay the nights of `plan` with the named strategies (all where none is named).

    `store` is only read. Everything is written into `out`, by default a folder beside the store; an
    interrupted backtest that it holds is continued. The seed of `settings.capacity` decides what is left
    to chance: draws, and what inspections detect.

    Raises:
        UsageError: the period has no declarations, nobody knows what parcels would have shown, no model can
            be trained on what was known before, or `out` holds another backtest.
    """
    chosen = chosen_strategies(strategies)
    source = Store.open(store)
    days = _days(source, plan)
    oracle = oracle_of(source, days, settings.capacity.seed, load_reference(settings.overlay))
    folder = out or source.layout.backtest(plan.first, plan.last)
    _refuse_inside(folder, source)
    folder.mkdir(parents=True, exist_ok=True)
    eve = plan.first - timedelta(days=1)
    settings = with_source_keys(settings, found_extra_keys(source, settings, eve))
    with hold_lock(folder, "backtest"):
        _remember(folder, _asked(source, plan, settings))
        work = folder / "work"
        learns = any(strategy.learns for strategy in chosen)
        period = (plan.first, plan.last)
        start = prepare_start(source, work / "start", period, settings, progress, learns=learns)
        stores: dict[str, Store] = {}
        for strategy in chosen:
            own = strategy_store(start, work / strategy.name, learns=strategy.learns)
            replay(own, strategy, plan, oracle, settings, progress)
            stores[strategy.name] = own
        return _report(folder, source, plan, oracle, stores, settings)


def _days(source: Store, plan: Plan) -> list[date]:
    if plan.last < plan.first:
        raise UsageError(f"--to {plan.last} is before --from {plan.first}: give the earlier day as --from.")
    held = source.declaration_days()
    days = [day for day in held if plan.first <= day <= plan.last]
    if not days:
        holds = f"it holds {held[0]} to {held[-1]}" if held else "it holds none at all"
        raise UsageError(
            f"expected declarations from {plan.first} to {plan.last} in {source.path}, found none; {holds}."
        )
    return days


def _refuse_inside(folder: Path, source: Store) -> None:
    if folder.resolve().is_relative_to(source.path.resolve()):
        raise UsageError(
            f"--out {folder} lies inside the store {source.path}, which a backtest only reads: "
            "give a folder outside of it"
        )


def _asked(source: Store, plan: Plan, settings: Settings) -> dict[str, Any]:
    """All that the figures depend on besides the program."""
    digest = hashlib.sha256()
    for table in (*OBSERVED, DayTable.INSPECTIONS, DayTable.TRUTH):
        for file in sorted(source.layout.table(table).rglob("*.parquet")):
            digest.update(str(file.relative_to(source.path)).encode())
            digest.update(file_digest(file))
    return {
        "from": plan.first.isoformat(),
        "to": plan.last.isoformat(),
        "retrain every": plan.retrain_every,
        "gate": plan.gated,
        "offices pooled": plan.pooled,
        "capacity": settings.capacity.model_dump(mode="json"),
        "configuration": settings.fingerprint,
        "data": digest.hexdigest(),
    }


def _remember(folder: Path, asked: Mapping[str, Any]) -> None:
    file = folder / _ASKED
    if file.exists():
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise StoreError(f"{file} is damaged: remove the folder {folder} and start again") from error
        other = [name for name in asked if before.get(name) != asked[name]]
        if other:
            raise UsageError(
                f"{folder} holds a backtest that differs in: {', '.join(other)}. Give another --out, or "
                "remove that folder."
            )
    elif any(folder.iterdir()) and [*folder.iterdir()] != [Layout(folder).lock]:
        raise UsageError(f"{folder} is not empty and holds no backtest: give an empty folder as --out")
    else:
        write_text(file, asked)


def _report(
    folder: Path, source: Store, plan: Plan, oracle: Oracle, stores: Mapping[str, Store], settings: Settings
) -> BacktestReport:
    names = list(stores)
    opened, nights = (
        pl.concat(read_nights(own, table).with_columns(strategy=pl.lit(name)) for name, own in stores.items())
        for table in ("opened", "night")
    )
    parcels = dict(nights.filter(strategy=names[0]).select("declared_on", "parcels").iter_rows())
    least = settings.pipeline.gate.least_findings
    weeks = by_week(opened, plan.days, names, parcels, least)
    tables = {
        "strategies": totals(opened, nights, names, least),
        "weeks": weeks,
        "selections": by_selection(opened, names, least),
        "differences": differences(weeks, names[-1], seed=settings.capacity.seed),
        "opened": opened,
        "nights": nights,
    }
    for name, table in tables.items():
        beside = folder / f".{name}.new"
        write_table(table, beside)
        beside.replace(folder / table_file(name))
    title = f"{plan.first} to {plan.last}: what each strategy found"
    figure = draw_backtest(weeks, title, tax=oracle.knows_tax)
    figure.savefig(folder / _PICTURE)
    tracker = Tracker.in_folder(source.layout.mlflow)
    report = BacktestReport(
        first=plan.first,
        last=plan.last,
        source=oracle.source,
        knows_tax=oracle.knows_tax,
        folder=folder,
        totals=tables["strategies"],
        weeks=weeks,
        selections=tables["selections"],
        differences=tables["differences"],
        trainings={name: trainings(own) for name, own in stores.items() if trainings(own)},
        tracking=tracker.shown,
    )
    text = "\n".join(report.tables()) + "\n"
    (folder / "backtest.txt").write_text(text, encoding="utf-8")
    return _logged(report, tracker, _tags(folder, names))


def _tags(folder: Path, names: Sequence[str]) -> dict[str, str]:
    digest = hashlib.sha256()
    for name in (_ASKED, *map(table_file, _TABLES)):
        digest.update(file_digest(folder / name))
    return {"backtest": digest.hexdigest(), "strategies": ", ".join(names)}


def _logged(report: BacktestReport, tracker: Tracker, tags: Mapping[str, str]) -> BacktestReport:
    """Log a run for the backtest and one for each strategy, once; return the report, warnings added."""
    asked = json.loads((report.folder / _ASKED).read_text(encoding="utf-8"))
    files = {path.name: path for path in sorted(report.folder.iterdir()) if path.suffix in _LOGGED_KINDS}
    try:
        if any(run.finished for run in tracker.find_runs(KIND, tags)):
            return report
        about = {name.replace(" ", "_"): value for name, value in asked.items() if name != "capacity"}
        content = RunContent(tags=tags, parameters=about, files=files)
        parent = tracker.log_run(
            f"backtest {report.first} to {report.last}", content, kind=KIND, finished=False
        )
        for row in report.totals.iter_rows(named=True):
            own = RunContent(tags={"strategy": row["strategy"]}, metrics=_metrics(row))
            tracker.log_run(row["strategy"], own, kind=f"{KIND}-strategy", parent=parent)
        tracker.extend_run(parent, RunContent())
    except TrackingError as error:
        warning = f"{error} The tables are in {report.folder} but not in MLflow."
        logger.warning("%s", warning)
        return dataclasses.replace(report, warnings=[warning])
    return report


def _metrics(row: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in row.items() if isinstance(value, int | float)}
