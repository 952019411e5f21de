"""Two agencies' own tables: fitted to the first four fifths, judged on the last fifth beside plain rivals.

    python -m benchmarks.others.agencies [--work DIR] [--fresh]

Needs the folder ../shared/agencies beside the checkout. Each table goes the way that a user's would:
`ingest` with a mapping that has constants for what the table lacks, a risk file of four lines, `evaluate
--until`. Nothing is tuned, and no setting was chosen on the last fifth. Figures are kept in the work folder
and used again.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from pipelines.cli.main import run

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "agencies"
RESULT = Path(__file__).resolve().parents[1] / "results" / "agencies.md"
_CONSTANTS = {"direction": "import", "trade_mode": "other", "currency": "USD", "total_price": 1}
_RANDOM = {"selection": "random", "inspection_probability": 1.0}
_CONFIGS = {
    "risks/positive.yaml": """
label: positive
title: {en: Positive}
finding_value: {kind: constant, cny: 1000}
maturity_days: 3
"""
}
_JUDGED_FROM = 0.8
_MEASURES = {"average precision": "average_precision", "AUC": "auc", "log loss": "log_loss"}
_NAMES = {
    "model": "this program",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "best_key": "best single key",
}


@dataclass(frozen=True)
class Agency:
    """A table, what it is, its mapping, and the column of its days."""

    table: str
    title: str
    mapping: Mapping[str, Any]
    day: str

    def read(self, folder: Path = FOLDER) -> pl.DataFrame:
        """The rows in order of day; that of a shipment decided on before it came is the decision's."""
        table = pl.read_csv(folder / self.table, infer_schema=False, null_values="NA")
        if self.day == "day":
            decided, shipped = (
                pl.col(name).str.slice(0, 10) for name in ("disposition_date", "shipment_date")
            )
            table = table.with_columns(
                decided.alias("decided"),
                pl.min_horizontal(decided, shipped).alias("day"),
                pl.int_range(1, pl.len() + 1).over("control_number").alias("line"),
            )
        return table.sort(self.day, maintain_order=True)


POULTRY = Agency(
    "fsis.csv",
    "Poultry samples, a positive test for Salmonella",
    {
        "constants": {**_CONSTANTS, "hs_code": "020700", "line_no": 1},
        "rename": {
            "declaration_id": "FormID",
            "declared_at": "CollectionDate",
            "seller_id": "EstablishmentNumber",
            "item_name": "SampleSource",
        },
        "extra": {"categories": {"state": "State", "project": "ProjectCode", "product": "ProductType"}},
        "labels": {
            "positive": {
                "column": "SalmonellaSpAnalysis",
                "true_when": ["Positive"],
                "false_when": ["Negative"],
            }
        },
        "inspection": {**_RANDOM, "inspected_on": "declared_at", "reported_on": "declared_at"},
    },
    "CollectionDate",
)
WILDLIFE = Agency(
    "lemis.csv",
    "Imported amphibians, a refused shipment line",
    {
        "constants": {**_CONSTANTS, "hs_code": "010690"},
        "rename": {
            "declaration_id": "control_number",
            "line_no": "line",
            "declared_at": "day",
            "port": "port",
            "origin_country": "country_origin",
            "dispatch_country": "country_imp_exp",
            "item_name": "specific_name",
        },
        "extra": {
            "categories": {
                "species_code": "species_code",
                "genus": "genus",
                "kind": "generic_name",
                "description": "description",
                "purpose": "purpose",
                "taken_from": "source",
                "sold_in": "unit",
            },
            "numbers": {"animals": "quantity"},
        },
        "labels": {"positive": {"column": "action", "true_when": ["R"], "false_when": ["C"]}},
        "inspection": {**_RANDOM, "inspected_on": "declared_at", "reported_on": "decided"},
    },
    "day",
)
AGENCIES = (POULTRY, WILDLIFE)


def section(work: Path, *, fresh: bool = False) -> str:
    """The section of the report: a table for each agency, or why there is none."""
    title = "## Two agencies' own tables, the last fifth of each\n\n"
    if not FOLDER.is_dir():
        return f"{title}Skipped: expected the agencies' tables in ../shared/agencies, which is not there.\n"
    said = [
        f"{title}Taken in with constants for what the tables lack, fitted to the first four fifths as the "
        "program comes (`evaluate --until`), results of the last fifth withheld. Each cell: figure [95% "
        "interval, days drawn again]. Below each rival the model's less the rival's, paired: above 0 it "
        "speaks for the model, with log loss below 0.\n"
    ]
    for agency in AGENCIES:
        kept = work / f"agency-{Path(agency.table).stem}.json"
        if fresh or not kept.exists():
            kept.write_text(json.dumps(_judged(agency, work)) + "\n", encoding="utf-8")
        said.append(_table(agency, json.loads(kept.read_text(encoding="utf-8"))))
    return "\n".join(said)


def _judged(agency: Agency, work: Path) -> dict[str, Any]:
    """The figures of the last fifth, and how long it took."""
    began = time.perf_counter()
    table = agency.read()
    first = date.fromisoformat(table[agency.day][int(_JUDGED_FROM * table.height)])
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        figures = evaluated(agency, table, first, Path(scratch))
    return {
        **figures,
        "seconds": time.perf_counter() - began,
        "from": str(first),
        "to": table[agency.day][-1],
    }


def evaluated(
    agency: Agency, table: pl.DataFrame, first: date, scratch: Path, configs: Mapping[str, str] = _CONFIGS
) -> dict[str, Any]:
    """What `evaluate` says of the rows from the day `first` on, as its JSON has it.

    `configs` are the files of the folder of settings by name, with the risk `positive` among them.
    """
    folder, store = scratch / "configs", scratch / "S"
    (folder / "risks").mkdir(parents=True)
    for name, text in configs.items():
        (folder / name).write_text(text, encoding="utf-8")
    (scratch / "mapping.yaml").write_text(yaml.safe_dump(dict(agency.mapping)), encoding="utf-8")
    table.write_csv(scratch / "table.csv")
    os.environ.setdefault("PARCEL_RISK_PSEUDONYM_KEY", secrets.token_urlsafe(48))
    given = ["--store", str(store), "--configs", str(folder), "--quiet"]
    mapped = [str(scratch / "table.csv"), "--mapping", str(scratch / "mapping.yaml"), "--backfill"]
    period = ["--from", str(first), "--to", str(table[agency.day][-1])]
    until = ["--until", str(first - timedelta(days=1)), "--json", str(scratch / "figures.json")]
    for asked in (["ingest", *mapped], ["evaluate", "--risk", "positive", *period, *until]):
        code = run([*asked, *given])
        if code:
            raise RuntimeError(f"{agency.table}: {asked[0]} ended with exit code {code}")
    figures: dict[str, Any] = json.loads((scratch / "figures.json").read_text(encoding="utf-8"))
    shutil.rmtree(store)
    return figures


def _table(agency: Agency, figures: Mapping[str, Any]) -> str:
    head = (
        f"### {agency.title}\n\n`{agency.table}`, {figures['from']} to {figures['to']}: {figures['lines']:,} "
        f"lines, {figures['findings']:,} findings; {figures['seconds'] / 60:.0f} minutes with ingest and "
        "rivals.\n"
    )
    said = [
        head,
        f"| score | {' | '.join(_MEASURES)} | precision at 5% |",
        "|---" * (2 + len(_MEASURES)) + "|",
    ]
    for name, shown in _NAMES.items():
        scores = figures["scores"][name]
        if scores is None:
            said.append(f"| {shown} | not installed | | | |")
            continue
        said.append(f"| {shown} | {_cells(scores, '.3f')} |")
        if name != "model":
            said.append(f"| *this program less {shown}* | {_cells(figures['differences'][name], '+.3f')} |")
    return "\n".join(said) + "\n"


def _cells(measured: Mapping[str, Any], form: str) -> str:
    values = [measured[name] for name in _MEASURES.values()] + [measured["precision"]["0.05"]]
    return " | ".join(_cell(value, form) for value in values)


def _cell(value: Sequence[float | None], form: str) -> str:
    point, low, high = ("" if each is None else format(each, form) for each in value)
    return f"{point} [{low}, {high}]"


def main() -> int:
    """Write the section as a report of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, help="folder for figures; default: a temporary one")
    parser.add_argument("--fresh", action="store_true", help="measure anew although figures are there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = (given.work or Path(scratch)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        text = section(work, fresh=given.fresh)
    print(text)
    if FOLDER.is_dir():
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(f"Made by `python -m benchmarks.others.agencies`.\n\n{text}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
