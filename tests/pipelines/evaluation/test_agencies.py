"""Two agencies' own tables, some weeks of each: taken in with constants for what they lack, and judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from benchmarks.others.agencies import POULTRY, WILDLIFE, Agency, evaluated

# Few keys, trees and blocks of days, no blend: the tables are what is tested.
CONFIGS = {
    "pipeline.yaml": """
history:
  combinations:
    - {name: all, columns: []}
    - {name: seller, columns: [seller_id], backoff: all}
    - {name: hs6, columns: [hs6], backoff: all}
  extra_columns: 3
training: {folds: 2, evaluation_days: 14, min_findings: 4}
gate: {least_findings: 3}
""",
    "risks/positive.yaml": """
label: positive
title: {en: Positive}
finding_value: {kind: constant, cny: 1000}
blocks: [calendar, extra, goods, hit_rate, party, route]
model: {num_leaves: 8}
rounds: 20
goods_models: false
candidates: []
maturity_days: 3
""",
}


@dataclass(frozen=True)
class Part:
    """Which days of an agency's table are taken, from which on they are judged, and what a finding is."""

    agency: Agency
    first: date
    judged: date
    last: date
    outcome: pl.Expr


PARTS = [
    Part(
        POULTRY,
        date(2023, 2, 20),
        date(2023, 3, 20),
        date(2023, 3, 31),
        pl.col("SalmonellaSpAnalysis") == "Positive",
    ),
    Part(WILDLIFE, date(2019, 1, 1), date(2019, 3, 1), date(2019, 3, 31), pl.col("action") == "R"),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.agency.table)
def test_an_agencys_own_table_is_judged(shared: Path, tmp_path: Path, key: None, part: Part) -> None:
    if not (shared / "agencies").is_dir():
        pytest.skip("needs the folder agencies of ../shared, which is not there")
    days = pl.col(part.agency.day).str.to_date()
    table = part.agency.read().filter(days.is_between(part.first, part.last))
    figures = evaluated(part.agency, table, part.judged, tmp_path, CONFIGS)
    later = table.filter(days >= part.judged, part.outcome.is_not_null())
    assert (figures["lines"], figures["findings"]) == (later.height, later.filter(part.outcome).height)
    # What tells the outcome would rank all findings first.
    assert 0.5 < figures["scores"]["lightgbm"]["auc"][0] < 0.95
    assert figures["scores"]["best_key"]["auc"][0] < 0.95
