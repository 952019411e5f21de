"""A training as one page for a person: what, on which data, how sure, where it fails, and the worst lines.

The page needs nothing but itself: pictures are inside, no script, no request leaves it. Declared text is
escaped, and the page's Content-Security-Policy would let nothing run even if it were not.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl
from jinja2 import Environment
from markupsafe import Markup

from configs.schema.gate import GateConfig
from configs.schema.risk import RiskConfig
from models.fitting.training import FittedRisk
from models.judging.agreement import FeatureAgreement
from models.judging.comparison import BEST_KEY, RivalComparison
from models.judging.gate import GateDecision
from models.judging.worst_lines import FALSE_ALARM, MISS
from models.report.page import fingerprint, packaged_text, page_environment
from models.report.tables import (
    ReportTable,
    agreement_table,
    blend_table,
    calibration_table,
    column_table,
    headline_table,
    novelty_table,
    overlap_table,
    rival_table,
    selection_table,
    slice_table,
)
from models.risk.level import Level

_UNKNOWN = "–"


@dataclass(frozen=True)
class ReportContent:
    """What a report is made of.

    `at_random` compares the features of the random share with those of all lines, `inspected` those of all
    inspected lines; `pictures` are the plots by file name (PNG), `lineage` what the run is repeated from,
    `rivals` the comparison with plain ones.
    """

    risk: RiskConfig
    fitted: FittedRisk
    decision: GateDecision
    at_random: FeatureAgreement | None
    inspected: FeatureAgreement | None
    pictures: Mapping[str, bytes]
    lineage: Mapping[str, str]
    gate: GateConfig
    rivals: RivalComparison | None = None


def report_page(content: ReportContent) -> str:
    """The page as text to be written in UTF-8."""
    environment = _environment()
    style = packaged_text("models.report", "model_report.css")
    policy = (
        f"default-src 'none'; style-src '{fingerprint(style)}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    evaluation = content.fitted.evaluation
    return environment.get_template("model_report.html.j2").render(
        policy=policy,
        style=Markup(style),
        risk=content.risk,
        trained=content.fitted.model.metadata,
        evaluation=evaluation,
        decision=content.decision,
        warnings=(*content.fitted.warnings, *content.decision.warnings),
        lineage=content.lineage,
        pictures={name: _inline(picture) for name, picture in content.pictures.items()},
        few=evaluation.too_few(),
        tables=_tables(content) if evaluation.period else {},
        blend=blend_table(content.fitted),
        trees=content.fitted.model.booster.trees,
        columns=len(content.fitted.model.booster.places),
        level=level_sentence(content.fitted.model.metadata),
        best_key=_best_key(content.rivals),
        misses=_lines(evaluation.examples, MISS),
        alarms=_lines(evaluation.examples, FALSE_ALARM),
    )


def _tables(content: ReportContent) -> dict[str, ReportTable]:
    evaluation = content.fitted.evaluation
    return {
        "headline": headline_table(evaluation),
        "rivals": rival_table(content.rivals),
        "selection": selection_table(evaluation),
        "novelty": novelty_table(evaluation),
        "slices": slice_table(evaluation, content.gate.least_findings),
        "calibration": calibration_table(evaluation),
        "overlap": overlap_table(evaluation),
        "columns": column_table(evaluation),
        "at_random": agreement_table("The random share against all lines", content.at_random),
        "inspected": agreement_table("All inspected lines against all lines", content.inspected),
    }


def level_sentence(metadata: Mapping[str, str]) -> str:
    """How sure the level of all probabilities is, by a model's metadata.

    >>> level_sentence({"level_findings": "12.3", "level_low": "0.612", "level_high": "1.540"})[-75:]
    'chance of 95% between 0.61 and 1.54 times what the probabilities add up to.'
    """
    findings = metadata.get("level_findings", "0.0")
    level = Level.of(metadata)
    if level is None:
        return (
            "Too few lines were drawn by chance to say how many of all lines an inspection would record a "
            "finding on: the probabilities rank lines, and their level rests on inspected lines alone."
        )
    rests = (
        f"The level rests on {findings} findings of draws" if float(findings) else "No draw tells the level"
    )
    return (
        f"{rests}: what inspections of all lines would record is with a chance of 95% between "
        f"{level.low:.2f} and {level.high:.2f} times what the probabilities add up to."
    )


def _best_key(rivals: RivalComparison | None) -> str | None:
    """The best single key in words, None where there is none."""
    if rivals is None or rivals.scores.get(BEST_KEY) is None:
        return None
    return rivals.called[BEST_KEY]


def _lines(examples: pl.DataFrame, kind: str) -> Sequence[Mapping[str, Any]]:
    """The shown lines of a kind, unknown values and missing columns as None."""
    if examples.is_empty():
        return []
    return [
        {name: row.get(name) for name in (*_SHOWN, *row)}
        for row in examples.filter(pl.col("kind") == kind).iter_rows(named=True)
    ]


_SHOWN = (
    *("declaration_id", "line_no", "declared_on", "selection", "item_name", "item_model", "seller_id"),
    *("hs_code", "origin_country", "route__dispatch", "customs_office", "trade_mode", "unit_price"),
    *("price__total_cny", "price__cny_per_kg", "price__quantity", "weight__net_kg", "recovered_tax_cny"),
)


@cache
def _environment() -> Environment:
    return page_environment("models.report", {"number": _number, "percent": _percent, "known": _known})


def _inline(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")


def _number(value: float | None) -> str:
    """Up to three decimals, none that say nothing."""
    return _UNKNOWN if value is None else f"{value:,.3f}".rstrip("0").rstrip(".")


def _percent(value: float) -> str:
    return f"{100 * value:.2f}%"


def _known(value: object) -> object:
    return _UNKNOWN if value is None else value
