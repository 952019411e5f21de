"""The report of a training: everything that a reader asks for, and nothing that a declared text could run."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from configs.schema.gate import GateConfig
from configs.schema.risk import RiskConfig
from models.fitting.training import FittedRisk
from models.judging.comparison import (
    BEST_KEY,
    LIGHTGBM,
    MODEL,
    Contender,
    Measure,
    RivalComparison,
    compare,
)
from models.judging.evaluation import Evaluation
from models.judging.gate import decide
from models.judging.worst_lines import FALSE_ALARM, MISS
from models.report.model_page import ReportContent, report_page
from models.report.plots import as_png, draw_plots
from models.report.tables import blend_table, headline_table, novelty_table, slice_table
from models.stats.metrics import AVERAGE_PRECISION

GATE = GateConfig()


def beside(fitted: FittedRisk) -> RivalComparison:
    """The model beside LightGBM that says the same of every line, and no single key."""
    lines, rng = fitted.evaluation.lines, np.random.default_rng(1)
    scores = {
        MODEL: Contender.of(lines["probability"].to_numpy()),
        LIGHTGBM: Contender.of(rng.random(lines.height)),
        BEST_KEY: None,
    }
    measure = Measure(AVERAGE_PRECISION, (AVERAGE_PRECISION.name,))
    found = lines["found"].to_numpy()
    return compare(lines, found, scores, least_findings=10, seed=1, measures=[measure])


def page_of(fitted: FittedRisk, risk: RiskConfig, rivals: RivalComparison | None = None) -> str:
    pictures = {"importance.png": as_png(draw_plots(fitted.model, fitted.evaluation)["importance.png"])}
    decision = decide(fitted.evaluation, gate=GATE)
    lineage = {"until": "2026-10-30", "seed": "7", "data_fingerprint": "abc"}
    return report_page(ReportContent(risk, fitted, decision, None, None, pictures, lineage, GATE, rivals))


@pytest.fixture(scope="module")
def page(fitted: FittedRisk, undervaluation: RiskConfig) -> str:
    return page_of(fitted, undervaluation)


def test_a_reader_finds_what_is_asked(page: str, fitted: FittedRisk) -> None:
    evaluation = fitted.evaluation
    heads = re.findall(r"<h2>(.*?)</h2>", page)
    assert heads == [
        *("Which data", "How good, and how sure", "Do the probabilities hold?", "Where it fails"),
        *("Does it know too much?", "Do features agree?", "The gate", "Ten worst misses"),
        *("Ten worst false alarms", "What the model rests on", "To repeat it"),
    ]
    assert f"{evaluation.lines.height:,} later lines" in page
    precision = evaluation.figure("average_precision")
    assert f"{precision.value:.3f} ({precision.low:.3f} to {precision.high:.3f})" in page
    assert f"{100 * evaluation.calibration_error_by_chance:.2f}% on as many lines by chance alone" in page
    assert "look-up of twins" in page
    for check in decide(evaluation, gate=GATE).checks:
        assert f">{check.name}</th>" in page
    assert "<dt>data fingerprint</dt><dd>abc</dd>" in page


def test_the_page_needs_nothing_but_itself_and_runs_nothing(page: str) -> None:
    assert "<script" not in page
    assert set(re.findall(r'(?:src|href)="(.{11})', page)) == {"data:image/"}
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;; style-src &#39;sha256-")


def test_the_worst_lines_are_the_findings_ranked_lowest_and_the_clean_lines_ranked_highest(
    fitted: FittedRisk,
) -> None:
    lines, examples = fitted.evaluation.lines, fitted.evaluation.examples
    findings = lines.filter(pl.col("found")).sort("probability")
    misses, alarms = (examples.filter(pl.col("kind") == kind) for kind in (MISS, FALSE_ALARM))
    assert misses["probability"].to_list() == findings["probability"].head(10).to_list()
    clean = lines.filter(~pl.col("found")).sort("probability", descending=True)
    assert alarms["probability"].to_list() == clean["probability"].head(10).to_list()
    assert misses["declaration_id"][0] == findings["declaration_id"][0]
    above = int((lines["probability"] > misses["probability"][0]).sum())
    assert misses["rank"][0] > above
    assert all(re.fullmatch(r"(?:[a-z ]+ [+-]\d+\.\d\d(?:, )?){3}", words) for words in alarms["why"])


def test_declared_text_stays_text(fitted: FittedRisk, undervaluation: RiskConfig) -> None:
    markup = pl.lit("<img src=x onerror=alert(1)>").alias("item_name")
    examples = fitted.evaluation.examples.with_columns(markup)
    evaluation = replace(fitted.evaluation, examples=examples)
    hostile = page_of(replace(fitted, evaluation=evaluation), undervaluation)
    assert "<img src=x" not in hostile
    assert "&lt;img src=x onerror=alert(1)&gt;" in hostile


def test_a_model_that_nothing_could_judge_still_has_its_page(
    fitted: FittedRisk, undervaluation: RiskConfig
) -> None:
    lines = fitted.evaluation.lines.clear()
    nothing = Evaluation("undervaluation", lines, (), {}, float("nan"), float("nan"))
    page = page_of(replace(fitted, evaluation=nothing, warnings=("too short",)), undervaluation)
    assert "no figure says how good it is" in page
    assert "The gate stays shut" in page
    assert "too short" in page


def test_plain_rivals_stand_beside_the_model_with_the_paired_difference(
    fitted: FittedRisk, undervaluation: RiskConfig, page: str
) -> None:
    rivals = beside(fitted)
    shown = page_of(fitted, undervaluation, rivals)
    figures, difference = rivals.scores[LIGHTGBM], rivals.differences[LIGHTGBM]
    assert figures is not None
    assert difference is not None
    theirs, less = figures["average_precision",], difference["average_precision",]
    assert f"{theirs.value:.3f} ({theirs.low:.3f} to {theirs.high:.3f})" in shown
    assert f"{less.value:+.3f} ({less.low:+.3f} to {less.high:+.3f})" in shown
    assert "model less LightGBM" in shown
    assert "best key" not in shown
    assert "model less" not in page


def test_a_reader_sees_what_the_model_is_made_of_and_what_a_night_pays(
    fitted: FittedRisk, undervaluation: RiskConfig
) -> None:
    blend = fitted.model.booster
    table = blend_table(replace(fitted, candidates=(*fitted.candidates, "dropped")))
    rows = {row[0]: row[1:] for row in table.rows}
    assert set(rows) == {*fitted.candidates, "dropped"}
    assert rows["dropped"] == ["left out", "", ""]
    for member in blend.members:
        counts = [f"{member.booster.rounds:,}", f"{len(member.places):,}"]
        assert list(rows[member.name]) == [f"{member.weight:.2f}", *counts]
    page = page_of(fitted, undervaluation)
    assert f"A night sums {sum(member.booster.rounds for member in blend.members):,} trees" in page
    assert "What the model is made of" in page


def test_a_reader_sees_how_sure_the_level_is(fitted: FittedRisk, undervaluation: RiskConfig) -> None:
    drawn = {**fitted.model.metadata, "level_findings": "6.5", "level_low": "0.412", "level_high": "1.934"}
    known = replace(fitted, model=replace(fitted.model, metadata=drawn))
    assert "between 0.41 and 1.93 times what the probabilities add up to" in page_of(known, undervaluation)
    assert "Too few lines were drawn by chance" in page_of(fitted, undervaluation)


def test_tables_name_what_they_show(fitted: FittedRisk) -> None:
    table = headline_table(fitted.evaluation)
    assert list(table.heads[:4]) == ["figure", "findings", "model", "chance"]
    rows = {row[0]: row for row in table.rows}
    assert "precision at 5%" in rows
    assert "%" in rows["precision at 5%"][2]
    assert novelty_table(fitted.evaluation).rows[0][0] == "all lines"
    weak = slice_table(fitted.evaluation, least_findings=5)
    shown = [float(row[3].split()[0]) for row in weak.rows if row[3][0].isdigit()]
    assert shown == sorted(shown)
    none = slice_table(fitted.evaluation, least_findings=10**6)
    assert {row[3] for row in none.rows} == {f"too few findings ({row[2]})" for row in none.rows}
