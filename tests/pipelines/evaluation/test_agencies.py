"""Two agencies' own tables, a few months of each: taken in with constants for what they lack, and judged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.cli.main import run

CONSTANTS = {"direction": "import", "trade_mode": "other", "currency": "USD", "total_price": 1}
RANDOM = {"selection": "random", "inspection_probability": 1.0}
PIPELINE = """
history:
  combinations:
    - {name: all, columns: []}
    - {name: seller, columns: [seller_id], backoff: all}
    - {name: hs6, columns: [hs6], backoff: all}
training: {folds: 2, evaluation_days: 14, min_findings: 4}
gate: {least_findings: 3}
"""
RISK = """
label: positive
title: {en: Positive}
finding_value: {kind: constant, cny: 1000}
blocks: [calendar, extra, goods, hit_rate, party, route]
model: {num_leaves: 8}
rounds: 20
maturity_days: 3
"""


@dataclass(frozen=True)
class Agency:
    """A table, its mapping, the column of its days, and which of them are taken and judged."""

    table: str
    mapping: dict[str, Any]
    day: str
    first: date
    judged: date
    last: date
    outcome: pl.Expr


AGENCIES = [
    Agency(
        "fsis.csv",
        {
            "constants": {**CONSTANTS, "hs_code": "020700", "line_no": 1},
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
            "inspection": {**RANDOM, "inspected_on": "declared_at", "reported_on": "declared_at"},
        },
        "CollectionDate",
        date(2023, 2, 1),
        date(2023, 3, 20),
        date(2023, 3, 31),
        pl.col("SalmonellaSpAnalysis") == "Positive",
    ),
    Agency(
        "lemis.csv",
        {
            "constants": {**CONSTANTS, "hs_code": "010690"},
            "rename": {
                "declaration_id": "control_number",
                "line_no": "line",
                "declared_at": "day",
                "port": "port",
                "origin_country": "country_origin",
                "item_name": "specific_name",
            },
            "extra": {
                "categories": {"species_code": "species_code", "purpose": "purpose", "taken_from": "source"},
                "numbers": {"animals": "quantity"},
            },
            "labels": {"positive": {"column": "action", "true_when": ["R"], "false_when": ["C"]}},
            "inspection": {**RANDOM, "inspected_on": "declared_at", "reported_on": "decided"},
        },
        "day",
        date(2018, 12, 1),
        date(2019, 3, 1),
        date(2019, 3, 31),
        pl.col("action") == "R",
    ),
]


def prepared(shared: Path, agency: Agency) -> pl.DataFrame:
    """The months of the test. Of shipments decided on before they came the day of the decision is the day."""
    table = pl.read_csv(shared / "agencies" / agency.table, infer_schema=False, null_values="NA")
    if agency.day == "day":
        decided, shipped = (pl.col(name).str.slice(0, 10) for name in ("disposition_date", "shipment_date"))
        table = table.with_columns(
            decided.alias("decided"),
            pl.min_horizontal(decided, shipped).alias("day"),
            pl.int_range(1, pl.len() + 1).over("control_number").alias("line"),
        )
    return table.filter(pl.col(agency.day).str.to_date().is_between(agency.first, agency.last))


@pytest.mark.parametrize("agency", AGENCIES, ids=lambda agency: agency.table)
def test_an_agencys_own_table_is_judged(
    shared: Path, tmp_path: Path, key: None, capsys: pytest.CaptureFixture[str], agency: Agency
) -> None:
    if not (shared / "agencies").is_dir():
        pytest.skip("needs the folder agencies of ../shared, which is not there")
    table = prepared(shared, agency)
    table.write_csv(tmp_path / "table.csv")
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(agency.mapping), encoding="utf-8")
    (tmp_path / "configs/risks").mkdir(parents=True)
    (tmp_path / "configs/pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    (tmp_path / "configs/risks/positive.yaml").write_text(RISK, encoding="utf-8")
    given = ["--store", str(tmp_path / "S"), "--configs", str(tmp_path / "configs")]
    ingested = run(
        [
            "ingest",
            str(tmp_path / "table.csv"),
            "--mapping",
            str(tmp_path / "mapping.yaml"),
            "--backfill",
            *given,
        ]
    )
    assert ingested == 0, capsys.readouterr()
    period = ["--from", str(agency.judged), "--to", str(agency.last)]
    until = ["--until", str(agency.judged - timedelta(days=1)), "--json", str(tmp_path / "figures.json")]
    judged = run(["evaluate", "--risk", "positive", *period, *until, *given])
    assert judged == 0, capsys.readouterr()
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    later = table.filter(pl.col(agency.day).str.to_date() >= agency.judged, agency.outcome.is_not_null())
    assert (figures["lines"], figures["findings"]) == (later.height, later.filter(agency.outcome).height)
    # What tells the outcome would rank all findings first.
    assert 0.5 < figures["scores"]["lightgbm"]["auc"][0] < 0.95
    assert figures["scores"]["best_key"]["auc"][0] < 0.95
