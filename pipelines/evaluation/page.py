"""The page of `evaluate`: one file with its charts inside, from which no request leaves."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from models.judging.comparison import CONTENDERS, MEASURES
from models.report.page import page_environment
from pipelines.evaluation.report import CAPTIONS, EvaluationReport
from pipelines.pages.report_page import styled_page
from pipelines.pages.svg_charts import Bar, intervals


def evaluation_page(report: EvaluationReport) -> str:
    """Return the page as text; the same report gives the same text."""
    return styled_page(
        _environment(),
        "evaluation.html.j2",
        report=report,
        tables=dict(zip(CAPTIONS, report.tables(), strict=False)),
        charts=[] if report.comparison.thin else _charts(report),
    )


def _charts(report: EvaluationReport) -> list[Markup]:
    """One chart a ranking measure: each contender with its interval, beside the model's own figure."""
    charts = []
    for measure in MEASURES:
        rows = [
            Bar(CONTENDERS[name], figure.value, figure.low, figure.high)
            for name, figures in report.comparison.scores.items()
            if figures is not None
            for figure in [figures[measure.path]]
            if figure.value > 0.0
        ]
        if rows:
            title = measure.metric.title
            charts.append(intervals(title[0].upper() + title[1:], rows, reference=rows[0].value or 1.0))
    return charts


@cache
def _environment() -> Environment:
    return page_environment("pipelines.evaluation", {})
