"""The page of `monitor`: one file with its charts inside, from which no request leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from configs.language import Language
from models.report.page import page_environment
from models.stats.intervals import too_few
from models.watch.column_shifts import ALL
from models.watch.risk_results import RANDOM_SHARE
from models.watch.verdict import verdict
from pipelines.monitoring.findings import MonitorFindings
from pipelines.pages.naming import Naming
from pipelines.pages.report_page import styled_page
from pipelines.pages.svg_charts import Bar, bars, intervals, lines

DRAWN = "random"
MEANING = {
    "fine": "Nothing beyond what chance and ordinary days explain.",
    "watch": "Something has changed. Look at the reasons; the models may still do.",
    "retrain": "What the models learned no longer holds. Train anew and look at the gate's report.",
}


@dataclass(frozen=True)
class ToldFindings:
    """What is said of a day.

    Attributes:
        naming: the words of the report.
        verdict: in words.
        reasons: of each its level, that in words, its check in words, and the sentence.
        notes: sentences.
    """

    naming: Naming
    verdict: str
    reasons: Sequence[tuple[str, str, str, str]]
    notes: Sequence[str]

    @classmethod
    def of(cls, findings: MonitorFindings, naming: Naming) -> ToldFindings:
        """Say it."""
        words, reasons = naming.words, findings.reasons
        return cls(
            naming,
            words.name("level", verdict(reasons)),
            [
                (
                    each.level,
                    words.name("level", each.level),
                    words.name("check", each.check),
                    naming.told(each.message),
                )
                for each in reasons
            ],
            list(map(naming.told, findings.notes)),
        )


def monitor_page(content: Mapping[str, Any], told: ToldFindings) -> str:
    """Return the page of a report with this content as text."""
    naming, meaning = told.naming, MEANING[content["verdict"]]
    return styled_page(
        _environment(naming.words),
        "monitor.html.j2",
        _=naming.words,
        naming=naming,
        told=told,
        report=content,
        meaning=naming.words(meaning),
        charts=_charts(content, naming),
        offices=[row for row in content["blocks"] if row["scope"] != ALL and row["level"] != "fine"],
        measured=_headline(content["measured_performance"]),
        **_formats(naming.words),
    )


def _charts(content: Mapping[str, Any], naming: Naming) -> dict[str, Markup]:
    charts, words = {}, naming.words
    overall = [row for row in content["blocks"] if row["scope"] == ALL]
    if overall:
        tops = [(row, row["strongest"]) for row in overall]
        rows = [
            Bar(naming.block(row["block"]), top["psi"], None, top["limit"], row["level"] != "fine")
            for row, top in tops
        ]
        charts["blocks"] = bars(words("Largest stability index of each block"), rows)
    scores = [row for row in content["scores"] if row["scope"] == ALL]
    if scores:
        rows = [
            Bar(naming.risk(row["group"]), row["psi"], None, row["limit"], row["level"] != "fine")
            for row in scores
        ]
        charts["scores"] = bars(words("Stability index of the scores"), rows)
    calibration = [
        Bar(
            _which(risk, row, naming),
            row["ratio"],
            row["low"],
            row["high"],
            not _holds_one(row),
        )
        for risk, found in content["results"].items()
        for row in found["calibration"]
        if row["ratio"] is not None
    ]
    if calibration:
        charts["calibration"] = intervals(
            words("Findings over expected findings"), calibration, reference=1.0
        )
    charts |= {
        f"hit_rate {risk}": _weeks(naming.risk(risk), found["weeks"], words)
        for risk, found in content["results"].items()
        if found["weeks"]
    }
    if content["newcomers_by_day"]:
        charts["newcomers"] = _newcomers(content["newcomers_by_day"], words)
    return charts


def _holds_one(row: Mapping[str, Any]) -> bool:
    return bool(row["low"] <= 1.0 and (row["high"] is None or row["high"] >= 1.0))


def _which(risk: str, row: Mapping[str, Any], naming: Naming) -> str:
    share = DRAWN if row["share"] == RANDOM_SHARE else "all"
    return naming.words(", ").join((naming.risk(risk), naming.words(share)))


def _weeks(risk: str, weeks: Sequence[Mapping[str, Any]], words: Language) -> Markup:
    return lines(
        words("Hit rate of {risk} by week of declaration", risk=risk),
        [week["to"] for week in weeks],
        {
            words("chosen by risk"): [week["chosen_rate"]["value"] for week in weeks],
            words("all parcels, by the random share"): [week["random_rate"]["value"] for week in weeks],
        },
    )


def _newcomers(rows: Sequence[Mapping[str, Any]], words: Language) -> Markup:
    days = sorted({row["day"] for row in rows})
    shares = {(row["key"], row["day"]): row["new"] / row["lines"] if row["lines"] else None for row in rows}
    names = list(dict.fromkeys(row["key"] for row in rows))
    return lines(
        words("Share of lines whose party or goods were never seen before"),
        days,
        {words.name("newcomers", name): [shares.get((name, day)) for day in days] for name in names},
    )


def _headline(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Precision and recall by risk and capacity: the random share, beside it the doubly robust estimate."""
    table: dict[tuple[str, float, str], dict[str, Any]] = {}
    for row in rows:
        if row["quantity"] in ("precision", "recall"):
            key = (row["risk"], row["capacity"], row["quantity"])
            named = {"risk": key[0], "capacity": key[1], "quantity": key[2]}
            table.setdefault(key, named)[row["method"]] = row
    return list(table.values())


@cache
def _environment(words: Language) -> Environment:
    return page_environment(
        "pipelines.monitoring",
        {**_formats(words), "too_few": lambda findings: too_few(findings, words)},
    )


def _formats(words: Language) -> dict[str, Callable[..., str]]:
    unknown = words("not known")
    return {
        "share": lambda value: unknown if value is None else f"{value:.1%}",
        "number": lambda value, digits=2: unknown if value is None else f"{value:,.{digits}f}",
    }
