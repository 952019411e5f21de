"""The tables of a model's report: rows of words and figures, ready to be shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from models.fitting.training import FittedRisk
from models.judging.agreement import FeatureAgreement
from models.judging.baselines import line_keys
from models.judging.comparison import CONTENDERS, RivalComparison
from models.judging.evaluation import MODEL, Evaluation
from models.judging.groups import each_group
from models.risk.calibration import calibration_bins
from models.stats.intervals import Estimate, bootstrap_weights, observed_over_expected, too_few, wilson
from models.stats.metric import ScoredLines
from models.stats.metrics import AVERAGE_PRECISION, headline

_DRAWS = 300
_COLUMNS_SHOWN = 12
_UNKNOWN = "–"
_NOVEL = ("no_twin", "new_value", "new_seller", "new_goods", "new_text", "new_route", "random_share")
_TITLES = {
    "all": "all lines",
    "no_twin": "no twin: heading, origin and price never inspected together before",
    "new_value": "new value: heading, origin and total value never inspected together before",
    "new_seller": "new seller: never inspected before",
    "new_goods": "new goods: heading never inspected before",
    "new_text": "new text: item name never inspected before",
    "new_route": "new route: heading never inspected from this origin before",
    "random_share": "drawn at random: stands for all lines",
    MODEL: "model",
    "random": "chance",
    "price_high": "highest value first",
    "price_low": "lowest value first",
    "seller_rate": "seller's past hit rate",
    "lookup": "look-up of twins",
}


@dataclass(frozen=True)
class ReportTable:
    """A caption, the heads of the columns, and rows of text; the first column names the row."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def with_interval(figure: Estimate, *, percent: bool = False, signed: bool = False) -> str:
    """A figure with its 95% interval; `signed` for a difference.

    >>> with_interval(Estimate(0.25, 0.2, 0.3, 5), percent=True), with_interval(Estimate(1.0, 0.5, 1.9, 9))
    ('25.0% (20.0 to 30.0)', '1.000 (0.500 to 1.900)')
    """
    if not math.isfinite(figure.value):
        return _UNKNOWN
    factor, digits, unit = (100.0, 1, "%") if percent else (1.0, 3, "")
    shape = f"{'+' if signed else ''}.{digits}f"
    shown = f"{factor * figure.value:{shape}}{unit}"
    if not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return shown
    return f"{shown} ({factor * figure.low:{shape}} to {factor * figure.high:{shape}})"


def headline_table(evaluation: Evaluation) -> ReportTable:
    """The figures of the model on all evaluated lines, with those of the baselines beside."""
    scores = sorted({score for score, part, _ in evaluation.figures if part == "all"}, key=_place)
    computed = {name for _, part, name in evaluation.figures if part == "all"}
    rows = []
    for metric in evaluation.metrics:
        if metric.name in computed:
            cells = [evaluation.figure(metric.name, score=score) for score in scores]
            findings = str(evaluation.figure(metric.name).findings)
            shown = (with_interval(cell, percent=metric.percent) for cell in cells)
            rows.append([metric.title, findings, *shown])
    heads = ["figure", "findings", *(_TITLES.get(score, score) for score in scores)]
    return ReportTable("The model and what it has to beat", heads, rows)


def rival_table(rivals: RivalComparison | None) -> ReportTable:
    """The model beside plain rivals, and its figures less theirs."""
    caption = "The model beside plain rivals that learned from the same lines"
    if rivals is None:
        return ReportTable(caption, [], [])
    names = [name for name, figures in rivals.differences.items() if figures is not None]
    shown = [(rivals.scores[name], False) for name in (MODEL, *names)]
    shown += [(rivals.differences[name], True) for name in names]
    rows = []
    for measure in rivals.measures:
        cells = (
            with_interval(figures[measure.path], percent=measure.metric.percent, signed=signed)
            for figures, signed in shown
            if figures is not None
        )
        rows.append([measure.metric.title, *cells])
    called = [CONTENDERS[name] for name in names]
    return ReportTable(
        caption, ["figure", "model", *called, *(f"model less {name}" for name in called)], rows
    )


def blend_table(fitted: FittedRisk) -> ReportTable:
    """The candidates that the model was chosen from: what the log-odds of each weigh, its trees, and the
    columns that they read.
    """
    members = {member.name: member for member in fitted.model.booster.members}
    rows = []
    for name in dict.fromkeys((*fitted.candidates, *members)):
        if name in members:
            member = members[name]
            counts = f"{member.booster.rounds:,}", f"{len(member.places):,}"
            rows.append([name, f"{member.weight:.2f}", *counts])
        else:
            rows.append([name, "left out", "", ""])
    return ReportTable("What the model is made of", ["candidate", "weight", "trees", "columns"], rows)


def selection_table(evaluation: Evaluation) -> ReportTable:
    """Why the evaluated lines were inspected, and what was found."""
    rows = []
    if "selection" in evaluation.lines.columns:
        counted = evaluation.lines.group_by(pl.col("selection").fill_null("unknown")).agg(
            pl.len().alias("lines"), pl.col("found").sum().alias("findings")
        )
        for name, lines, findings in counted.sort("lines", "selection", descending=[True, False]).iter_rows():
            share = too_few(findings)
            if findings >= evaluation.least_findings:
                figure = Estimate(findings / lines, *wilson(findings, lines), findings)
                share = with_interval(figure, percent=True)
            rows.append([name, f"{lines:,}", f"{findings:,}", share])
    heads = ["chosen by", "lines", "findings", "hit rate"]
    return ReportTable("Evaluated lines by reason of inspection", heads, rows)


def slice_table(evaluation: Evaluation, least_findings: int, seed: int = 0) -> ReportTable:
    """Average precision and calibration of novel lines and of each group, the weakest first.

    Groups with fewer findings come last without an average precision: it would be noise.
    """
    weak, few = [], []
    for name, part in _parts(evaluation):
        found, probability = part["found"].to_numpy(), part["probability"].to_numpy()
        findings, ratio = int(found.sum()), observed_over_expected(probability, found)
        cells = [name, f"{part.height:,}", f"{findings:,}"]
        if findings < least_findings:
            few.append([*cells, too_few(findings), "", ""])
            continue
        days = part["declared_on"].to_physical().to_numpy().astype(np.int64)
        weights = bootstrap_weights(days, draws=_DRAWS, seed=seed)
        precision = AVERAGE_PRECISION.estimate(ScoredLines(probability, found, line_keys(part)), weights)
        lift = f"{precision.value / (findings / part.height):.1f} ×"
        weak.append((precision.value, [*cells, with_interval(precision), lift, with_interval(ratio)]))
    rows = [cells for _, cells in sorted(weak, key=lambda row: row[0])] + few
    heads = ["lines", "number", "findings", "average precision", "over chance", "findings over promised"]
    return ReportTable("Where it is weak, the weakest first", heads, rows)


def calibration_table(evaluation: Evaluation) -> ReportTable:
    """What was promised and what was found, in ten groups of equally many lines."""
    bins = calibration_bins(evaluation.lines["probability"].to_numpy(), evaluation.lines["found"].to_numpy())
    rows = []
    for part in reversed(bins):
        seen = Estimate(part.findings / part.lines, *wilson(part.findings, part.lines), part.findings)
        rows.append(
            [
                f"{100 * part.mean_probability:.2f}%",
                with_interval(seen, percent=True),
                f"{part.findings:,}",
                f"{part.lines:,}",
            ]
        )
    heads = ["promised", "found", "findings", "lines"]
    return ReportTable("Promised and found, from the highest probabilities to the lowest", heads, rows)


def overlap_table(evaluation: Evaluation) -> ReportTable:
    """How much the evaluated lines share with those that were trained on."""
    rows = [
        [overlap.key, _share(overlap.lines), _share(overlap.findings)]
        for overlap in evaluation.leakage.overlaps
    ]
    heads = ["same as in training", "of the lines", "of the findings"]
    return ReportTable("What the evaluation shares with the training", heads, rows)


def column_table(evaluation: Evaluation) -> ReportTable:
    """The columns that rank findings best alone."""
    rows = [
        [column.column, f"{column.auc:.3f}", f"{column.average_precision:.3f}"]
        for column in evaluation.leakage.columns
    ]
    return ReportTable("The columns that tell most alone", ["column", "AUC", "average precision"], rows)


def agreement_table(caption: str, agreement: FeatureAgreement | None) -> ReportTable:
    """The columns that differ most from all lines, with what chance explains."""
    columns = () if agreement is None else agreement.columns[:_COLUMNS_SHOWN]
    rows = [
        [
            column.column,
            f"{column.shift.psi:.3f}",
            f"{column.shift.expected:.3f}",
            f"{column.shift.limit:.3f}",
            "more than chance" if column.shift.alarms else "chance",
        ]
        for column in columns
    ]
    return ReportTable(caption, ["column", "stability index", "by chance", "limit", "reading"], rows)


def _parts(evaluation: Evaluation) -> Iterator[tuple[str, pl.DataFrame]]:
    """All lines, those drawn at random, and each group."""
    lines = evaluation.lines
    yield _TITLES["all"], lines
    if "selection" in lines.columns:
        at_random = lines.filter(pl.col("selection") == "random")
        if at_random.height:
            yield _TITLES["random_share"], at_random
    for name, mask in each_group(lines):
        yield name.replace("_", " "), lines.filter(pl.Series(mask))


def novelty_table(evaluation: Evaluation) -> ReportTable:
    """The figures of the lines that memory cannot answer."""
    shown = headline(evaluation.metrics, capacities=1)
    rows = []
    for part in ("all", *_NOVEL):
        figures = [evaluation.figure(metric.name, part=part) for metric in shown]
        few = evaluation.too_few(part)
        if few and part in evaluation.part_findings:
            blank = [""] * (len(shown) - 1)
            rows.append([_TITLES[part], str(evaluation.part_findings[part]), few, *blank])
        if math.isfinite(figures[0].value):
            cells = [
                with_interval(figure, percent=metric.percent)
                for metric, figure in zip(shown, figures, strict=True)
            ]
            rows.append([_TITLES[part], str(figures[0].findings), *cells])
    heads = ["lines", "findings", *(metric.title for metric in shown)]
    return ReportTable("Lines that cannot be answered from memory", heads, rows)


def _place(score: str) -> int:
    order = list(_TITLES)
    return order.index(score) if score in order else len(order)


def _share(value: float) -> str:
    return f"{100 * value:.1f}%" if math.isfinite(value) else _UNKNOWN
