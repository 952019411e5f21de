"""An office's data of another author, without truth: the released models and these, judged on later days.

    python -m benchmarks.others.office [--work DIR] [--fresh]

Needs the folder ../shared/office beside the checkout. Both programs learn from what was reported up to an
origin and score the nights after it, as they come; what inspections of these nights found later judges them.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.judging.released import THIS_PROGRAM, nights_of, released_program
from benchmarks.judging.world_report import in_cell
from benchmarks.shared import figures as f
from configs.loader import load_settings
from features.contract.declarations import LINE_KEY
from features.history.results import known_labels
from models.risk.risk_model import RiskModel
from models.stats.intervals import poisson_interval
from pipelines.cli.main import run
from pipelines.scoring.models_in_use import models_in_use
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "office"
WORK = Path(__file__).resolve().parents[1] / "work"
OURS, RELEASED = "ours", "released"


@dataclass(frozen=True)
class Origin:
    """The last day of report that is learned from, and the last night that is judged."""

    until: date
    to: date

    @property
    def nights(self) -> list[date]:
        """The nights that are judged, oldest first."""
        days = (self.to - self.until).days
        return [self.until + timedelta(days=day + 1) for day in range(days)]


ORIGINS = (
    Origin(date(2026, 9, 30), date(2026, 10, 31)),
    Origin(date(2026, 9, 12), date(2026, 9, 30)),
)


def section(work: Path, *, fresh: bool = False) -> str:
    """The section of the report, or why there is none."""
    title = "## An office's data of another author\n\n"
    if not FOLDER.is_dir():
        return f"{title}Skipped: expected the office's data in ../shared/office, which is not there.\n"
    origins = []
    for origin in ORIGINS:
        kept = work / f"office-{origin.until}.json"
        if fresh or not kept.exists():
            kept.write_text(json.dumps(_judged(origin, work)) + "\n", encoding="utf-8")
        origins.append(json.loads(kept.read_text(encoding="utf-8")))
    return title + _report(origins)


def _judged(origin: Origin, work: Path) -> dict[str, Any]:
    """The figures of one origin, by risk."""
    folder = work / f"office-{origin.until}"
    shutil.rmtree(folder, ignore_errors=True)
    os.environ.setdefault("PARCEL_RISK_PSEUDONYM_KEY", secrets.token_urlsafe(48))
    tables = [
        str(path) for name in ("declarations", "inspections") for path in sorted((FOLDER / name).iterdir())
    ]
    code = run(["ingest", *tables, "--store", str(folder / "whole"), "--backfill", "--quiet"])
    if code:
        raise RuntimeError(f"ingest of {FOLDER} ended with exit code {code}")
    whole = Store.open(folder / "whole")
    results = known_labels(whole.read_inspections(), date.max)
    settings = load_settings()
    programs = {OURS: THIS_PROGRAM, RELEASED: released_program(work)}
    stores = {
        whose: nights_of(program, whole, folder / whose, until=origin.until, nights=origin.nights, threads=2)
        for whose, program in programs.items()
    }
    lines = _scored(stores, origin.nights).join(results, on=LINE_KEY, how="inner").sort(LINE_KEY)
    done: dict[str, Any] = {"until": str(origin.until), "to": str(origin.to), "risks": {}}
    for name, risk in settings.risks.items():
        known = lines.filter(pl.col(risk.label).is_not_null())
        done["risks"][name] = _figures(known, name, risk.label) | {"blend": _blend(stores[OURS], name)}
    shutil.rmtree(folder)
    return done


def _scored(stores: dict[str, Store], nights: Sequence[date]) -> pl.DataFrame:
    """The nights' lines with `declared_on` and `<whose>__<risk>` for each program."""
    parts = []
    for night in nights:
        tables = [
            pl.concat(pl.read_parquet(file) for file in store.layout.files(DayTable.SCORES, night)).rename(
                lambda column, whose=whose: column if column in LINE_KEY else f"{whose}__{column}"
            )
            for whose, store in stores.items()
        ]
        both = tables[0].join(tables[1], on=LINE_KEY, how="full", coalesce=True, validate="1:1")
        parts.append(both.with_columns(declared_on=pl.lit(night)))
    return pl.concat(parts, how="diagonal_relaxed")


def _figures(known: pl.DataFrame, name: str, label: str) -> dict[str, Any]:
    found = known[label].to_numpy()
    scores = {
        whose: known[f"{whose}__{name}"].fill_null(0.0).to_numpy()
        if f"{whose}__{name}" in known.columns
        else np.zeros(known.height)
        for whose in (OURS, RELEASED)
    }
    days = f.Draws.of(known["declared_on"].cast(pl.String), known["declaration_id"], 7)
    drawn = f.figures(days, {whose: f.average_precision(score, found) for whose, score in scores.items()})
    at_random = (known["selection"] == "random").fill_null(False).to_numpy()
    return {
        "lines": known.height,
        "findings": int(found.sum()),
        **{whose: f.figure(drawn[whose]).as_list() for whose in scores},
        "difference": f.figure(drawn[OURS] - drawn[RELEASED]).as_list(),
        "draws": [int(at_random.sum()), int(found[at_random].sum())],
        "promised": {whose: float(score[at_random].sum()) for whose, score in scores.items()},
    }


def _blend(store: Store, risk: str) -> str:
    used = models_in_use(store, [risk]).models
    return RiskModel.load(used[risk].folder).metadata["blend"] if risk in used else "no model"


def _report(origins: Sequence[dict[str, Any]]) -> str:
    said = [
        "Declarations and results as an office hands them over; both programs as they come. Inspected lines "
        "of the nights after each origin, whenever their result came; days drawn again.\n",
        "| learned up to | risk | lines (findings) | ours | released | difference | blend of ours |",
        "|---|---|---|---|---|---|---|",
    ]
    for origin in origins:
        for name, risk in origin["risks"].items():
            cells = " | ".join(in_cell(risk[each]) for each in (OURS, RELEASED, "difference"))
            said.append(
                f"| {origin['until']} | {name.replace('_', ' ')} | {risk['lines']:,} ({risk['findings']}) "
                f"| {cells} | {risk['blend']} |"
            )
    said += [
        "\nFindings of the random share over the sum of their probabilities, all origins:\n",
        "| risk | drawn lines | findings | ours promised | findings / promised | released promised |",
        "|---|---|---|---|---|---|",
    ]
    for name in origins[0]["risks"]:
        risks = [origin["risks"][name] for origin in origins]
        lines, findings = (sum(risk["draws"][place] for risk in risks) for place in (0, 1))
        promised = {whose: sum(risk["promised"][whose] for risk in risks) for whose in (OURS, RELEASED)}
        low, high = poisson_interval(findings)
        ratio = [each / promised[OURS] for each in (findings, low, high)]
        said.append(
            f"| {name.replace('_', ' ')} | {lines:,} | {findings} | {promised[OURS]:.1f} "
            f"| {in_cell(ratio, 2)} | {promised[RELEASED]:.1f} |"
        )
    return "\n".join([*said, ""])


def main() -> int:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, default=WORK, help="folder for stores and figures")
    parser.add_argument("--fresh", action="store_true", help="measure again what is in the work folder")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    print(section(given.work.resolve(), fresh=given.fresh))
    return 0


if __name__ == "__main__":
    sys.exit(main())
