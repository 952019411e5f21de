"""Figures that rest on a handful of findings are not shown by any report: it says how few there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import ConstantValue, RiskConfig, Title
from models.judging.evaluation import Prediction, evaluate
from models.search.blocks import InnerFigures
from models.search.parameters import Trial
from models.search.verdict import Comparison, OuterFigures, Verdict
from models.stats.intervals import Estimate
from pipelines.backtest.figures import by_selection
from pipelines.training.report import RiskTrained
from pipelines.training.tune_report import TuneReport

RISK = RiskConfig(
    name="x", label="label", title=Title(en="X"), finding_value=ConstantValue(kind="constant", cny=1.0)
)
DAY = date(2026, 11, 1)


def test_a_training_judged_on_one_finding_says_so_instead_of_1_000() -> None:
    lines = pl.DataFrame(
        {
            "declaration_id": [f"D{number}" for number in range(10)], "line_no": 1.0, "declared_on": DAY,
            "price__total_cny": 1.0, "label": [True] + [False] * 9,
        }
    )  # fmt: skip
    predicted = Prediction(np.linspace(0.9, 0.1, 10), np.ones(10))
    found = evaluate(RISK, lines, lines, predicted, TrainingConfig())
    assert "1.000 [" in "\n".join(RiskTrained("x", 1, True, (), found).lines())
    sure = RiskTrained("x", 1, True, (), found.resting_on(10))
    said = "\n".join(sure.lines())
    assert "x: too few findings (1): no figure says how good this model is" in said
    assert "1.000" not in said
    assert not [name for name in sure.as_dict()["metrics"] if "precision" in name]


def test_a_search_over_few_findings_recommends_nothing_and_shows_no_figures() -> None:
    inner = InnerFigures(5, 0.1, 0.9, (0.1,))
    trial = Trial(0, "configured", {"num_leaves": 3}, inner)
    gain = Estimate(-0.12345, -0.2, -0.1, 3)
    outer = OuterFigures(90, 3, {0: 0.1}, {0: 0.9}, (Comparison("a", "b", gain, gain),))
    verdict = Verdict(trial, trial, trial, 0.01, outer, ("no",), inner_findings=4, least_findings=10)
    report = TuneReport("x", DAY, 1, 0, verdict, "sqlite://")
    said = "\n".join(report.lines())
    assert "trial 0, configured: too few findings (4), 5 trees" in said
    assert "x: too few findings (3): no comparison of the sets is shown" in said
    assert "0.900" not in said
    assert "0.12345" not in said
    told = report.as_dict()
    assert told["sets"][0]["inner_average_precision"] is None
    assert told["newest_block"] == {"lines": 90, "findings": 3}
    enough = replace(report, verdict=replace(verdict, least_findings=1))
    assert "average precision 0.900" in "\n".join(enough.lines())


def test_a_backtest_has_no_hit_rate_of_a_few_findings() -> None:
    opened = pl.DataFrame(
        {
            "strategy": "full", "selection": ["risk"] * 20, "found": [True] * 3 + [False] * 17,
            "recovered_tax_cny": 0.0, "value_cny": 1.0,
        }
    )  # fmt: skip
    (few,) = by_selection(opened, ["full"], 10).to_dicts()
    assert (few["opened"], few["findings"]) == (20, 3)
    assert [few[name] for name in ("hit_rate", "hit_rate_low", "hit_rate_high")] == [None] * 3
    assert by_selection(opened, ["full"], 3)["hit_rate"].to_list() == [0.15]
